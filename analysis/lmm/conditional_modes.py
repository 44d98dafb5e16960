"""The predicted random effects of each level, and how uncertain they are once theta and beta are known."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.gram import gram
from forethought.analysis.lmm.solution import Solution


def conditional_modes(solution: Solution) -> dict[str, pd.DataFrame]:
    """The predicted random effects (BLUPs) by group: a row for each level, a column for each effect."""
    return _by_group(solution, effects_of_columns(solution))


def conditional_sds(solution: Solution) -> dict[str, pd.DataFrame]:
    """Standard deviations of the random effects given the outcome, in the shape of the conditional modes.

    The root of the diagonal of sigma^2 Lambda (Lambda'Z'Z Lambda + I)^-1 Lambda' = sigma^2 (S - S Z'V^-1 Z S) with
    S = Lambda Lambda', as in lme4's ranef(condVar = TRUE): theta and beta count as known (Bates et al. 2015, 2.2).
    """
    found = []
    blocks = zip(solution.design.random.blocks, solution.scores.blocks, _informed(solution), strict=True)
    for block, at, informed in blocks:
        factor = block.units @ at.Lambda  # S = factor factor' in data units
        left = np.eye(block.k) - at.Lambda.T @ informed @ at.Lambda
        variances = np.einsum("ab,jbc,ac->ja", factor, left, factor)
        found.append(solution.sigma * np.sqrt(np.maximum(variances, 0.0)))  # rounding may fall below zero
    return _by_group(solution, found)


def effects_of_columns(solution: Solution) -> list[Floats]:
    """The predicted effects in data units of each block, (m, k)."""
    blocks = zip(solution.design.random.blocks, solution.scores.blocks, strict=True)
    scale = solution.standard.scale
    return [scale * at.q @ (at.Lambda @ at.Lambda.T) @ block.units.T for block, at in blocks]


def _informed(solution: Solution) -> list[Floats]:
    """The diagonal blocks of Z'V^-1 Z, (m, k, k) for each block."""
    return gram(solution.scores).diagonal()


def _by_group(solution: Solution, values: Iterable[Floats]) -> dict[str, pd.DataFrame]:
    blocks = solution.design.random.blocks
    return {
        block.group: pd.DataFrame(rows, index=block.levels, columns=list(block.effects))
        for block, rows in zip(blocks, values, strict=True)
    }
