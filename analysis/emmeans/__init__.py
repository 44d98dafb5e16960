"""Estimated marginal means and their contrasts, of any fit.

grid               factors and covariates -> the reference grid and its averages
linear_functions   means and contrasts as functions of the coefficients; which are estimable
means_of_fits      emmeans()
marginal_means     what comes out: means, their table and their contrasts
contrast_families  pairwise, against a control, polynomial, own weights
comparisons        contrasts: tests, intervals, equivalence, non-inferiority
adjustments        for how many contrasts there are
studentized_range, multivariate_t, by_direction, lattice, quadrature
                   the distributions that simultaneous inference needs
"""

from forethought.analysis.emmeans.adjustments import Adjustment
from forethought.analysis.emmeans.comparisons import Contrasts
from forethought.analysis.emmeans.contrast_families import FamilyName
from forethought.analysis.emmeans.marginal_means import MarginalMeans
from forethought.analysis.emmeans.means_of_fits import emmeans

__all__ = ["Adjustment", "Contrasts", "FamilyName", "MarginalMeans", "emmeans"]
