"""Rows that belong together, and the covariance that does not assume them independent."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.analysis.designs import Floats
from forethought.errors import ModelNotFitted


@dataclass(frozen=True, slots=True)
class Clusters:
    """The place of each row's cluster, codes (n,), from 0 to count - 1; name is the column's."""

    name: str
    codes: npt.NDArray[np.int64]
    count: int

    def warnings(self, n_coefficients: int) -> tuple[str, ...]:
        """That a robust covariance of so many coefficients has not full rank."""
        if self.count > n_coefficients:
            return ()
        few = f"{self.count} clusters of `{self.name}` are too few for {n_coefficients} coefficients"
        return (f"{few}: the robust covariance is not of full rank, and no test can be trusted",)

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """The number of rows of each cluster, (count,)."""
        return np.bincount(self.codes, minlength=self.count).astype(np.int64)

    def sums(self, rows: Floats) -> Floats:
        """The rows (n, q) added up in each cluster, (count, q)."""
        return np.column_stack([np.bincount(self.codes, column, self.count) for column in rows.T])


def clusters_of(column: "pd.Series[Any]") -> Clusters:
    """The clusters of a column without missing values. Raises ModelNotFitted where there is only one."""
    codes, values = pd.factorize(column, sort=False)
    if len(values) < 2:
        what = f"there is one cluster of `{column.name}`, {values[0]}"
        raise ModelNotFitted("cluster", what, "Give data of two or more clusters")
    return Clusters(str(column.name), codes.astype(np.int64), len(values))


def cluster_robust(scores: Floats, bread: Floats, clusters: Clusters) -> Floats:
    """The covariance CR1 of q estimates, (q, q): B M B times G/(G-1) (n-1)/(n-q).

    scores: of each row, (n, q); bread: the inverse information, (q, q).
    Source: Liang and Zeger 1986, Biometrika 73:13; the factor as in sandwich::vcovCL's HC1.
    """
    n, q = scores.shape
    within = clusters.sums(scores) @ bread
    factor = clusters.count / (clusters.count - 1) * (n - 1) / (n - q)
    covariance: Floats = factor * within.T @ within
    return covariance
