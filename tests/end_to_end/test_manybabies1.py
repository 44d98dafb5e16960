"""ManyBabies 1 through the command line: a registered report of 67 laboratories, from its published data.

The data are not part of this repository; `processed_data/03_data_trial_main.csv` of manybabies/mb1-analysis-public.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data" / "manybabies1" / "03_data_trial_main.csv"

pytestmark = pytest.mark.skipif(
    not DATA.is_file(), reason=f"the data of ManyBabies 1 are not part of this repository, and not at {DATA}"
)

# lme4 1.1-31 and lmerTest 3.1-3 under R 4.2.2, refitted from the same data with the model of the published Table 4
# (tests/reference/lmm/manybabies1.R). Seven decimals, so that half a unit of the last is 5e-8; lme4 itself stops with
# a deviance 4e-8 above the best one, which moves the seventh decimal and at most the sixth.
LME4 = {
    "Intercept": 2.1794932,
    "trial_type[T.IDS]": 0.0985845,
    "method[T.eyetracking]": -0.2651567,
    "method[T.hpp]": -0.0519941,
    "trial_num": -0.0377447,
    "age_mo": -0.0353204,
    "nae[T.TRUE]": -0.0164122,
    "trial_type[T.IDS]:method[T.eyetracking]": -0.0091228,
    "trial_type[T.IDS]:method[T.hpp]": 0.0341055,
    "trial_type[T.IDS]:trial_num": -0.0028990,
    "age_mo:trial_num": 0.0007138,
    "trial_type[T.IDS]:age_mo": 0.0123196,
    "trial_type[T.IDS]:nae[T.TRUE]": 0.0389804,
    "age_mo:nae[T.TRUE]": 0.0011598,
    "trial_type[T.IDS]:age_mo:nae[T.TRUE]": 0.0042871,
}
LME4_SE = {"Intercept": 0.0505832, "trial_type[T.IDS]": 0.0360410}
LME4_VARIANCES = {"participant": 0.0729087, "lab": 0.0347573, "item": 0.0033127, "Residual": 0.2572462}
WITHIN = 1e-6

# ManyBabies Consortium (2020), AMPPS 3:24, Table 4: estimate, SE, t, and p where it is not below .001 (and the first).
TABLE_4 = {
    "Intercept": "2.180 0.051 43.100 0.000",
    "trial_type[T.IDS]": "0.099 0.036 2.740 0.010",
    "method[T.eyetracking]": "-0.265 0.046 -5.790",
    "method[T.hpp]": "-0.052 0.051 -1.020 0.308",
    "trial_num": "-0.038 0.002 -25.000",
    "age_mo": "-0.035 0.004 -7.950",
    "nae[T.TRUE]": "-0.016 0.049 -0.335 0.738",
    "trial_type[T.IDS]:method[T.eyetracking]": "-0.009 0.017 -0.548 0.584",
    "trial_type[T.IDS]:method[T.hpp]": "0.034 0.015 2.270 0.023",
    "trial_type[T.IDS]:trial_num": "-0.003 0.002 -1.370 0.172",
    "age_mo:trial_num": "0.001 0.000 3.140 0.002",
    "trial_type[T.IDS]:age_mo": "0.012 0.003 4.300",
    "trial_type[T.IDS]:nae[T.TRUE]": "0.039 0.013 3.060 0.002",
    "age_mo:nae[T.TRUE]": "0.001 0.006 0.198 0.843",
    "trial_type[T.IDS]:age_mo:nae[T.TRUE]": "0.004 0.004 1.050 0.292",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("babies") / "mb1"


@pytest.fixture(scope="module")
def said(forethought: Callable[..., Any], study: Path) -> Mapping[str, Any]:
    return {
        "init": forethought("init", study, "--from", "manybabies1"),
        "import": forethought("import", study, DATA, "--as", "responses"),
        "analyze": forethought("analyze", study),
        "report": forethought("report", study),
    }


@pytest.fixture(scope="module")
def results(said: Mapping[str, Any], study: Path) -> dict[str, Any]:
    return json.loads((study / "reports" / "results.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def fit(results: dict[str, Any]) -> dict[str, Any]:
    return results["models"][0]["fit"]


def expected(results: dict[str, Any], name: str) -> list[dict[str, Any]]:
    (found,) = [one for one in results["models"][0]["expected"] if one["id"] == name]
    return found["rows"]


def words(page: Path) -> str:
    """What a reader sees of a page, in one line."""
    text = re.sub(r"<style.*?</style>|<[^>]+>", " ", page.read_text("utf-8"), flags=re.DOTALL)
    return " ".join(text.split())


def test_every_step_succeeds(said: Mapping[str, Any]) -> None:
    assert {step: (one.code, one.err) for step, one in said.items()} == dict.fromkeys(said, (0, ""))


def test_every_row_of_the_published_file_is_imported(said: Mapping[str, Any]) -> None:
    assert said["import"].lines == [
        "03_data_trial_main.csv: 37,264 rows of responses, 37,264 new, 0 quarantined."
    ]


def test_an_imported_file_outside_the_inbox_stays_where_it_was(said: Mapping[str, Any]) -> None:
    assert DATA.is_file()


def test_the_model_has_26895_trials(fit: dict[str, Any]) -> None:
    assert fit["n_obs"] == 26_895


def test_the_model_has_2302_infants_in_67_laboratories_and_16_items(fit: dict[str, Any]) -> None:
    assert fit["n_groups"] == {"participant": 2302, "lab": 67, "item": 16}


@pytest.mark.parametrize("term", TABLE_4)
def test_the_protocol_expects_the_published_numbers(results: dict[str, Any], term: str) -> None:
    rows = [row for row in expected(results, "published") if row["term"] == term]
    assert [row["column"] for row in rows] == ["estimate", "se", "statistic", "p"][: len(rows)]
    assert " ".join(row["published"] for row in rows) == TABLE_4[term]


def test_every_published_digit_of_table_4_is_reproduced(results: dict[str, Any]) -> None:
    rows = expected(results, "published")
    assert len(rows) == sum(len(numbers.split()) for numbers in TABLE_4.values())
    assert [row for row in rows if not row["agrees"]] == []


def test_every_digit_that_the_protocol_quotes_from_lme4_is_reproduced(results: dict[str, Any]) -> None:
    rows = [*expected(results, "lme4"), *expected(results, "lmertest")]
    assert [row for row in rows if not row["agrees"]] == []


@pytest.mark.parametrize("term", LME4)
def test_the_estimate_agrees_with_lme4(fit: dict[str, Any], term: str) -> None:
    (row,) = [row for row in fit["coefficients"] if row["term"] == term]
    assert row["estimate"] == pytest.approx(LME4[term], abs=WITHIN)


@pytest.mark.parametrize("term", LME4_SE)
def test_the_standard_error_agrees_with_lme4(fit: dict[str, Any], term: str) -> None:
    (row,) = [row for row in fit["coefficients"] if row["term"] == term]
    assert row["se"] == pytest.approx(LME4_SE[term], abs=WITHIN)


def test_the_model_has_no_other_coefficient(fit: dict[str, Any]) -> None:
    assert {row["term"] for row in fit["coefficients"]} == set(LME4)


def test_the_variances_agree_with_lme4(fit: dict[str, Any]) -> None:
    found = {row["group"]: row["variance_or_covariance"] for row in fit["variance_components"]}
    assert found == pytest.approx(LME4_VARIANCES, abs=WITHIN)


def test_the_preference_has_28_94_degrees_of_freedom(results: dict[str, Any]) -> None:
    """lmerTest 3.1-3, Satterthwaite."""
    (finding,) = [one for one in results["findings"] if one["contrast"] == "ids_preference"]
    assert round(finding["df"], 2) == 28.94


def test_the_finding_counts_infants_and_not_trials(results: dict[str, Any]) -> None:
    assert {finding["n"] for finding in results["findings"]} == {2302}


def test_no_finding_is_called_confirmatory(results: dict[str, Any]) -> None:
    assert {finding["confirmatory"] for finding in results["findings"]} == {False}


def test_the_report_says_that_nobody_was_randomised(said: Mapping[str, Any], study: Path) -> None:
    assert "This study is not randomised" in words(study / "reports" / "report.html")


def test_the_report_shows_the_published_value_beside_ours(said: Mapping[str, Any], study: Path) -> None:
    shown = words(study / "reports" / "report.html")
    assert "2.180 ✓" in shown
    assert "✗" not in shown


def test_randomize_finds_no_gate_to_pass(forethought: Callable[..., Any], study: Path) -> None:
    refused = forethought("randomize", study)
    assert (refused.code, refused.out) == (13, "")
    assert "this study is not randomised" in refused.err
