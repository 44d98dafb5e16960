"""Kenward and Roger's standard errors, df and F against pbkrtest 0.5.2 through lmerTest 3.1-3.

Numbers and scripts: tests/reference/lmm (fit.R, anova.R). `slopes`, `slopes_apart` and `slopes_crossed` have correlated,
uncorrelated and crossed random slopes; `singular` has two variances of zero.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.anova import anova
from forethought.analysis.inference import estimate
from forethought.analysis.lmm import MixedFit, lmer
from forethought.analysis.lmm.kenward_roger import kenward_roger
from forethought.analysis.term_contrasts import TestType

HERE = Path(__file__).parent / "lmm"

TABLES = json.loads((HERE / "anova.json").read_text())
STUDIES = {"small": "small", "study1": "study1", "sleep_slope": "sleepstudy", "sleep_int": "sleepstudy"}
CODED_OTHERWISE = ("factors_sum", "factors_helmert", "empty_cell_sum", "covariate_sum", "one_factor_sum")
MIXED = [name for name, table in TABLES.items() if table.get("kr") and name not in CODED_OTHERWISE]

each_model = pytest.mark.parametrize("name", [*STUDIES, *MIXED])


@cache
def reference(name: str) -> dict[str, Any]:
    if name in TABLES:
        table = TABLES[name]
        return {**{f"anova{test_type}_kr": table[f"kr{test_type}"] for test_type in (1, 2, 3)}, **table}
    study = json.loads((HERE / f"{name}.json").read_text())
    return {**study, "kr": study["kr"]["tab"]}


@cache
def fitted(name: str) -> MixedFit:
    return lmer(reference(name)["formula"], pd.read_csv(HERE / f"{STUDIES.get(name, 'terms')}.csv"))


def coefficients(name: str) -> np.ndarray:
    """SE, df, t and p of each."""
    fit = fitted(name)
    inference = kenward_roger(fit.solution)
    rows = [estimate(weights, fit.beta, inference) for weights in np.eye(len(fit.terms))]
    return np.array([[row.se, row.df, row.statistic, row.p] for row in rows])


def expected(name: str) -> np.ndarray:
    return np.array(reference(name)["kr"], dtype=float).reshape(-1, 5)[:, 1:]


@each_model
def test_the_adjusted_standard_errors_agree(name: str) -> None:
    np.testing.assert_allclose(coefficients(name)[:, 0], expected(name)[:, 0], rtol=1e-5)


@each_model
def test_the_degrees_of_freedom_agree(name: str) -> None:
    np.testing.assert_allclose(coefficients(name)[:, 1], expected(name)[:, 1], rtol=1e-4)


@each_model
def test_the_t_statistics_agree(name: str) -> None:
    np.testing.assert_allclose(coefficients(name)[:, 2], expected(name)[:, 2], rtol=1e-5)


@each_model
def test_the_p_values_agree(name: str) -> None:
    np.testing.assert_allclose(coefficients(name)[:, 3], expected(name)[:, 3], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "test_type"),
    [(name, 3) for name in STUDIES] + [(name, number) for name in MIXED for number in (1, 2, 3)],
)
def test_the_scaled_f_of_each_term_agrees(name: str, test_type: TestType) -> None:
    table = anova(fitted(name), type=test_type, ddf="kenward-roger")
    columns = ("Sum Sq", "NumDF", "DenDF", "F value")
    rows = [row for row in reference(name)[f"anova{test_type}_kr"] if row.get("F value") is not None]
    numbers = np.array([[row[column] for column in columns] for row in rows], dtype=float)
    ours = table[table["num_df"] > 0][["sum_sq", "num_df", "den_df", "F"]].to_numpy(dtype=float)
    np.testing.assert_allclose(ours, numbers.reshape(-1, 4), rtol=1e-5)


def test_f_does_not_depend_on_the_basis_of_the_contrasts() -> None:
    inference, beta = kenward_roger(fitted("small").solution), fitted("small").beta
    L = np.eye(6)[1:3]
    one, other = (inference.test(rows, beta) for rows in (L, np.array([[1.0, 2.0], [3.0, -1.0]]) @ L))
    assert (one.F, one.den_df) == pytest.approx((other.F, other.den_df), rel=1e-10)


def test_contrasts_that_depend_on_others_do_not_count() -> None:
    inference, beta = kenward_roger(fitted("small").solution), fitted("small").beta
    L = np.eye(6)[1:3]
    assert inference.test(np.vstack([L, L.sum(axis=0)]), beta).num_df == 2
