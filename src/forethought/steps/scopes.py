"""How much an unblinding opens: the study, one wave of it, or one person's arm."""

import re
from dataclasses import dataclass

from forethought.errors import WrongUsage


@dataclass(frozen=True, slots=True)
class WholeStudy:
    """Every wave."""

    def __str__(self) -> str:
        return "study"


@dataclass(frozen=True, slots=True)
class OneWave:
    """One wave; the others stay blinded."""

    wave: int

    def __str__(self) -> str:
        return f"wave {self.wave}"


@dataclass(frozen=True, slots=True)
class OnePerson:
    """One person's arm, in an emergency; everyone else stays blinded. The id is as it was given."""

    named: str

    def __str__(self) -> str:
        return f"participant {self.named}"


Scope = WholeStudy | OneWave | OnePerson

STUDY = WholeStudy()


def scope(text: str) -> Scope:
    """The scope as it is written: `study`, `wave 2`, `wave:2`, `participant ID`; WrongUsage for anything else."""
    kind, *which = re.split(r"[:\s]+", text.strip(), maxsplit=1)
    match kind, which:
        case "study", []:
            return STUDY
        case "wave", [number] if re.fullmatch(r"[0-9]{1,9}", number):
            return OneWave(int(number))
        case "participant", [named] if named:
            return OnePerson(named)
    raise WrongUsage(
        f"--scope {text}",
        "it is no scope",
        "Use `study`, `wave:N` with the wave's number, or `participant:ID`",
    )
