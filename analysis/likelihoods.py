"""What a fit is compared with others by: its maximal likelihood, and what says whether another is a special case."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from forethought.analysis.designs import Floats


@dataclass(frozen=True, slots=True)
class Likelihood:
    """The maximum of an ordinary likelihood. Only those of one kind, as "a linear mixed model", are compared.

    criterion: -2 log likelihood. y: the outcome that was fitted, (n,). X: the fixed effects, (n, p), of full rank.
    weights: precisions or numbers of trials, (n,), None where all are one. refitted: whether it is not the fit's own.
    """

    kind: str
    n_parameters: int
    criterion: float
    y: Floats
    X: Floats
    weights: Floats | None = None
    refitted: bool = False


@runtime_checkable
class Likely(Protocol):
    """A fit that may be compared by its likelihood."""

    def likelihood(self) -> Likelihood:
        """Raises ModelNotFitted where the fit has none that a test may rest on."""
        ...
