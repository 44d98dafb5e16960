"""What every fitted model offers, whatever fitted it: `Fit`."""

import math
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from forethought.analysis.columns import finite_numbers
from forethought.analysis.designs import FixedDesign, Floats, ModelData
from forethought.analysis.inference import DdfMethod, Estimate, Inference
from forethought.errors import ModelNotFitted

FORMAT = "forethought-fit/1"

Record = dict[str, str | float | None]


class Fit(Protocol):
    """A fitted model. Frames are fresh copies or never changed in place; every number is in data units.

    variance_components: group, term1, term2, variance_or_covariance, sd_or_correlation; the last row is
        the residual; term2 is missing in the row of a variance.
    terms, beta: names and values (p,) of the estimated coefficients; fixed: the design they belong to; data: its rows.
    coefficients: term, estimate, se, df, statistic, p, ci_low, ci_high (95 %).
    vcov: covariance of the coefficients, term by term.
    criterion: -2 log likelihood, restricted where `reml`; log_likelihood is minus half of it.
    estimand: conditional, of a participant, or marginal, of the population. Where the outcome's mean is linear in
        the coefficients both are the same number.
    """

    @property
    def formula(self) -> str: ...
    @property
    def n_obs(self) -> int: ...
    @property
    def n_dropped(self) -> int: ...
    @property
    def n_groups(self) -> Mapping[str, int]: ...
    @property
    def criterion(self) -> float: ...
    @property
    def log_likelihood(self) -> float: ...
    @property
    def reml(self) -> bool: ...
    @property
    def theta(self) -> tuple[float, ...]: ...
    @property
    def sigma(self) -> float: ...
    @property
    def variance_components(self) -> pd.DataFrame: ...
    @property
    def coefficients(self) -> pd.DataFrame: ...
    @property
    def vcov(self) -> pd.DataFrame: ...
    @property
    def ddf_method(self) -> str: ...
    @property
    def estimand(self) -> str: ...
    @property
    def converged(self) -> bool: ...
    @property
    def singular(self) -> bool: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...

    @property
    def terms(self) -> tuple[str, ...]: ...
    @property
    def beta(self) -> Floats: ...
    @property
    def fixed(self) -> FixedDesign: ...
    @property
    def data(self) -> ModelData: ...

    def inference(self, ddf: DdfMethod | None = None) -> Inference:
        """The fit's own inference, or that by another method. Raises ModelNotFitted for one it does not know."""
        ...

    def contrast(self, weights: Mapping[str, float], level: float = 0.95) -> Estimate:
        """The weighted sum of coefficients; terms not named weigh nothing.

        Raises ModelNotFitted for a term that the model does not have or could not estimate.
        """
        ...


@runtime_checkable
class Detailed(Protocol):
    """A fit that has more to say of itself than every fit has."""

    def details(self) -> Mapping[str, object]:
        """JSON values by their keys."""
        ...


def require_fit(where: str, fit: object) -> None:
    """Raises ModelNotFitted, which names `where`, for what is no fit."""
    if not hasattr(fit, "inference"):
        what = f"its first argument is of the kind {type(fit).__name__}, and no fit"
        raise ModelNotFitted(where, what, "Give a fit first, as fit = lmer(formula, data) makes one")


@runtime_checkable
class Linked(Protocol):
    """A fit whose coefficients are on the scale of a link, which is that of the outcome where it is the identity."""

    @property
    def family(self) -> str: ...
    @property
    def link(self) -> str: ...


def in_one_line(kind: str, fit: Fit) -> str:
    """What a notebook shows of a fit: its kind, formula, rows and groups."""
    groups = "".join(f", {count:,} {name}" for name, count in fit.n_groups.items())
    return f"<{kind}: {fit.formula}; {fit.n_obs:,} rows{groups}; log-likelihood {fit.log_likelihood:.4f}>"


def coefficient_frame(terms: tuple[str, ...], estimates: list[Estimate]) -> pd.DataFrame:
    """The `coefficients` of a Fit: one row for each term."""
    columns = ("estimate", "se", "df", "statistic", "p", "ci_low", "ci_high")
    values = {column: [getattr(row, column) for row in estimates] for column in columns}
    return pd.DataFrame({"term": list(terms), **values})


def ratio_frame(coefficients: pd.DataFrame) -> pd.DataFrame:
    """exp of the coefficients of a log or logit link but the intercept: term, ratio, ci_low, ci_high."""
    rows = coefficients[coefficients["term"] != "Intercept"].reset_index(drop=True)
    columns = {"ratio": "estimate", "ci_low": "ci_low", "ci_high": "ci_high"}
    with np.errstate(over="ignore"):  # of a separated term the interval has no end
        ratios = {name: np.exp(rows[column].to_numpy()) for name, column in columns.items()}
    return pd.DataFrame({"term": rows["term"], **ratios})


def weight_vector(weights: Mapping[str, float], terms: tuple[str, ...]) -> Floats:
    """The weights in the order of the terms, shape (terms,).

    Raises ModelNotFitted for an unknown term and for weights that are all zero, or not finite.
    """
    if not isinstance(weights, Mapping):
        what = f"{weights!r} does not give weights by the names of coefficients"
        raise ModelNotFitted("contrast", what, f'Write a dictionary, as {{"{terms[-1]}": 1}}')
    unknown = [term for term in weights if term not in terms]
    if unknown:
        what = f"no estimated coefficient is called {', '.join(map(str, unknown))}"
        raise ModelNotFitted("contrast", what, f"The coefficients are {', '.join(terms)}")
    if not any(weights.values()):
        raise ModelNotFitted("contrast", "all weights are zero", "Give at least one coefficient a weight")
    return finite_numbers("contrast", "the weights", [weights.get(term, 0.0) for term in terms], len(terms))


def fit_to_json(fit: Fit) -> dict[str, object]:
    """What `fit --json` prints of any fit, and what its `details` add; numbers that are not finite become null."""
    return {
        "format": FORMAT,
        "formula": fit.formula,
        "n_obs": fit.n_obs,
        "n_dropped": fit.n_dropped,
        "n_groups": dict(fit.n_groups),
        "criterion": finite(fit.criterion),
        "log_likelihood": finite(fit.log_likelihood),
        "reml": fit.reml,
        "theta": [finite(value) for value in fit.theta],
        "sigma": finite(fit.sigma),
        "variance_components": records(fit.variance_components),
        "coefficients": records(fit.coefficients),
        "ddf_method": fit.ddf_method,
        "estimand": fit.estimand,
        "converged": fit.converged,
        "singular": fit.singular,
        "warnings": list(fit.warnings),
        **(fit.details() if isinstance(fit, Detailed) else {}),
    }


def finite(value: float) -> float | None:
    """The number, or None in the place of one that JSON does not have."""
    return float(value) if math.isfinite(value) else None


def records(frame: pd.DataFrame) -> list[Record]:
    """The rows of a frame of texts, truth values and numbers; None where a number is not finite."""
    rows = frame.to_dict(orient="records")
    return [{str(key): _cell(value) for key, value in row.items()} for row in rows]


def _cell(value: object) -> str | float | None:
    if isinstance(value, str | int):  # truth values too
        return value
    return finite(value) if isinstance(value, float) else None
