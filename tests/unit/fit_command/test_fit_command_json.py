"""What `fit --json` holds: the keys of the contract, and those of what was asked for."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forethought.analysis.emmeans import emmeans
from forethought.analysis.lmm import lmer

Fit = Callable[..., Any]

ALWAYS = """
    format formula n_obs n_dropped n_groups criterion log_likelihood reml theta sigma variance_components coefficients
    ddf_method estimand converged singular warnings aic bic r_squared icc
"""
MEANS = "--emmeans arm --by tnum --at tnum=0,1"
ASKED = {
    "--anova 2": "anova_type anova",
    "--intervals wald": "intervals_method intervals",
    MEANS: "means means_notes",
    f"{MEANS} --contrasts pairwise": "means means_notes contrasts_adjust contrasts contrasts_notes",
}


def test_the_keys_of_what_was_not_asked_for_are_absent(fit: Fit) -> None:
    assert list(fit("--json").json) == ALWAYS.split()


@pytest.mark.parametrize("options", ASKED)
def test_what_was_asked_for_has_its_keys(fit: Fit, options: str) -> None:
    assert list(fit("--json", *options.split()).json) == [*ALWAYS.split(), *ASKED[options].split()]


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        ("anova", "term sum_sq mean_sq num_df den_df F p"),
        ("intervals", "parameter estimate ci_low ci_high"),
        ("means", "arm tnum estimate se df ci_low ci_high"),
        ("contrasts", "contrast tnum estimate se df statistic p ci_low ci_high"),
    ],
)
def test_records_have_the_columns_of_their_tables(fit: Fit, part: str, keys: str) -> None:
    options = f"--anova 3 --intervals wald {MEANS} --contrasts pairwise"
    assert {tuple(row) for row in fit("--json", *options.split()).json[part]} == {tuple(keys.split())}


def test_a_mixed_models_estimand_is_conditional(fit: Fit) -> None:
    assert fit("--json").json["estimand"] == "conditional"


def test_infinite_degrees_of_freedom_are_null(fit: Fit) -> None:
    value = fit("--json", "--ddf", "normal", "--anova", "3", "--emmeans", "arm").json
    assert {row["df"] for row in value["coefficients"] + value["means"]} == {None}
    assert {row["den_df"] for row in value["anova"]} == {None}


def test_degrees_of_freedom_of_a_numerator_are_whole(fit: Fit) -> None:
    found = [row["num_df"] for row in fit("--json", "--anova", "1").json["anova"]]
    assert [(value, type(value)) for value in found] == [(2, int), (1, int)]


@pytest.mark.parametrize("options", [["--emmeans", "arm,tnum"], ["--emmeans", "arm", "--emmeans", "tnum"]])
def test_variables_with_a_comma_and_repeated_options_are_the_same(fit: Fit, options: list[str]) -> None:
    value = fit("--json", *options, "--at", "tnum=0,2").json
    assert [(row["arm"], row["tnum"]) for row in value["means"]] == [
        ("A_control", 0),
        ("B_warm", 0),
        ("C_firm", 0),
        ("A_control", 2),
        ("B_warm", 2),
        ("C_firm", 2),
    ]


def test_a_reference_comes_first_everywhere(fit: Fit) -> None:
    options = "--reference arm=C_firm --emmeans arm --contrasts trt.vs.ctrl"
    value = fit("--json", *options.split()).json
    assert [row["term"] for row in value["coefficients"]] == [
        "Intercept",
        "arm[T.A_control]",
        "arm[T.B_warm]",
        "tnum",
    ]
    assert [row["arm"] for row in value["means"]] == ["C_firm", "A_control", "B_warm"]
    assert [row["contrast"] for row in value["contrasts"]] == ["A_control - C_firm", "B_warm - C_firm"]


@pytest.mark.parametrize("spelled", ["sum", "Sum", "contr.sum"])
def test_a_coding_is_what_the_formula_would_say(fit: Fit, spelled: str) -> None:
    by_option = fit("--json", "--coding", f"arm={spelled}").json["coefficients"]
    by_formula = fit("--json", formula="y ~ C(arm, Sum) + tnum + (1 | pid)").json["coefficients"]
    assert [row["estimate"] for row in by_option] == [row["estimate"] for row in by_formula]


def test_a_level_that_is_a_number_may_be_given_in_any_spelling(fit: Fit) -> None:
    options = ("--json", "--emmeans", "conv", "--at")
    formula = "y ~ C(conv) + (1 | pid)"
    found = [fit(*options, f"conv={text}", formula=formula).json["means"] for text in ("1", "1.0")]
    assert found[0] == found[1]
    assert [row["conv"] for row in found[0]] == [1]


def test_profile_intervals_have_the_standard_deviations_too(fit: Fit) -> None:
    value = fit("--json", "--intervals", "profile").json
    assert value["intervals_method"] == "profile"
    assert [row["parameter"] for row in value["intervals"]][:2] == ["sd(Intercept|pid)", "sigma"]


def test_the_adjustment_in_effect_is_named(fit: Fit) -> None:
    options = "--emmeans arm --contrasts trt.vs.ctrl --adjust tukey"
    value = fit("--json", *options.split()).json
    assert value["contrasts_adjust"] == "sidak"
    assert any("sidak stands in for tukey" in note for note in value["contrasts_notes"])


def test_the_command_says_what_python_says(fit: Fit) -> None:
    options = f"--ddf kenward-roger {MEANS} --contrasts consec"
    value = fit("--json", *options.split(), formula="y ~ arm * tnum + (1 | pid)").json
    data = pd.read_csv(Path(__file__).parents[2] / "reference/lmm/small.csv")
    own = lmer("y ~ arm * tnum + (1 | pid)", data, ddf="kenward-roger")
    expected = emmeans(own, "arm", by="tnum", at={"tnum": [0, 1]}).contrasts("consec").table
    assert pd.DataFrame(value["contrasts"])["p"].tolist() == expected["p"].tolist()


def test_numbers_that_are_not_finite_are_null(fit: Fit, file: Fit) -> None:
    cells = [(a, b) for a in "xyz" for b in "uv" if (a, b) != ("z", "v")]
    rows = [f"{row % 7 + row / 10},{','.join(cells[row % 5])},{row % 6}" for row in range(60)]
    data = file("\n".join(["y,a,b,g", *rows]))
    told = fit("--json", "--emmeans", "a,b", data=data, formula="y ~ a * b + (1 | g)")
    holes = [row for row in told.json["means"] if row["estimate"] is None]
    assert [(row["a"], row["b"], row["se"]) for row in holes] == [("z", "v", None)]


def test_rows_left_out_are_counted(fit: Fit, file: Fit) -> None:
    rows = [f"{row % 7 + row / 10},{'NA' if row % 9 == 0 else row % 4},{row % 5}" for row in range(36)]
    value = fit("--json", data=file("\n".join(["y,x,g", *rows])), formula="y ~ x + (1 | g)").json
    assert (value["n_obs"], value["n_dropped"]) == (32, 4)
    assert math.isfinite(value["aic"])
