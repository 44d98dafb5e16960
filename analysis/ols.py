"""Ordinary least squares, with errors that may be correlated within clusters."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forethought.analysis.designs import FixedDesign, Floats, Missing, ModelData, fixed_design, model_data
from forethought.analysis.fits import coefficient_frame, in_one_line, weight_vector
from forethought.analysis.fixed_effects import FixedEffects
from forethought.analysis.given_frames import given_frame, unwritable
from forethought.analysis.inference import ConstantDf, DdfMethod, Estimate, Inference, estimate, wald
from forethought.errors import ModelNotFitted
from forethought.grammar import parse_formula

ROUNDING = 1e-12
"""Residuals smaller than this share of the outcome are rounding: some ten thousand times a float's own error."""


@dataclass(frozen=True, eq=False)
class LinearFit(FixedEffects):
    """A linear model fitted by least squares; see `forethought.analysis.fits.Fit`.

    `rounding` is the covariance that is only rounding: a variance within it is no variance, and has no SE.
    Without random effects theta is empty and the residual is the one variance component. The likelihood is
    that of independent errors, also where the covariance of the coefficients is robust.
    """

    formula: str
    data: ModelData
    fixed: FixedDesign
    n_groups: Mapping[str, int]
    log_likelihood: float
    sigma: float
    beta: Floats
    covariance: Floats
    rounding: Floats
    df: float
    warnings: tuple[str, ...]

    estimand = "marginal"
    reml = False
    theta = ()
    converged = True
    singular = False

    def __repr__(self) -> str:
        return in_one_line("linear model, least squares", self)

    @property
    def criterion(self) -> float:
        return -2 * self.log_likelihood

    @property
    def ddf_method(self) -> DdfMethod:
        return "normal" if np.isinf(self.df) else "residual"

    @given_frame
    def variance_components(self) -> pd.DataFrame:
        row = {"group": "Residual", "term1": None, "term2": None}
        return pd.DataFrame(
            [{**row, "variance_or_covariance": self.sigma**2, "sd_or_correlation": self.sigma}]
        )

    @given_frame
    def coefficients(self) -> pd.DataFrame:
        return coefficient_frame(self.terms, [self._estimate(row, 0.95) for row in np.eye(len(self.terms))])

    @property
    def vcov(self) -> pd.DataFrame:
        return pd.DataFrame(self.covariance, index=list(self.terms), columns=list(self.terms))

    def inference(self, ddf: DdfMethod | None = None) -> Inference:
        """Inference with the residual's degrees of freedom; with normal ones where errors are cluster-robust.

        A covariance that is only rounding is zero there, so that nothing is tested against it.
        Raises ModelNotFitted for another method.
        """
        if ddf not in (None, self.ddf_method):
            what = f"this linear model has {self.ddf_method} degrees of freedom, not {ddf}"
            raise ModelNotFitted("ddf", what, f"Leave ddf out, or take {self.ddf_method}")
        only_rounding = bool((np.diag(self.covariance) <= np.diag(self.rounding)).all())
        vcov = np.zeros_like(self.covariance) if only_rounding else self.covariance
        return ConstantDf(self.ddf_method, unwritable(vcov), self.df)

    def contrast(self, weights: Mapping[str, float], level: float = 0.95) -> Estimate:
        """The weighted sum of coefficients. Raises ModelNotFitted for a term that the model does not have."""
        return self._estimate(weight_vector(weights, self.terms), level)

    def _estimate(self, weights: Floats, level: float) -> Estimate:
        found = estimate(weights, self.beta, self.inference(), level)
        if found.se**2 > weights @ self.rounding @ weights:
            return found
        return wald(found.estimate, math.nan, self.df, level)


def ols(
    formula: str, data: pd.DataFrame, *, cluster: str | None = None, missing: Missing = "raise"
) -> LinearFit:
    """Fit a linear model; formula, data and missing as in `lmer`, but without random terms.

    With `cluster`, a column, the covariance is the cluster-robust CR1 of Liang and Zeger (1986, Biometrika
    73:13) times G/(G-1) (n-1)/(n-p), and inference is normal, both as in statsmodels; without, it is the
    classical one and inference has t with n - p degrees of freedom.
    Raises InvalidFormula, and ModelNotFitted for data that cannot carry the model.
    """
    parsed = parse_formula(formula)
    if parsed.random:
        what = f"least squares cannot fit the random term {parsed.random[0]}"
        raise ModelNotFitted("model", what, "Use lmer, or leave the term out")
    prepared = model_data(parsed, data, missing=missing, also=[cluster] if cluster else [])
    design = fixed_design(prepared)
    y = design.y if prepared.offset is None else design.y - prepared.offset
    groups = prepared.frame.groupby(cluster, observed=True).ngroup().to_numpy() if cluster else None
    n_groups = {cluster: int(groups.max()) + 1} if cluster and groups is not None else {}
    if cluster and n_groups[cluster] < 2:
        raise ModelNotFitted(
            "model", f"there is one cluster of `{cluster}`", "Give data of two or more clusters"
        )
    with np.errstate(divide="ignore"):  # of an outcome that does not vary the likelihood is infinite
        result = _least_squares(y, design.X, groups)
        log_likelihood = float(result.llf)
    return LinearFit(
        formula=formula.strip(),
        data=prepared,
        fixed=design,
        n_groups=n_groups,
        log_likelihood=log_likelihood,
        sigma=float(np.sqrt(result.scale)),
        beta=unwritable(np.asarray(result.params)),
        covariance=np.asarray(result.cov_params()),
        rounding=(ROUNDING * float(np.abs(y).max())) ** 2 * np.asarray(result.normalized_cov_params),
        df=float("inf") if cluster else float(result.df_resid),
        warnings=(*prepared.warnings, *design.warnings),
    )


def _least_squares(y: Floats, X: Floats, groups: Any | None) -> Any:
    from statsmodels.regression.linear_model import OLS

    model = OLS(y, X)
    return model.fit() if groups is None else model.fit(cov_type="cluster", cov_kwds={"groups": groups})
