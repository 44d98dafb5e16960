"""The covariance parameters as people read them: variances, covariances, standard deviations, correlations."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from forethought.analysis.designs import Floats
from forethought.analysis.lmm.covariance import RandomDesign

COLUMNS = ("group", "term1", "term2", "variance_or_covariance", "sd_or_correlation")

Row = tuple[str, str | None, str | None, float, float]


def variance_components(random: RandomDesign, theta: Floats, sigma: float) -> pd.DataFrame:
    """As lme4's as.data.frame(VarCorr(fit)), the residual last; term2 is missing in a variance's row."""
    rows = [*_rows(random, theta, sigma), ("Residual", None, None, sigma**2, sigma)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(random: RandomDesign, theta: Floats, sigma: float) -> Iterator[Row]:
    """Of each random term first its variances, then its covariances."""
    for piece, covariance in zip(random.pieces, random.covariances(theta, sigma), strict=True):
        sd = np.sqrt(np.diag(covariance))
        for effect, deviation in zip(piece.effects, sd, strict=True):
            yield piece.group, effect, None, float(deviation**2), float(deviation)
        for a, b in zip(*np.triu_indices(len(sd), 1), strict=True):
            product = sd[a] * sd[b]
            correlation = float(covariance[a, b] / product) if product > 0 else float("nan")
            yield piece.group, piece.effects[a], piece.effects[b], float(covariance[a, b]), correlation
