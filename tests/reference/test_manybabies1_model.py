"""ManyBabies 1 (2020, AMPPS 3:24), a registered report: its preregistered mixed model, refitted from its data.

The table is the paper's own, Table 4; the longer numbers are those of lme4 1.1-31 and lmerTest 3.1-3 at a tight
tolerance (tests/reference/lmm: manybabies1.R wrote manybabies1.json).
"""

import json
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import MixedFit, lmer

ROOT = Path(__file__).parents[2]
DATA = ROOT / "../shared/data/manybabies1/03_data_trial_main.csv"

LME4 = json.loads((Path(__file__).parent / "lmm/manybabies1.json").read_text())

FORMULA = (
    "log_lt ~ trial_type * method + trial_type * trial_num + age_mo * trial_num + trial_type * age_mo * nae"
    " + (1 | subid_unique) + (1 | item) + (1 | lab)"
)

# Table 4: estimate, SE, t, p
TABLE = {
    "Intercept": "2.180 .051 43.100 .000",
    "trial_type[T.IDS]": ".099 .036 2.740 .010",
    "method[T.eyetracking]": "-.265 .046 -5.790 .000",
    "method[T.hpp]": "-.052 .051 -1.020 .308",
    "trial_num": "-.038 .002 -25.000 .000",
    "age_mo": "-.035 .004 -7.950 .000",
    "nae[T.True]": "-.016 .049 -.335 .738",
    "trial_type[T.IDS]:method[T.eyetracking]": "-.009 .017 -.548 .584",
    "trial_type[T.IDS]:method[T.hpp]": ".034 .015 2.270 .023",
    "trial_type[T.IDS]:trial_num": "-.003 .002 -1.370 .172",
    "age_mo:trial_num": ".001 .000 3.140 .002",
    "trial_type[T.IDS]:age_mo": ".012 .003 4.300 .000",
    "trial_type[T.IDS]:nae[T.True]": ".039 .013 3.060 .002",
    "age_mo:nae[T.True]": ".001 .006 .198 .843",
    "trial_type[T.IDS]:age_mo:nae[T.True]": ".004 .004 1.050 .292",
}

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="the data of ManyBabies 1 are not at ../shared/data/manybabies1"
)


def trials() -> pd.DataFrame:
    """The rows that the paper's model used, prepared as its analysis script prepares them."""
    rows = pd.read_csv(DATA)
    rows = rows[rows["trial_type"].notna() & (rows["trial_type"] != "train")]
    with np.errstate(divide="ignore"):
        log_lt = np.log(rows["looking_time"])
    rows = rows.assign(
        log_lt=log_lt,
        age_mo=rows["age_mo"] - rows["age_mo"].mean(),
        item=rows["stimulus_num"].astype(str) + rows["trial_type"],
        trial_type=pd.Categorical(rows["trial_type"], ["ADS", "IDS"]),
        method=pd.Categorical(rows["method"], ["singlescreen", "eyetracking", "hpp"]),
    )
    return rows[np.isfinite(rows["log_lt"])]


@cache
def fit() -> MixedFit:
    return lmer(FORMULA, trials())


def estimates() -> pd.DataFrame:
    return fit().coefficients.set_index("term")


def lme4_column(place: int) -> list[float]:
    return [row[place] for row in LME4["table"]]


def as_printed(value: float) -> Decimal:
    """The table's own rule: three significant digits first, then three decimals, a tie to the even digit."""
    return Decimal(f"{value:.2e}").quantize(Decimal("0.001"), ROUND_HALF_EVEN)


def test_the_model_uses_the_rows_infants_items_and_labs_of_the_paper() -> None:
    assert fit().n_obs == 26895
    assert fit().n_groups == {"subid_unique": 2302, "lab": 67, "item": 16}


def test_every_coefficient_has_a_row_in_the_table() -> None:
    assert set(estimates().index) == set(TABLE)


@pytest.mark.parametrize("term", TABLE)
def test_every_published_digit_of_table_4_is_reproduced(term: str) -> None:
    row = estimates().loc[term, ["estimate", "se", "statistic", "p"]]
    assert [as_printed(value) for value in row] == [Decimal(text) for text in TABLE[term].split()]


@pytest.mark.parametrize(
    ("column", "place", "digits"),
    [("estimate", 0, 1e-6), ("se", 1, 1e-6), ("df", 2, 1e-5), ("statistic", 3, 1e-5)],
)
def test_the_column_agrees_with_lme4_and_lmertest(column: str, place: int, digits: float) -> None:
    np.testing.assert_allclose(fit().coefficients[column], lme4_column(place), rtol=digits)


def test_the_p_values_agree_with_lmertest() -> None:
    np.testing.assert_allclose(fit().coefficients["p"], lme4_column(4), rtol=0, atol=1e-6)


def test_the_effect_of_infant_directed_speech_has_28_94_degrees_of_freedom() -> None:
    assert round(estimates().loc["trial_type[T.IDS]", "df"], 2) == 28.94


def test_the_variances_agree_with_lme4() -> None:
    expected = {row["grp"]: row["vcov"] for row in LME4["variances"]}
    found = fit().variance_components.set_index("group")["variance_or_covariance"]
    assert found.to_dict() == pytest.approx(expected, rel=5e-6)


def test_the_restricted_log_likelihood_agrees() -> None:
    assert round(fit().log_likelihood, 2) == -21673.37
    assert fit().criterion == pytest.approx(LME4["criterion"], rel=1e-10)
