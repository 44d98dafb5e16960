"""Linear mixed models, to be read beside lme4's paper (Bates et al. 2015, J. Stat. Softw. 67(1)).

designs       formula and frame -> y, X                      (one floor up, shared with other models)
covariance    random terms -> blocks, theta, Lambda(theta)
standard      X and y in a basis that rounding does not hurt
products      cross-products of Z, X, y: all that is used of the data
deviance      theta -> L, R_X, beta, sigma, profiled deviance
gradient      theta -> its exact gradient
optimum       the theta of least deviance, and the proof
satterthwaite degrees of freedom
mixed_fit     what comes out
"""

from forethought.analysis.lmm.fitting import lmer
from forethought.analysis.lmm.mixed_fit import MixedFit

__all__ = ["MixedFit", "lmer"]
