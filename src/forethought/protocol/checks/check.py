"""A check, and the sections that it reads."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from forethought.protocol.problems import Fault
from forethought.protocol.protocol import Protocol

COLUMNS = (
    "arms", "allocation", "sessions", "stimuli", "imports.recruits", "imports.responses", "outcomes", "preparation",
)  # fmt: skip
"""The sections that the columns of the analysis data set come from."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a protocol, and every section that its answer rests on.

    A section is named at its top, or as `analysis.models` inside the two large ones.
    """

    find: Callable[[Protocol], Iterable[Fault]]
    reads: frozenset[str]

    def can_judge(self, unsound: Iterable[str]) -> bool:
        """Whether none of the sections that it reads, nor a part of one, is unsound."""
        return not any(_overlap(one, other) for one in self.reads for other in unsound)


def reading(find: Callable[[Protocol], Iterable[Fault]], *sections: str) -> Check:
    """The check that reads these sections."""
    return Check(find, frozenset(sections))


def _overlap(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
