"""Z'V^-1 Z at one theta without ever forming it: what tests, information matrices and curvatures need of it.

Its quadrants A11 = D - H'Q H, A21 = F'H and A22 = G F are those of `elimination`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.elimination import Elimination
from forethought.analysis.lmm.gradient import Scores

Element = tuple[int, int, int]
"""A block and a place (a, b), a >= b, in its effects' covariance."""


@dataclass(frozen=True)
class Gram:
    """A = Z'V^-1 Z, V in units of sigma^2, over all random effects in the standard basis of their blocks."""

    parts: Elimination

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """The order of `pairs` and `traces`: block by block, each lower triangle row by row."""
        sizes = enumerate(block.k for block in self.parts.random.blocks)
        return tuple((place, a, b) for place, k in sizes for a in range(k) for b in range(a + 1))

    @cached_property
    def free(self) -> npt.NDArray[np.bool_]:
        """Which elements the model estimates, (B,): those between effects of one piece."""
        of_effect = [
            [place for place, piece in enumerate(block.pieces) for _ in piece.effects]
            for block in self.parts.random.blocks
        ]
        return np.array([of_effect[block][a] == of_effect[block][b] for block, a, b in self.elements])

    def times(self, U: Sequence[Floats]) -> list[Floats]:
        """A U, for the columns U by block, each (m, k, c), in the same shapes."""
        parts, (first, *others) = self.parts, U
        c = first.shape[2]
        U2 = np.concatenate([part.reshape(-1, c) for part in others]) if others else np.empty((0, c))
        HU, FU = parts.H.onto(first), parts.F @ U2
        top = parts.D @ first + parts.H.back(FU - parts.Q @ HU)
        bottom = parts.F.T @ HU + parts.G @ FU
        return [
            top,
            *(bottom[rows].reshape(part.shape) for rows, part in zip(parts.rows, others, strict=True)),
        ]

    def diagonal(self) -> list[Floats]:
        """The diagonal blocks of A, for each block (m, k, k) level by level."""
        return self.parts.diagonal()

    def traces(self) -> Floats:
        """tr(A E_i) for each element, (B,), where E_i = I x (e_a e_b' + e_b e_a'), halved where a = b."""
        sums = [blocks.sum(axis=0) for blocks in self.diagonal()]
        return np.array([sums[place][a, b] * (1 + (a != b)) for place, a, b in self.elements])

    def pairs(self) -> Floats:
        """tr(A E_i A E_j) for all pairs of elements, (B, B)."""
        elements, blocks = self.elements, range(len(self.parts.random.blocks))
        inner = {(s, t): self._inner(s, t) for s in blocks for t in blocks if s <= t}
        found = np.empty((len(elements), len(elements)))
        for i, (s, a, b) in enumerate(elements):
            for j, (t, c, d) in enumerate(elements[i:], start=i):
                halved = (1 + (a == b)) * (1 + (c == d))
                of_pair = inner[s, t]
                total = of_pair[a, d, b, c] + of_pair[b, d, a, c] + of_pair[a, c, b, d] + of_pair[b, c, a, d]
                found[i, j] = found[j, i] = total / halved
        return found

    def _inner(self, s: int, t: int) -> Floats:
        """Sums over levels j of block s and l of block t of A[ja, lc] A[jb, ld], as [a, c, b, d]."""
        if s == t == 0:
            return self._within_first()
        k, size = self.parts.random.blocks[t].k, self.parts.random.blocks[t].m
        if s == 0:
            return self._first_with(t, k)
        rows, columns = self.parts.rows[s - 1], self.parts.rows[t - 1]
        block = self.parts.random.blocks[s]
        own = self.parts.rest[rows, columns].reshape(block.m, block.k, size, k)
        flat = own.transpose(1, 3, 0, 2).reshape(block.k * k, -1)
        return (flat @ flat.T).reshape(block.k, k, block.k, k)

    def _first_with(self, t: int, k: int) -> Floats:
        """A12 = H'F, so that the sums are those of F times H_a H_b' F."""
        own = self.parts.random.blocks[0].k
        F = np.ascontiguousarray(self.parts.F[:, self.parts.rows[t - 1]])
        found = np.empty((own, k, own, k))
        for a, b in product(range(own), repeat=2):
            with_F = self._crossed[a][b] @ F
            found[a, :, b, :] = F.reshape(-1, k).T @ with_F.reshape(-1, k)
        return found

    def _within_first(self) -> Floats:
        """A11 = D - H'Q H: the squares of D, its products with the diagonal of H'Q H, and those of the rest."""
        D, taken, k = self.parts.D, self.parts.taken, self.parts.D.shape[1]
        flat, of_taken = D.reshape(len(D), -1), taken.reshape(len(D), -1)
        between = flat.T @ of_taken
        found = (flat.T @ flat - between - between.T).reshape(k, k, k, k)
        if not len(self.parts.Q):
            return found
        with_Q = [[self._crossed[a][b] @ self.parts.Q for b in range(k)] for a in range(k)]
        for a, c, b, d in product(range(k), repeat=4):
            found[a, c, b, d] += np.vdot(with_Q[b][a].T, with_Q[c][d])
        return found

    @cached_property
    def _crossed(self) -> list[list[Floats]]:
        """H_a H_b' for all pairs of the first block's effects, each (q2, q2)."""
        places = range(self.parts.D.shape[1])
        return [[self.parts.H.between(a, b) for b in places] for a in places]


def gram(scores: Scores) -> Gram:
    """The matrix at the scores' theta."""
    return Gram(scores.elimination)
