"""73,421 ratings of lecturers by students, three crossed factors, against lme4 1.1-31 and lmerTest 3.1-3.

Numbers and script: tests/reference/lmm (insteval.R).
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import MixedFit, lmer

HERE = Path(__file__).parent / "lmm"
REFERENCE: dict[str, Any] = json.loads((HERE / "insteval.json").read_text())
TIGHT = REFERENCE["tight"]
ESTIMATE, SE, DF, STATISTIC, P = range(5)


@cache
def fitted() -> MixedFit:
    return lmer(REFERENCE["formula"], pd.read_csv(HERE / "InstEval.csv.gz", dtype={"service": str}))


def tabled(column: int) -> np.ndarray:
    """A column of lmerTest's table of coefficients."""
    return np.array(REFERENCE["satt"]["tab"])[:, column]


def test_rows_and_levels_of_insteval_are_counted_alike() -> None:
    assert (fitted().n_obs, dict(fitted().n_groups)) == (TIGHT["nobs"], TIGHT["ngrps"])


def test_the_criterion_of_insteval_agrees_to_eight_digits() -> None:
    assert fitted().criterion == pytest.approx(TIGHT["crit"], rel=1e-8)


def test_the_criterion_of_insteval_is_not_above_lme4s() -> None:
    assert fitted().criterion <= TIGHT["crit"] + 1e-6


def test_the_coefficients_of_insteval_agree() -> None:
    np.testing.assert_allclose(fitted().coefficients["estimate"], tabled(ESTIMATE), rtol=1e-5)


def test_the_standard_errors_of_insteval_agree() -> None:
    np.testing.assert_allclose(fitted().coefficients["se"], tabled(SE), rtol=1e-5)


def test_theta_of_insteval_agrees() -> None:
    np.testing.assert_allclose(fitted().theta, TIGHT["theta"], rtol=1e-4)


def test_sigma_of_insteval_agrees() -> None:
    assert fitted().sigma == pytest.approx(TIGHT["sigma"], rel=1e-6)


def test_the_variances_of_insteval_agree_and_stand_in_lme4s_order() -> None:
    components = fitted().variance_components
    assert components["group"].tolist() == [row["grp"] for row in TIGHT["vc"]]
    variances = [row["vcov"] for row in TIGHT["vc"]]
    np.testing.assert_allclose(components["variance_or_covariance"], variances, rtol=1e-4)


def test_satterthwaites_degrees_of_freedom_of_insteval_agree() -> None:
    np.testing.assert_allclose(fitted().coefficients["df"], tabled(DF), rtol=1e-4)


def test_the_t_statistics_of_insteval_agree() -> None:
    np.testing.assert_allclose(fitted().coefficients["statistic"], tabled(STATISTIC), rtol=1e-5)


def test_the_p_values_of_insteval_agree() -> None:
    np.testing.assert_allclose(fitted().coefficients["p"], tabled(P), rtol=1e-3)


def test_the_fit_of_insteval_proves_that_it_has_converged() -> None:
    assert (fitted().converged, fitted().singular, fitted().warnings) == (True, False, ())
