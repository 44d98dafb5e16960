"""Generalised estimating equations: the population's mean, with a working correlation within clusters."""

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import pandas as pd

from forethought.analysis.designs import Floats, Missing
from forethought.analysis.marginal.families import Family, chosen_link, statsmodels_family
from forethought.analysis.marginal.glm import Iterated, fitted_glm
from forethought.analysis.marginal.marginal_design import MarginalDesign, marginal_design
from forethought.analysis.marginal.marginal_fit import MarginalFit, Model, Solved
from forethought.errors import ModelNotFitted

Working = Literal["exchangeable", "independence", "ar1"]
SmallSample = Literal["none", "mancl-derouen"]

MOST_STEPS = 100
SEPARATED_STEPS = 2
"""From where `glm` stops on its way to an infinite estimate."""

TOLERANCE = 1e-9
"""Of the score, in units of its standard deviation under independence."""


def gee(
    formula: str,
    data: pd.DataFrame,
    *,
    cluster: str,
    family: Family = "binomial",
    link: str | None = None,
    covariance: Working = "exchangeable",
    time: str | None = None,
    small_sample: SmallSample = "none",
    missing: Missing = "raise",
) -> MarginalFit:
    """Fit generalised estimating equations, with the robust (sandwich) covariance and normal inference.

    cluster: the column whose values mark rows that belong together. family, link, outcome: as in `glm`.
    covariance: the working correlation. Estimates stay right where it is wrong, if the mean is right and values are
        missing completely at random. ar1 needs `time`, the column that orders a cluster's rows; gaps are not seen.
    small_sample: `mancl-derouen` corrects the covariance for few clusters, say less than 40.

    The dispersion and the correlation are divided by N - p and by pairs - p, as in R's gee and SAS.
    Separation and a fit that has not converged are returned and say so in `warnings`.
    Raises InvalidFormula, and ModelNotFitted for data that cannot carry the model.

    Method: Liang and Zeger 1986, Biometrika 73:13; Mancl and DeRouen 2001, Biometrics 57:126.
    """
    chosen = chosen_link(family, link)
    _check_choices(covariance, time, small_sample)
    design = marginal_design(formula, data, family, cluster=cluster, missing=missing, time=time)
    _check_pairs(covariance, design)
    solved = _solved(design, family, statsmodels_family(family, chosen), covariance, small_sample)
    covariance_type = "robust" if small_sample == "none" else small_sample
    return MarginalFit(design, Model("gee", family, chosen, covariance_type, covariance), solved)


def _solved(
    design: MarginalDesign, family: Family, kind: Any, working: Working, small_sample: SmallSample
) -> Solved:
    """The root of the estimating equations, sought from the estimates under independence."""
    basis, structure = design.basis, _structures()[working]()
    start, separation = fitted_glm(design, basis.Q, family, kind)
    found = _iterated(
        design,
        basis.Q,
        kind,
        structure,
        start,
        SEPARATED_STEPS if separation.found else MOST_STEPS,
        small_sample,
    )
    if found is None or not np.isfinite(found.params).all() or not np.isfinite(found.cov_params()).all():
        what = f"the estimating equations have no finite solution with {working} correlation"
        remedy = 'Take covariance="independence", or leave out terms with rare levels'
        raise ModelNotFitted("model", what, remedy)
    beta = basis.coefficients(np.asarray(found.params))
    correlation = math.nan if working == "independence" else float(structure.dep_params)
    unfinished = "" if found.converged else f"the estimates still moved after {MOST_STEPS} steps"
    return Solved(
        beta=beta,
        covariance=separation.covariance(basis.covariance(np.asarray(found.cov_params())), beta),
        df=math.inf,
        log_likelihood=math.nan,
        dispersion=float(found.scale),
        doubt=unfinished or _impossible(correlation, working, design),
        separation=separation,
        working_correlation=correlation,
    )


def _iterated(
    design: MarginalDesign,
    Q: Floats,
    kind: Any,
    structure: Any,
    start: Iterated,
    steps: int,
    small_sample: SmallSample,
) -> Any:
    """statsmodels' result, or None; the dispersion is estimated in every family."""
    from statsmodels.genmod.generalized_estimating_equations import GEE

    if design.clusters is None:
        raise ModelNotFitted("cluster", "a GEE needs clusters", "Name their column, or use glm")
    spread = math.sqrt(start.dispersion * float(np.trace(np.linalg.pinv(start.bread))))
    groups = design.clusters.codes
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # convergence is told as a value
        model = GEE(
            design.outcome.y, Q, groups=groups, family=kind, cov_struct=structure, offset=design.offset
        )
        return model.fit(
            start_params=start.gamma,
            maxiter=steps,
            ctol=TOLERANCE * spread,
            cov_type="robust" if small_sample == "none" else "bias_reduced",
            scale="X2",
        )


def _impossible(correlation: float, working: Working, design: MarginalDesign) -> str:
    """Why no clusters of this size can have this correlation; empty where they can."""
    if working == "independence" or design.clusters is None:
        return ""
    largest = max(int(design.clusters.sizes.max()), 2)
    lowest = -1 / (largest - 1) if working == "exchangeable" else -1.0
    if lowest < correlation < 1:
        return ""
    return (
        f"{working} correlation is estimated as {correlation:.3g}, impossible in clusters of {largest} rows"
    )


def _check_pairs(working: Working, design: MarginalDesign) -> None:
    """Raises ModelNotFitted where clusters share too few pairs of rows to estimate their correlation."""
    if working != "exchangeable" or design.clusters is None:
        return
    sizes = design.clusters.sizes
    pairs, p = int((sizes * (sizes - 1)).sum()) // 2, len(design.fixed.terms)
    if 0 < pairs <= p:
        what = f"beside {p} coefficients a correlation needs more pairs of rows than the clusters' {pairs}"
        raise ModelNotFitted("covariance", what, 'Take covariance="independence"')


def _structures() -> Mapping[Working, Callable[[], Any]]:
    from statsmodels.genmod import cov_struct

    return {
        "exchangeable": cov_struct.Exchangeable,
        "independence": cov_struct.Independence,
        "ar1": lambda: cov_struct.Autoregressive(grid=True),
    }


def _check_choices(working: str, time: str | None, small_sample: str) -> None:
    offered = ("exchangeable", "independence", "ar1")
    if working not in offered:
        raise ModelNotFitted("covariance", f"`{working}` is not offered", f"Take one of {', '.join(offered)}")
    if working == "ar1" and time is None:
        raise ModelNotFitted(
            "covariance", "ar1 does not know the order of a cluster's rows", "Name its column as `time`"
        )
    if small_sample not in ("none", "mancl-derouen"):
        raise ModelNotFitted("small_sample", f"`{small_sample}` is not offered", "Take none or mancl-derouen")
