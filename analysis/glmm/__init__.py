"""Generalised linear mixed models by Laplace's approximation, to be read beside lme4's documentation of glmer.

outcomes        what is counted: binomial and Poisson, with their canonical links
elimination     weights -> the factored normal equations of the random effects
pirls           theta, beta -> the modes of the random effects
laplace         theta, beta -> the Laplace deviance and its exact gradient
search          the least of it, and the proof
generalized_fit what comes out
"""

from forethought.analysis.glmm.fitting import glmer
from forethought.analysis.glmm.generalized_fit import GeneralizedFit

__all__ = ["GeneralizedFit", "glmer"]
