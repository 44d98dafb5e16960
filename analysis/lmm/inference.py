"""Which inference a method's name stands for."""

import math

from forethought.analysis.inference import ConstantDf, DdfMethod, Inference
from forethought.analysis.lmm.satterthwaite import satterthwaite
from forethought.analysis.lmm.solution import Solution
from forethought.errors import ModelNotFitted


def inference_of(solution: Solution, method: DdfMethod) -> Inference:
    """Inference about a mixed model's fixed effects. Raises ModelNotFitted for a method it does not know."""
    match method:
        case "satterthwaite":
            return satterthwaite(solution)
        case "kenward-roger":
            from forethought.analysis.lmm.kenward_roger import kenward_roger

            return kenward_roger(solution)
        case "normal":
            return ConstantDf("normal", solution.vcov, math.inf)
        case _:
            what = f"a mixed model has no {method} degrees of freedom"
            raise ModelNotFitted("ddf", what, "Take satterthwaite, kenward-roger or normal")
