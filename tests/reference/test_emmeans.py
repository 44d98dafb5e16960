"""Marginal means and contrasts against emmeans 1.8.4-1. Numbers and scripts: tests/reference/lmm/emmeans.R, emmeans_models.R."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.emmeans import Contrasts, MarginalMeans, emmeans
from forethought.analysis.fits import Fit
from forethought.analysis.glmm import glmer
from forethought.analysis.lmm import lmer
from forethought.analysis.marginal import gee, glm, ordinal
from forethought.analysis.ols import ols

HERE = Path(__file__).parent / "lmm"
EXPECTED = json.loads((HERE / "emmeans.json").read_text())
MODELS = json.loads((HERE / "emmeans_models.json").read_text())
STUDIES = {name: json.loads((HERE / f"{name}.json").read_text()) for name in ("small", "study1")}

COLUMNS = {
    "estimate": ("estimate", "emmean"),
    "se": ("SE",),
    "df": ("df",),
    "statistic": ("t.ratio", "z.ratio"),
    "p": ("p.value",),
    "ci_low": ("lower.CL", "asymp.LCL"),
    "ci_high": ("upper.CL", "asymp.UCL"),
}
"""Ours and R's."""

TOLERANCE = {"df": 1e-4, "p": 0.0}
"""Relative, of columns for which it is not 1e-5; p is compared to 1e-6 absolute."""

CUSTOM = {"ends": [-1, 0, 0, 0, 1], "first": [1, -0.25, -0.25, -0.25, -0.25]}
TOTALS = {"mean": [1, 0, 0, 0, 0], "sum": [1, 1, 0, 0, 0]}


@cache
def data() -> pd.DataFrame:
    """The rows of emmeans.csv with what emmeans_models.R derives from them."""
    rows = pd.read_csv(HERE / "emmeans.csv")
    place = np.arange(1, len(rows) + 1)
    steps = pd.cut(
        rows["y"], [-np.inf, 1, 2.5, 4, np.inf], labels=["one", "two", "three", "four"], ordered=True
    )
    return rows.assign(
        yes=(rows["y"] > 2).astype(int),
        flag=rows["z"] > 1,
        two=(rows["z"] > 1).astype(int),
        year=pd.Categorical(rows["b"].map({"low": 2001, "mid": 2002, "top": 2003})),
        step=steps,
        five=[f"t{number}" for number in place * 7 % 6],
        counts=np.round(np.exp(rows["y"] / 3)),
        log_w=np.log(rows["w"]),
    )


def complete() -> pd.DataFrame:
    return data()[~data()["has_hole"]]


@cache
def least_squares(formula: str, *, hole: bool = False) -> Fit:
    return ols(formula, complete() if hole else data())


@cache
def mixed(formula: str, **options: Any) -> Fit:
    return lmer(formula, data(), **options)


@cache
def study(name: str) -> Fit:
    return lmer("y ~ arm*time + (1|pid) + (1|scenario)", pd.read_csv(HERE / f"{name}.csv"))


def additive(**options: Any) -> MarginalMeans:
    return emmeans(least_squares("y ~ a + b + x + log(z)"), "a", **options)


def covaried(**options: Any) -> MarginalMeans:
    return emmeans(mixed("y ~ a * x + b + (1 | g)"), "a", **options)


def with_hole(specs: str, **options: Any) -> MarginalMeans:
    return emmeans(least_squares("y ~ a * b + x", hole=True), specs, **options)


def three_by() -> MarginalMeans:
    return emmeans(least_squares("y ~ a + b * five"), "five", by="b")


def compared(found: pd.DataFrame, expected: list[dict[str, Any]]) -> None:
    """Every number that both have, row by row; NaN where emmeans has NA."""
    assert len(found) == len(expected)
    both = [
        (ours, name) for ours in COLUMNS if ours in found for name in COLUMNS[ours] if name in expected[0]
    ]
    shared = dict(reversed(both))  # of two names the first
    assert "estimate" in shared or "F" in shared
    for ours, name in shared.items():
        wanted = np.array([_number(row[name]) for row in expected])
        rtol, atol = TOLERANCE.get(ours, 1e-5), 1e-6 if ours == "p" else 1e-9
        np.testing.assert_allclose(found[ours], wanted, rtol=rtol, atol=atol, err_msg=ours)


def _number(value: object) -> float:
    return {"NA": np.nan, "Inf": np.inf, "-Inf": -np.inf}.get(value, value)  # type: ignore[arg-type, return-value, call-overload]


LEAST_SQUARES: dict[str, Callable[[], MarginalMeans | Contrasts]] = {
    "emm": additive,
    "proportional": lambda: additive(weights="proportional"),
    "at": lambda: additive(at={"x": 2.5, "b": ["mid", "top"]}),
    "covariate": lambda: emmeans(least_squares("y ~ a + b + x + log(z)"), "x", at={"x": [-1, 0, 2]}),
    "covariate_pairs": lambda: emmeans(
        least_squares("y ~ a + b + x + log(z)"), "x", at={"x": [-1, 0, 2]}
    ).contrasts(),
    "poly": lambda: additive().contrasts("poly"),
    "eff": lambda: additive().contrasts("eff"),
    "custom": lambda: additive().contrasts(CUSTOM),
    "reference": lambda: additive().contrasts("trt.vs.ctrl", reference="a3", adjust="none"),
    "revpairwise": lambda: additive().contrasts("revpairwise"),
    "not_pairs": lambda: additive().contrasts("consec", adjust="tukey"),
}


@pytest.mark.parametrize("name", LEAST_SQUARES)
def test_means_and_contrasts_of_least_squares_agree(name: str) -> None:
    compared(LEAST_SQUARES[name]().table, EXPECTED["additive"][name])


ADJUSTMENTS = [
    "none", "tukey", "sidak", "bonferroni", "holm", "hochberg", "hommel", "BH", "BY", "scheffe",
]  # fmt: skip


@pytest.mark.parametrize("adjust", ADJUSTMENTS)
def test_adjusted_p_values_and_intervals_agree(adjust: Any) -> None:
    compared(additive().contrasts(adjust=adjust).table, EXPECTED["additive"][f"pairs_{adjust}"])


MIXED: dict[str, Callable[[], MarginalMeans | Contrasts]] = {
    "at_mean": covaried,
    "at_zero": lambda: covaried(at={"x": [0]}),
    "by_x": lambda: covaried(by="x", at={"x": [-1, 2]}),
    "pairs_by_x": lambda: covaried(by="x", at={"x": [-1, 2]}).contrasts(),
    "scheffe": lambda: covaried().contrasts("trt.vs.ctrl", adjust="scheffe"),
}


@pytest.mark.parametrize("name", MIXED)
def test_a_factor_with_a_covariate_of_a_mixed_model_agrees(name: str) -> None:
    compared(MIXED[name]().table, EXPECTED["mixed"][name])


HOLES: dict[str, Callable[[], MarginalMeans | Contrasts]] = {
    "a": lambda: with_hole("a"),
    "b": lambda: with_hole("b"),
    "ab": lambda: with_hole("a", by="b"),
    "pairs_a": lambda: with_hole("a").contrasts(adjust="sidak"),
    "pairs_ab": lambda: with_hole("a", by="b").contrasts(adjust="holm"),
    "proportional": lambda: with_hole("a", weights="proportional"),
}


@pytest.mark.parametrize("name", HOLES)
def test_means_over_an_empty_cell_are_not_estimable_as_in_emmeans(name: str) -> None:
    compared(HOLES[name]().table, EXPECTED["hole"][name])


def test_prior_weights_agree_and_do_not_count_as_rows() -> None:
    fit = mixed("y ~ a + b + (1 | g)", weights="w")
    compared(emmeans(fit, "a").table, EXPECTED["weighted"]["emm"])
    proportional = emmeans(fit, "a", weights="proportional")
    compared(proportional.table, EXPECTED["weighted"]["proportional"])


def test_offsets_count_at_their_mean() -> None:
    fit = least_squares("y ~ a + b + offset(o)")
    compared(emmeans(fit, "a").table, EXPECTED["offset"]["emm"])
    compared(emmeans(fit, "a").contrasts().table, EXPECTED["offset"]["pairs"])
    compared(emmeans(fit, "a").contrasts(TOTALS).table, MODELS["offset"]["custom"])
    compared(emmeans(mixed("y ~ a + b + (1 | g) + offset(o)"), "b").table, EXPECTED["mixed_offset"])


FITS: dict[str, Callable[[], MarginalMeans]] = {
    "logit": lambda: emmeans(glm("yes ~ a + b + x", data(), family="binomial"), "a"),
    "poisson": lambda: emmeans(glm("counts ~ a + b + offset(log_w)", data(), family="poisson"), "a"),
    "ordinal": lambda: emmeans(ordinal("step ~ a + b + x", data()), "a"),
    "gee": lambda: emmeans(
        gee("yes ~ a + b + x", data().sort_values("g"), cluster="g", covariance="independence"), "a"
    ),
    "kenward_roger": lambda: covaried(ddf="kenward-roger"),
    "asymptotic": lambda: covaried(ddf="normal"),
    "sum_coded": lambda: emmeans(
        least_squares("y ~ C(a, contr.sum) * C(b, contr.helmert) + x"),
        "a",
    ),
    "two_as_covariate": lambda: emmeans(least_squares("y ~ a * two + b"), "a"),
    "two_as_levels": lambda: emmeans(least_squares("y ~ a * two + b"), "a", at={"two": [0, 1]}),
    "poly": lambda: emmeans(least_squares("y ~ a + poly(x, 2) * b"), "a"),
    "log": lambda: emmeans(least_squares("y ~ a * log(z) + sqrt(w)"), "a"),
    "log_outcome": lambda: emmeans(least_squares("log(y + 10) ~ a + x"), "a"),
}


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("what", ["emm", "control", "pairs"])
def test_means_and_contrasts_of_every_kind_of_fit_agree(name: str, what: str) -> None:
    means = FITS[name]()
    shown: MarginalMeans | Contrasts = means
    if what != "emm":
        shown = means.contrasts("trt.vs.ctrl", adjust="none") if what == "control" else means.contrasts()
    compared(shown.table, MODELS[name][what])


@pytest.mark.parametrize("name", ["logit", "ordinal", "two_as_levels", "poly", "log"])
def test_joint_tests_agree_to_the_digits_that_emmeans_prints(name: str) -> None:
    """emmeans rounds F and df; its denominator for a mixed model is another, see `Contrasts.joint`."""
    expected, found = MODELS[name]["joint"][0], FITS[name]().joint().iloc[0]
    assert found["num_df"] == expected["df1"]
    assert found["F"] == pytest.approx(expected["F.ratio"], abs=6e-4)
    assert found["den_df"] == pytest.approx(_number(expected["df2"]), abs=6e-3)
    assert found["p"] == pytest.approx(expected["p.value"], abs=1e-6)


def test_means_of_a_generalised_mixed_model_agree() -> None:
    """As near as glmer's own optimum is: 1e-3 in estimates, 1e-2 in standard errors."""
    means, expected = (
        emmeans(glmer("yes ~ a + b + x + (1 | g)", data(), family="binomial"), "a"),
        MODELS["glmer"],
    )
    for shown, rows in ((means, expected["emm"]), (means.contrasts(), expected["pairs"])):
        estimates = [row.get("emmean", row.get("estimate")) for row in rows]
        np.testing.assert_allclose(shown.table["estimate"], estimates, rtol=1e-3)
        np.testing.assert_allclose(shown.table["se"], [row["SE"] for row in rows], rtol=1e-2)


BY: dict[str, Callable[[], MarginalMeans | Contrasts]] = {
    "emm": three_by,
    "poly": lambda: three_by().contrasts("poly"),
    "consec": lambda: three_by().contrasts("consec", adjust="holm"),
    "pairs": lambda: three_by().contrasts(),
    "eff": lambda: three_by().contrasts("eff"),
    "reversed": lambda: three_by().contrasts("revpairwise", adjust="hommel"),
    "interaction": lambda: emmeans(least_squares("y ~ a + b * five"), ["five", "b"]).contrasts(
        interaction=["poly", "eff"]
    ),
    "across": lambda: emmeans(least_squares("y ~ a + b * five"), "b", by="five").contrasts(
        by=None, adjust="BH"
    ),
}


@pytest.mark.parametrize("name", BY)
def test_contrasts_within_three_levels_agree(name: str) -> None:
    compared(BY[name]().table, MODELS["three_by"][name])


def test_many_empty_cells_are_named_as_emmeans_names_them() -> None:
    rows = data()[~data()["five"].isin(["t4", "t5"])]
    means = emmeans(ols("y ~ a * b * five", rows), "b", by="five")
    compared(means.table, MODELS["rank"]["emm"])
    compared(means.contrasts(adjust="bonferroni").table, MODELS["rank"]["pairs"])


def test_truth_values_are_levels() -> None:
    fit, expected = least_squares("y ~ a * flag"), MODELS["boolean"]
    compared(emmeans(fit, "flag").table, expected["flag"])
    compared(emmeans(fit, "flag").contrasts().table, expected["pairs"])
    compared(emmeans(fit, "a", by="flag").table, expected["by"])
    compared(emmeans(fit, "a", by="flag").contrasts().table, expected["pairs_by"])


def test_levels_that_are_numbers_are_named_by_their_variable() -> None:
    found = emmeans(least_squares("y ~ year + x"), "year").contrasts().table
    assert found["contrast"].tolist() == [row["contrast"] for row in MODELS["year"]["pairs"]]
    compared(found, MODELS["year"]["pairs"])


@pytest.mark.parametrize("adjust", ["none", "sidak", "holm", "bonferroni", "tukey"])
def test_equivalence_agrees(adjust: Any) -> None:
    expected = EXPECTED["additive"][f"equivalence_{adjust}"]
    compared(additive().contrasts(adjust=adjust).equivalence(1.2), expected)


def test_equivalence_takes_sidak_for_scheffe_as_emmeans_does() -> None:
    compared(additive().contrasts(adjust="scheffe").equivalence(1.2), MODELS["equivalence_scheffe"])


@pytest.mark.parametrize("adjust", ["none", "sidak", "holm", "bonferroni"])
def test_non_inferiority_agrees_in_both_directions(adjust: Any) -> None:
    pairs, expected = additive().contrasts(adjust=adjust), EXPECTED["additive"]
    compared(pairs.non_inferiority(0.8), expected[f"noninferiority_{adjust}"])
    compared(pairs.non_inferiority(0.8, higher_is_better=False), expected[f"nonsuperiority_{adjust}"])


def test_a_test_against_another_null_agrees() -> None:
    compared(additive().contrasts(TOTALS).test(0.5), MODELS["against"])


def test_intervals_of_another_level_agree() -> None:
    compared(additive().contrasts(level=0.9).table, MODELS["level"])


def test_joint_tests_within_each_level_agree() -> None:
    found, expected = three_by().contrasts().joint(), MODELS["three_by"]["joint"]
    assert found["b"].tolist() == [row["b"] for row in expected]
    np.testing.assert_allclose(found["F"], [row["F.ratio"] for row in expected], atol=6e-4)
    np.testing.assert_allclose(found["p"], [row["p.value"] for row in expected], atol=1e-6)


@pytest.mark.parametrize("name", STUDIES)
def test_means_of_crossed_studies_agree(name: str) -> None:
    compared(emmeans(study(name), "arm", by="time").table, STUDIES[name]["emm"])


@pytest.mark.parametrize("name", [name for name, found in STUDIES.items() if "emm_kr" in found])
def test_means_by_kenward_and_roger_agree(name: str) -> None:
    means = emmeans(study(name), "arm", by="time", ddf="kenward-roger")
    compared(means.table, STUDIES[name]["emm_kr"])


@pytest.mark.parametrize("name", STUDIES)
@pytest.mark.parametrize("adjust", ["none", "tukey", "holm", "bonferroni", "sidak", "scheffe", "BH"])
def test_contrasts_of_crossed_studies_agree(name: str, adjust: Any) -> None:
    contrasts = emmeans(study(name), "arm", by="time").contrasts(adjust=adjust)
    compared(contrasts.table, STUDIES[name][f"pairs_{adjust}"])


@pytest.mark.parametrize("name", STUDIES)
def test_interaction_contrasts_of_crossed_studies_agree(name: str) -> None:
    means = emmeans(study(name), ["arm", "time"])
    contrasts = means.contrasts(interaction=["trt.vs.ctrl", "revpairwise"])
    compared(contrasts.table, STUDIES[name]["interaction"])


@pytest.mark.parametrize(("key", "ddf"), [("anova3", "satterthwaite"), ("anova3_kr", "kenward-roger")])
def test_the_joint_test_of_means_is_lmertests_of_the_term(key: str, ddf: Any) -> None:
    expected = STUDIES["small"][key][0]
    found = emmeans(study("small"), "arm", ddf=ddf).joint().iloc[0]
    assert found["F"] == pytest.approx(expected["F value"], rel=1e-5)
    assert found["den_df"] == pytest.approx(expected["DenDF"], rel=1e-4)
