"""Linear mixed models, to be read beside lme4's paper (Bates et al. 2015, J. Stat. Softw. 67(1)).

Design, one floor up, shared with the other models:
  model_data            formula and frame -> rows kept, levels, weights, offset
  coding, contrasts     terms -> columns, of new rows too
  designs               y, X, what was dropped
Deviance:
  random_terms          levels and columns, and what the data can carry
  covariance            random terms -> blocks, theta, Lambda(theta)
  standard              X and y in a basis that rounding does not hurt
  crossings, products   cross-products of Z, X, y: all that is used of the data
  deviance              theta -> L, R_X, beta, sigma, profiled deviance
Derivatives and optimum:
  elimination, gram     Z'V^-1 Z, never formed
  gradient, curvature   theta -> exact first and second derivatives
  first_guess, optimum  the theta of least deviance, and the proof
  solution              a design before its outcome, and solved for one
Inference:
  satterthwaite, kenward_roger           degrees of freedom, tests
  parameters, constrained, profile       likelihood intervals
  bootstrap, intervals, comparison       simulation, the choice of an interval, likelihood ratios
What is read off a solution:
  variance_components, conditional_modes, predictions, effect_sizes
  diagnostics, influence, statsmodels_model, cross_check
  mixed_fit             what a person holds
"""

from forethought.analysis.lmm.fitting import lmer
from forethought.analysis.lmm.mixed_fit import MixedFit

__all__ = ["MixedFit", "lmer"]
