"""Forethought: a pre-registered experiment, from its protocol to a report that a stranger can verify.

The public API is what `__all__` names. Names are imported when first used (PEP 562), so that the
command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forethought.analysis.anova import anova
    from forethought.analysis.emmeans import Contrasts, MarginalMeans, emmeans
    from forethought.analysis.glmm import GeneralizedFit, glmer
    from forethought.analysis.lmm import MixedFit, lmer
    from forethought.analysis.marginal import MarginalFit, gee, glm, ordinal
    from forethought.analysis.ols import LinearFit, ols
    from forethought.analysis.randomization_test import randomization_test
    from forethought.errors import ForethoughtError
    from forethought.protocol.loading import LoadedProtocol, load
    from forethought.protocol.protocol import Protocol
    from forethought.randomization.recorded import RecordedDesign

__all__ = [
    "Contrasts",
    "ForethoughtError",
    "GeneralizedFit",
    "LinearFit",
    "LoadedProtocol",
    "MarginalFit",
    "MarginalMeans",
    "MixedFit",
    "Protocol",
    "RecordedDesign",
    "__version__",
    "anova",
    "emmeans",
    "gee",
    "glm",
    "glmer",
    "lmer",
    "load",
    "ols",
    "ordinal",
    "randomization_test",
]

__version__ = "0.1.0"

_HOMES = {
    "Contrasts": "forethought.analysis.emmeans",
    "ForethoughtError": "forethought.errors",
    "GeneralizedFit": "forethought.analysis.glmm",
    "LinearFit": "forethought.analysis.ols",
    "LoadedProtocol": "forethought.protocol.loading",
    "MarginalFit": "forethought.analysis.marginal",
    "MarginalMeans": "forethought.analysis.emmeans",
    "MixedFit": "forethought.analysis.lmm",
    "Protocol": "forethought.protocol.protocol",
    "RecordedDesign": "forethought.randomization.recorded",
    "anova": "forethought.analysis.anova",
    "emmeans": "forethought.analysis.emmeans",
    "gee": "forethought.analysis.marginal",
    "glm": "forethought.analysis.marginal",
    "glmer": "forethought.analysis.glmm",
    "lmer": "forethought.analysis.lmm",
    "load": "forethought.protocol.loading",
    "ols": "forethought.analysis.ols",
    "ordinal": "forethought.analysis.marginal",
    "randomization_test": "forethought.analysis.randomization_test",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'forethought' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
