"""The exact second derivatives of the deviance by (theta, log sigma^2).

For a fixed residual variance s, with P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1 and V linear in the elements of
the symmetric S_t = Lambda_t Lambda_t' (dV_i = Z E_i Z', see `gram`), the deviance has the second derivatives

    2/s y'P dV_i P dV_j P y - tr(P dV_i P dV_j)    (V^-1 for P in the trace where not REML)

by these elements, from d P = -P dV P. The entries of Lambda follow by the chain rule: S is quadratic in them,
which adds 2 G_ac for two entries (a, b), (c, b) of one column, G being the slope by S.
"""

from collections.abc import Sequence

import numpy as np

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import RandomDesign
from forethought.analysis.lmm.gradient import BlockScores, Scores
from forethought.analysis.lmm.gram import Gram, gram


def curvature(found: Scores) -> Floats:
    """Second derivatives at the scores' theta and its best residual variance, (n_theta + 1, n_theta + 1)."""
    random, variance = found.deviance.random, found.variance
    traces, squares = information(found)
    jacobian = _jacobian(random, [block.Lambda for block in found.blocks])
    size = random.n_theta
    second = np.empty((size + 1, size + 1))
    second[:size, :size] = jacobian.T @ (2 / variance * squares - traces) @ jacobian
    second[:size, :size] += _of_squares(random, found.slopes())
    second[size, :size] = second[:size, size] = found.gradient_by_log_variance(variance)
    second[size, size] = found.deviance.nu
    return second


def information(found: Scores) -> tuple[Floats, Floats]:
    """tr(P dV_i P dV_j), V^-1 for P where not REML, and y'P dV_i P dV_j P y, by pairs of `gram`'s elements."""
    A, reml = gram(found), found.deviance.reml
    turned = [_turned(block, reml=reml) for block in found.blocks]
    between = _inner(A, turned)
    by_fixed = _by_fixed(found.blocks)
    residual = by_fixed[:, -1]
    squares = between[-1] - residual @ residual.T
    if not reml:
        return A.pairs(), squares
    flat = by_fixed[:, :-1].reshape(len(by_fixed), -1)
    return A.pairs() - 2 * between[:-1].sum(axis=0) + flat @ flat.T, squares


def _turned(block: BlockScores, *, reml: bool) -> Floats:
    """E_i [R, q] of each element of the block, (columns, elements, m, k); q alone where not REML."""
    columns = np.concatenate([block.R, block.q[:, :, None]], axis=2) if reml else block.q[:, :, None]
    m, k, c = columns.shape
    swapped = np.zeros((c, k * (k + 1) // 2, m, k))
    pairs = [(a, b) for a in range(k) for b in range(a + 1)]
    for place, (a, b) in enumerate(pairs):
        swapped[:, place, :, a] = columns[:, b].T
        swapped[:, place, :, b] = columns[:, a].T
    return swapped


def _inner(A: Gram, turned: Sequence[Floats]) -> Floats:
    """U_i'A U_j of each column between all elements, (columns, B, B), for U by block (columns, elements, m, k)."""
    parts, (first, *rest) = A.parts, turned
    c, B1, m, k = first.shape
    q2, sizes = len(parts.Q), [each.shape[1] for each in rest]
    H = parts.H.onto(first.reshape(-1, m, k).transpose(1, 2, 0)).T.reshape(c, B1, q2)
    D = (first.transpose(2, 0, 1, 3).reshape(m, -1, k) @ parts.D).reshape(m, c, B1, k).transpose(1, 2, 0, 3)
    U2 = np.zeros((c, sum(sizes), q2))
    starts = np.cumsum([0, *sizes])
    for each, start, rows in zip(rest, starts, parts.rows, strict=False):
        U2[:, start : start + each.shape[1], rows] = each.reshape(c, each.shape[1], -1)
    found = np.empty((c, B1 + U2.shape[1], B1 + U2.shape[1]))
    found[:, :B1, :B1] = first.reshape(c, B1, -1) @ D.reshape(c, B1, -1).transpose(0, 2, 1)
    found[:, :B1, :B1] -= H @ parts.Q @ H.transpose(0, 2, 1)
    found[:, :B1, B1:] = H @ parts.F @ U2.transpose(0, 2, 1)
    found[:, B1:, :B1] = found[:, :B1, B1:].transpose(0, 2, 1)
    found[:, B1:, B1:] = U2 @ parts.rest @ U2.transpose(0, 2, 1)
    return found


def _by_fixed(blocks: Sequence[BlockScores]) -> Floats:
    """R'E_i [R, q] of each element, (B, p + 1, p), the row of q last."""
    rows = list[Floats]()
    for block in blocks:
        k = block.q.shape[1]
        T = np.concatenate([block.R, block.q[:, :, None]], axis=2)
        between = np.array([[T[:, a].T @ block.R[:, b] for b in range(k)] for a in range(k)])
        for a in range(k):
            for b in range(a + 1):
                rows.append((between[a, b] + between[b, a]) / (1 + (a == b)))
    return np.array(rows)


def _jacobian(random: RandomDesign, lambdas: Sequence[Floats]) -> Floats:
    """Derivatives of the elements of all S by theta, (B, n_theta)."""
    starts = np.cumsum([0, *(block.k * (block.k + 1) // 2 for block in random.blocks)])
    jacobian = np.zeros((starts[-1], random.n_theta))
    for block, factor, start in zip(random.blocks, lambdas, starts, strict=False):
        below = np.tril_indices(block.k)
        for piece in block.pieces:
            for place, a, b in zip(range(piece.theta.start, piece.theta.stop), *piece.entries, strict=True):
                slope = np.zeros((block.k, block.k))
                slope[a] = factor[:, b]
                slope[:, a] += factor[:, b]
                jacobian[start : start + len(below[0]), place] = slope[below]
    return jacobian


def _of_squares(random: RandomDesign, slopes: Sequence[Floats]) -> Floats:
    """2 G_ac for each two entries (a, b), (c, b) of theta, (n_theta, n_theta)."""
    found = np.zeros((random.n_theta, random.n_theta))
    for block, G in zip(random.blocks, slopes, strict=True):
        for piece in block.pieces:
            a, b = piece.entries
            found[piece.theta, piece.theta] = 2 * G[np.ix_(a, a)] * (b[:, None] == b)
    return found
