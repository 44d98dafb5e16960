"""Population-averaged (marginal) models of outcomes that need not be normal; none has random effects.

families            family and link -> statsmodels' family
outcomes            a column -> the numbers that the family models
marginal_design     formula and frame -> outcome, columns, clusters, in a basis that rounding does not hurt
separation          whether an estimate is infinite
clusters            scores of rows -> cluster-robust covariance
glm, gee, ordinal   the three models
ordinal_likelihood  the cumulative model's likelihood with its exact derivatives
marginal_fit        what comes out: a `Fit`
"""

from forethought.analysis.marginal.gee import gee
from forethought.analysis.marginal.glm import glm
from forethought.analysis.marginal.marginal_fit import MarginalFit
from forethought.analysis.marginal.ordinal import ordinal

__all__ = ["MarginalFit", "gee", "glm", "ordinal"]
