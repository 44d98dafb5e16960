"""The same mixed model fitted by other software, statsmodels' MixedLM, and the largest differences.

It is given the columns in the scale in which the model was solved: with a covariate in small units it stops
early and says that it has converged. So the design's columns are shared; its likelihood, its optimiser, its
start and its standard errors are its own.
"""

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.solution import Solution
from forethought.analysis.lmm.statsmodels_model import (
    Expressed,
    NotExpressed,
    block_of,
    columns_of,
    expressed,
)

LIMITS = {
    "criterion": 1e-3,
    "coefficient": 1e-2,
    "residual SD": 1e-3,
    "variance": 1e-2,
    "standard error": None,
}
"""How far two fits of one model may be apart, each in its measure.

Its standard errors have no limit, since they come from the joint Hessian of coefficients and variances and not
from the coefficients' covariance at the estimated variances: they differ by 1 % in small data.
"""

MEASURES = {
    "criterion": "-2 log likelihood, absolute",
    "coefficient": "standard errors",
    "residual SD": "relative",
    "variance": "share of the effect's variance and its residual's",
    "standard error": "relative",
}

COLUMNS = ("quantity", "where", "ours", "theirs", "difference", "measure", "limit")


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest of its kind: `where` it is, both values in data units, and its size in its measure."""

    quantity: str
    where: str
    ours: float
    theirs: float
    difference: float

    @property
    def measure(self) -> str:
        return MEASURES[self.quantity]

    @property
    def limit(self) -> float | None:
        """None where the two are not the same quantity."""
        return LIMITS[self.quantity]

    @property
    def small(self) -> bool:
        return self.limit is None or self.difference <= self.limit

    def as_json(self) -> dict[str, Any]:
        """The columns of the frame; null where there is no number."""
        record = {name: getattr(self, name) for name in COLUMNS}
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in record.items()
        }


@dataclass(frozen=True, slots=True)
class NotChecked:
    """Why there is no other fit to compare with."""

    reason: str

    def summary(self) -> str:
        return f"Not checked against statsmodels: {self.reason}."

    def as_json(self) -> dict[str, Any]:
        """checked (false) and reason."""
        return {"checked": False, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """One largest difference of each kind. converged and warnings are what the other software said of its own fit."""

    software: str
    converged: bool
    warnings: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        return all(difference.small for difference in self.differences)

    @property
    def criterion_excess(self) -> float:
        """By how much the other fit's criterion is higher; negative where ours is no minimum."""
        criterion = self.differences[0]
        return criterion.theirs - criterion.ours

    def summary(self) -> str:
        """In one or two sentences, whose fit is the better one where they differ."""
        if self.agrees:
            return f"{self.software} finds the same fit; the criteria differ by {self.differences[0].difference:.1g}."
        apart = ", ".join(f"{each.quantity} ({each.where})" for each in self.differences if not each.small)
        if abs(self.criterion_excess) <= (self.differences[0].limit or 0.0):
            which = "Both criteria are the same: the data say little about what differs"
        elif self.criterion_excess > 0:
            which = f"Its criterion is {self.criterion_excess:.2g} higher: it stopped before the minimum"
        else:
            which = f"Its criterion is {-self.criterion_excess:.2g} lower: the fit is not the minimum"
        return f"{self.software} differs in {apart}. {which}."

    def as_frame(self) -> pd.DataFrame:
        """A row for each kind: quantity, where, ours, theirs, difference, measure, limit."""
        rows = [[getattr(each, name) for name in COLUMNS] for each in self.differences]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def as_json(self) -> dict[str, Any]:
        """checked (true), software, agrees, converged, warnings, summary, and differences as in the frame."""
        return {
            "checked": True,
            "software": self.software,
            "agrees": self.agrees,
            "converged": self.converged,
            "warnings": list(self.warnings),
            "summary": self.summary(),
            "differences": [each.as_json() for each in self.differences],
        }


@dataclass(frozen=True, slots=True)
class _Values:
    """What is compared, in data units; covariances (k, k) for each piece."""

    criterion: float
    beta: Floats
    se: Floats
    sigma: float
    covariances: tuple[Floats, ...]


def cross_check(solution: Solution) -> CrossCheck | NotChecked:
    """The model fitted once more by statsmodels, or why it was not; takes from a second to a minute."""
    if solution.design.data.weights is not None:
        return NotChecked("its mixed models know no weights")
    form = expressed(solution.design.random)
    if isinstance(form, NotExpressed):
        return NotChecked(form.reason)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = form.model(solution.standard.basis.Q, solution.standard.z).fit(reml=solution.reml)
            theirs = _theirs(solution, form, found)
        except (np.linalg.LinAlgError, ValueError) as error:
            return NotChecked(f"its fit broke off, {str(error).rstrip('.')}")
    if not np.isfinite(theirs.criterion):
        return NotChecked("its fit has no likelihood")
    said = tuple(dict.fromkeys(str(warning.message).strip() for warning in caught))
    differences = tuple(_differences(solution, form, _ours(solution, form), theirs))
    return CrossCheck(_software(), bool(found.converged), said, differences)


def _software() -> str:
    import statsmodels

    return f"statsmodels {statsmodels.__version__} MixedLM"


def _ours(solution: Solution, form: Expressed) -> _Values:
    found = form.random.covariances(solution.optimum.theta, solution.sigma)
    covariances = tuple(found[form.random.pieces.index(piece)] for piece in form.pieces)
    se = np.sqrt(np.diag(solution.vcov))
    return _Values(solution.criterion, solution.beta, se, solution.sigma, covariances)


def _theirs(solution: Solution, form: Expressed, found: Any) -> _Values:
    """From statsmodels' results in the standard basis to data units."""
    standard = solution.standard
    p = len(found.fe_params)
    correlated = [] if form.correlated is None else [np.asarray(found.cov_re, dtype=float)]
    components = [np.full((1, 1), float(variance)) for variance in found.vcomp]
    vcov = standard.covariances(np.asarray(found.cov_params(), dtype=float)[:p, :p])
    with np.errstate(invalid="ignore"):  # its Hessian may have no inverse with a positive diagonal
        se = np.sqrt(np.diag(vcov))
    return _Values(
        criterion=standard.deviance(-2 * float(found.llf), solution.deviance.nu, reml=solution.reml),
        beta=standard.coefficients(np.asarray(found.fe_params, dtype=float)),
        se=se,
        sigma=standard.scale * float(np.sqrt(found.scale)),
        covariances=_in_data_units(solution, form, correlated + components),
    )


def _in_data_units(solution: Solution, form: Expressed, covariances: list[Floats]) -> tuple[Floats, ...]:
    scaled = list[Floats]()
    for piece, covariance in zip(form.pieces, covariances, strict=True):
        units = solution.standard.scale * block_of(form.random, piece).units[piece.own, piece.own]
        scaled.append(units @ covariance @ units.T)
    return tuple(scaled)


def _differences(solution: Solution, form: Expressed, ours: _Values, theirs: _Values) -> Iterator[Difference]:
    """The largest difference of each kind, the criterion first."""
    terms = solution.design.fixed.terms
    apart = abs(theirs.criterion - ours.criterion)
    yield Difference("criterion", "model", ours.criterion, theirs.criterion, apart)
    yield _largest("coefficient", terms, ours.beta, theirs.beta, np.abs(theirs.beta - ours.beta) / ours.se)
    yield _largest("standard error", terms, ours.se, theirs.se, np.abs(theirs.se / ours.se - 1))
    yield Difference("residual SD", "residual", ours.sigma, theirs.sigma, abs(theirs.sigma / ours.sigma - 1))
    found = [_of_piece(form, place, ours, theirs) for place in range(len(form.pieces))]
    yield max(found, key=lambda difference: difference.difference)


def _of_piece(form: Expressed, place: int, ours: _Values, theirs: _Values) -> Difference:
    """Of a piece's variances and covariances, each beside its effects' variances and what the residual adds."""
    piece = form.pieces[place]
    k = len(piece.effects)
    units = block_of(form.random, piece).units[piece.own, piece.own]
    columns = columns_of(form.random, piece) @ np.linalg.inv(units)
    a, b = np.tril_indices(k)
    own, other = ours.covariances[place], theirs.covariances[place]
    beside = np.sqrt(np.diag(own) + ours.sigma**2 / (columns**2).mean(axis=0))
    names = tuple(
        f"{piece.group}: {' x '.join(dict.fromkeys((piece.effects[i], piece.effects[j])))}"
        for i, j in zip(b, a, strict=True)
    )
    sizes = np.abs(other - own)[a, b] / (beside[a] * beside[b])
    return _largest("variance", names, own[a, b], other[a, b], sizes)


def _largest(
    quantity: str, names: tuple[str, ...], ours: Floats, theirs: Floats, sizes: Floats
) -> Difference:
    place = int(np.argmax(sizes))
    return Difference(quantity, names[place], float(ours[place]), float(theirs[place]), float(sizes[place]))
