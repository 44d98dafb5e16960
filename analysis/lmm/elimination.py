"""V^-1 between random effects at one theta, the first block eliminated level by level.

With V1 = I + Z1 S1 Z1' of the first block and E_j = I - W_j W_j'(Z1'Z1)_j, let D = Z1'V1^-1 Z1 = Z1'Z1 E
(block-diagonal), H = Z2'V1^-1 Z1 = Z2'Z1 E, G = Z2'V1^-1 Z2, Q = Lambda2 (I + Lambda2'G Lambda2)^-1 Lambda2'
and F = I - Q G. Then V^-1 = V1^-1 - V1^-1 Z2 Q Z2'V1^-1, and the quadrants of Z'V^-1 Z are

    A11 = D - H'Q H,   A21 = F'H,   A22 = G F.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import RandomDesign
from forethought.analysis.lmm.crossings import Crossings
from forethought.analysis.lmm.deviance import Factors, ProfiledDeviance, blockwise
from forethought.analysis.lmm.triangular import inverse_of_square


@dataclass(frozen=True)
class Elimination:
    """E, D (m, k, k), H (q2, m k), G, Q and F (q2, q2) at one theta; see above."""

    random: RandomDesign
    rows: tuple[slice, ...]  # where each block after the first stands in Z2
    E: Floats
    D: Floats
    H: Crossings
    G: Floats
    Q: Floats
    F: Floats

    @cached_property
    def rest(self) -> Floats:
        """A22, (q2, q2)."""
        return self.G @ self.F

    @cached_property
    def taken(self) -> Floats:
        """The diagonal blocks H_j'Q H_j, (m, k, k)."""
        return self.H.within(self.Q)

    def diagonal(self) -> list[Floats]:
        """The diagonal blocks of Z'V^-1 Z, for each block (m, k, k) level by level."""
        found = [self.D - self.taken]
        for block, rows in zip(self.random.blocks[1:], self.rows, strict=True):
            own = self.rest[rows, rows].reshape(block.m, block.k, block.m, block.k)
            levels = np.arange(block.m)
            found.append(own[levels, :, levels])
        return found


def elimination(deviance: ProfiledDeviance, factors: Factors) -> Elimination:
    """At the theta of the factors."""
    products, W, G = deviance.products, factors.W, factors.Z2Z2
    rest, lambdas = deviance.random.blocks[1:], factors.lambdas[1:]
    if W.shape[1] == 1:
        E = 1 - W**2 * products.Z1Z1
        D = products.Z1Z1 * E
    else:
        E = np.eye(W.shape[1]) - W @ (W.transpose(0, 2, 1) @ products.Z1Z1)
        D = products.Z1Z1 @ E
    Q = blockwise(rest, lambdas, blockwise(rest, lambdas, inverse_of_square(factors.L22)).T)
    F = -Q @ G
    F.flat[:: len(F) + 1] += 1
    return Elimination(deviance.random, products.rows, E, D, products.Z2Z1.times(E), G, Q, F)
