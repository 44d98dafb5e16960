"""Which inference a method's name stands for."""

import math

from forethought.analysis.inference import ConstantDf, DdfMethod, Inference
from forethought.analysis.lmm.satterthwaite import satterthwaite
from forethought.analysis.lmm.solution import Solution
from forethought.errors import ModelNotFitted

METHODS = ("satterthwaite", "kenward-roger", "normal")


def require_method(method: str, *, reml: bool) -> None:
    """Raise ModelNotFitted for a method that a mixed model does not know, or that is not defined for its criterion.

    lmerTest, too, refuses Kenward and Roger's method after maximum likelihood; pbkrtest silently fits another model.
    """
    if method not in METHODS:
        what = f"a mixed model has no {method} degrees of freedom"
        raise ModelNotFitted("ddf", what, f"Take {', '.join(METHODS)}")
    if method == "kenward-roger" and not reml:
        what = "Kenward and Roger's method belongs to REML, and this fit is by maximum likelihood"
        raise ModelNotFitted("ddf", what, "Fit with reml=True, or take satterthwaite")


def inference_of(solution: Solution, method: DdfMethod) -> Inference:
    """Inference about a mixed model's fixed effects. Raises ModelNotFitted for a method it does not know."""
    require_method(method, reml=solution.reml)
    match method:
        case "kenward-roger":
            from forethought.analysis.lmm.kenward_roger import kenward_roger

            return kenward_roger(solution)
        case "normal":
            return ConstantDf("normal", solution.vcov, math.inf)
        case _:
            return satterthwaite(solution)
