"""From a formula and a frame to outcome, columns and clusters of a model without random effects."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.linalg import qr, solve_triangular

from forethought.analysis.designs import FixedDesign, Floats, Missing, fixed_design, model_data
from forethought.analysis.marginal.clusters import Clusters, clusters_of
from forethought.analysis.marginal.outcomes import Outcome, outcome_of
from forethought.analysis.model_data import refuse_other_than_frames
from forethought.errors import ModelNotFitted
from forethought.grammar import ModelFormula, parse_formula


@dataclass(frozen=True, slots=True)
class Basis:
    """Columns Q (n, p) with X = Q R: of length sqrt(n) and uncorrelated, so that no scale of X hurts."""

    Q: Floats
    R: Floats

    def coefficients(self, gamma: Floats) -> Floats:
        """beta of X, where Q gamma = X beta; gamma (p,) or (p, columns)."""
        found: Floats = solve_triangular(self.R, gamma)
        return found

    def covariance(self, covariance: Floats) -> Floats:
        """Of beta, given that of gamma, (p, p); exactly symmetric."""
        turned = self.coefficients(self.coefficients(covariance).T)
        return (turned + turned.T) / 2


@dataclass(frozen=True, slots=True)
class MarginalDesign:
    """All that is fitted: y is 0/1, counts or numbers; clusters is None for independent rows."""

    formula: str
    outcome: Outcome
    fixed: FixedDesign
    offset: Floats | None
    clusters: Clusters | None

    @property
    def basis(self) -> Basis:
        """Of the columns X, which are of full rank."""
        return orthogonal(self.fixed.X)

    @property
    def warnings(self) -> tuple[str, ...]:
        clusters = self.clusters.warnings(len(self.fixed.terms)) if self.clusters else ()
        return (*self.outcome.data.warnings, *self.fixed.warnings, *clusters)


def orthogonal(X: Floats) -> Basis:
    """The basis of X (n, p), which has full rank."""
    Q, R = qr(X, mode="economic", check_finite=False)
    long = np.sqrt(len(X))
    return Basis(Q * long, R / long)


def marginal_design(
    formula: str,
    data: pd.DataFrame,
    family: str,
    *,
    cluster: str | None,
    missing: Missing,
    time: str | None = None,
) -> MarginalDesign:
    """Rows, outcome and columns of a marginal model, sorted by `time` where that is given.

    Raises InvalidFormula, and ModelNotFitted for random terms, an outcome of the wrong kind, one cluster, and
    whatever else no model can be fitted to.
    """
    parsed = parse_formula(formula)
    refuse_other_than_frames(data)
    _refuse_random_terms(parsed)
    also = [name for name in (cluster, time) if name]
    rows = data if time is None or time not in data.columns else data.sort_values(time, kind="stable")
    prepared = model_data(parsed, rows, missing=missing, also=also)
    outcome = outcome_of(prepared, family)
    bare = replace(outcome.data, weights=None, offset=None)
    groups = clusters_of(prepared.frame[cluster]) if cluster else None
    if time is not None and prepared.frame.duplicated(also).any():
        what = f"a cluster of `{cluster}` has two rows at the same `{time}`"
        raise ModelNotFitted("time", what, "Give each row of a cluster a time of its own")
    return MarginalDesign(formula.strip(), outcome, fixed_design(bare), prepared.offset, groups)


def _refuse_random_terms(formula: ModelFormula) -> None:
    if not formula.random:
        return
    term = formula.random[0]
    what = f"a marginal model has no random term such as {term}"
    remedy = f'Leave it out and pass cluster="{term.group[0]}", or use lmer, which models a subject, not the population'
    raise ModelNotFitted("model", what, remedy)
