"""Marginal means and contrasts where something is missing, odd or wrong."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.emmeans import emmeans
from forethought.analysis.glmm import glmer
from forethought.analysis.lmm import lmer
from forethought.analysis.marginal import glm, ordinal
from forethought.analysis.ols import ols
from forethought.errors import ModelNotFitted


def rows(n: int = 120) -> pd.DataFrame:
    chance = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "arm": chance.choice(["A control", "B-warm", "C"], n),
            "time": chance.choice(["post", "pre"], n),
            "dose": pd.Categorical(chance.choice([1, 2, 10], n)),
            "flag": chance.random(n) > 0.5,
            "x": chance.normal(1, 2, n),
            "person": chance.integers(0, 12, n),
        }
    )
    effect = frame["arm"].map({"A control": 0.0, "B-warm": 0.8, "C": 0.3})
    y = effect + 0.2 * frame["x"] + chance.normal(size=n) + chance.normal(size=12)[frame["person"]]
    return frame.assign(y=y, yes=(y > 0.5).astype(int), level=np.clip(np.round(y), -1, 2))


DATA = rows()
FIT = ols("y ~ arm * time + x", DATA)


def test_a_model_without_predictors_has_no_means_to_ask_for() -> None:
    only_mean = ols("y ~ 1", DATA)
    refused("the fixed effects have no variable. Add one to the formula", lambda: emmeans(only_mean, "arm"))


def refused(match: str, question: Any) -> None:
    with pytest.raises(ModelNotFitted, match=match):
        question()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"specs": "nothing"}, "no variable nothing"),
        ({"specs": []}, "no variable is named"),
        ({"specs": "arm", "by": "arm"}, "named twice"),
        ({"specs": ["arm", "arm"]}, "named twice"),
        ({"specs": "arm", "by": "person"}, "no variable person"),
        ({"specs": "arm", "at": {"place": [1]}}, "no variable place"),
        ({"specs": "arm", "at": {"time": ["later"]}}, "no level later"),
        ({"specs": "arm", "at": {"time": []}}, "no value of `time`"),
        ({"specs": "arm", "at": {"x": ["much"]}}, "`x` is a number"),
        ({"specs": "arm", "at": {"x": [math.nan]}}, "missing or infinite"),
        ({"specs": "arm", "at": {"x": math.inf}}, "missing or infinite"),
        ({"specs": "arm", "weights": "cells"}, "no weights cells"),
        ({"specs": "arm", "ddf": "kenward-roger"}, "residual degrees of freedom"),
        ({"specs": "arm", "level": 1.0}, "the level is 1.0"),
        ({"specs": "arm", "level": 95}, "the level is 95"),
        ({"specs": "x", "at": {"x": np.arange(3e6)}}, "combinations of values"),
    ],
)
def test_means_that_cannot_be_made_are_refused_by_name(options: dict[str, Any], match: str) -> None:
    refused(match, lambda: emmeans(FIT, **options))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "tukey"}, "no family of contrasts tukey"),
        ({"adjust": "fdr"}, "no adjustment fdr"),
        ({"by": ["arm", "time"]}, "no variable is left"),
        ({"by": "x"}, "`by` names x"),
        ({"by": ["time", "time"]}, "`by` names time, time"),
        ({"reference": "C"}, "pairwise has no reference"),
        ({"method": "trt.vs.ctrl", "reference": "D"}, "no mean of D"),
        ({"method": {}}, "no contrast is given"),
        ({"method": {"a": [1, -1]}}, "2 weights for 3 means"),
        ({"method": {"a": [0, 0, 0]}}, "all zero"),
        ({"method": {"a": [1, -1, math.nan]}}, "not finite"),
        ({"interaction": ["pairwise", "pairwise"]}, "a method for each of arm"),
        ({"interaction": ["pairwise"], "reference": "C"}, "no one reference"),
        ({"level": 0}, "the level is 0"),
    ],
)
def test_contrasts_that_cannot_be_made_are_refused_by_name(options: dict[str, Any], match: str) -> None:
    refused(match, lambda: emmeans(FIT, "arm", by="time").contrasts(**options))


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
def test_a_margin_that_is_no_positive_number_is_refused(margin: float) -> None:
    contrasts = emmeans(FIT, "arm").contrasts()
    refused("margin", lambda: contrasts.equivalence(margin))
    refused("margin", lambda: contrasts.non_inferiority(margin))


def test_a_null_or_side_that_does_not_exist_is_refused() -> None:
    contrasts: Any = emmeans(FIT, "arm").contrasts()
    refused("null", lambda: contrasts.test(math.nan))
    refused("no side up", lambda: contrasts.test(side="up"))
    refused("the level is 1.5", lambda: contrasts.equivalence(1.0, level=1.5))


@pytest.mark.parametrize("name", ["estimate", "p", "contrast", "df"])
def test_a_variable_with_the_name_of_a_column_is_refused_where_it_would_be_shown(name: str) -> None:
    fit = ols(f"y ~ {name} + time", DATA.rename(columns={"arm": name}))
    refused("name of a column", lambda: emmeans(fit, name))
    assert len(emmeans(fit, "time").table) == 2


def test_one_mean_has_nothing_to_be_compared_with() -> None:
    refused("there is one mean", emmeans(FIT, "x").contrasts)
    refused("there is one mean", emmeans(FIT, "arm", at={"arm": ["C"]}).joint)


def test_one_mean_can_be_tested_by_itself() -> None:
    found = emmeans(FIT, "x").contrasts({"mean": [1]}).table
    assert found["estimate"].iloc[0] == pytest.approx(emmeans(FIT, "x").table["estimate"].iloc[0])


def test_one_level_of_by_is_a_family_of_its_own() -> None:
    one = emmeans(FIT, "arm", by="time", at={"time": "pre"}).contrasts().table
    both = emmeans(FIT, "arm", by="time").contrasts().table
    pd.testing.assert_frame_equal(one, both[both["time"] == "pre"].reset_index(drop=True))


def test_a_family_of_one_contrast_is_not_adjusted() -> None:
    contrasts = emmeans(FIT, "time").contrasts(adjust="bonferroni")
    assert contrasts.adjust == "none"
    assert contrasts.family_size == 1


def test_a_family_counts_means_by_tukey_and_contrasts_by_others() -> None:
    means = emmeans(FIT, "arm", by="time")
    assert (means.contrasts().family_size, means.contrasts(by=None).family_size) == (3, 6)
    assert means.contrasts(by=None, adjust="holm").family_size == 15


def test_levels_with_spaces_and_signs_are_told_apart_in_names() -> None:
    found = emmeans(FIT, "arm").contrasts().table["contrast"].tolist()
    assert found == ["A control - (B-warm)", "A control - C", "(B-warm) - C"]


def test_the_order_of_the_names_is_the_order_of_the_columns_and_the_first_varies_fastest() -> None:
    found = emmeans(FIT, ["time", "arm"]).table
    assert found.columns[:2].tolist() == ["time", "arm"]
    assert found["time"].tolist()[:2] == ["post", "pre"]
    other = emmeans(FIT, ["arm", "time"]).table.sort_values(["arm", "time"])
    np.testing.assert_allclose(found.sort_values(["arm", "time"])["estimate"], other["estimate"])


@pytest.mark.parametrize("reference", [10, "dose10"])
def test_a_control_is_given_as_a_level_or_by_its_name(reference: Any) -> None:
    means = emmeans(ols("y ~ dose", DATA), "dose")
    found = means.contrasts("trt.vs.ctrl", reference=reference).table["contrast"].tolist()
    assert found == ["dose1 - dose10", "dose2 - dose10"]


def test_one_method_serves_all_variables_of_an_interaction() -> None:
    means = emmeans(FIT, ["arm", "time"])
    one, each = (means.contrasts(interaction=wanted) for wanted in ("pairwise", ["pairwise", "pairwise"]))
    pd.testing.assert_frame_equal(one.table, each.table)


def test_an_interaction_takes_methods_by_name_in_any_order() -> None:
    means = emmeans(FIT, ["arm", "time"])
    found = means.contrasts(interaction={"time": "consec", "arm": "eff"}).table
    assert found.columns[:2].tolist() == ["arm_eff", "time_consec"]


def test_an_interaction_that_the_model_does_not_have_is_zero_and_not_tested() -> None:
    found = emmeans(ols("y ~ arm + time", DATA), ["arm", "time"]).contrasts(interaction="pairwise").table
    np.testing.assert_allclose(found["estimate"], 0, atol=1e-12)
    assert found[["se", "df", "p", "ci_low"]].isna().all(axis=None)


def test_a_category_without_rows_has_no_mean() -> None:
    arm = pd.Categorical(DATA["arm"], categories=["Z", "A control", "B-warm", "C"])
    found = emmeans(ols("y ~ arm", DATA.assign(arm=arm)), "arm").table
    assert found["arm"].tolist() == ["A control", "B-warm", "C"]


def test_an_empty_cell_is_missing_and_named() -> None:
    holed = DATA[~((DATA["arm"] == "C") & (DATA["time"] == "pre"))]
    means = emmeans(ols("y ~ arm * time", holed), "arm", by="time")
    assert means.table["estimate"].isna().tolist() == [False] * 5 + [True]
    assert "Not estimable: C pre" in means.notes
    assert "not estimable" in repr(means)
    contrasts = means.contrasts("trt.vs.ctrl")
    assert contrasts.table["p"].isna().tolist() == [False] * 3 + [True]
    assert "Not estimable: C - A control pre" in contrasts.notes


def test_a_mean_of_nothing_but_empty_cells_is_missing() -> None:
    holed = DATA[~((DATA["arm"] == "C") & (DATA["time"] == "pre"))]
    found = emmeans(ols("y ~ arm * time", holed), "arm", weights="proportional").table
    assert found["estimate"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize("adjust", ["holm", "sidak", "dunnett", "scheffe", "tukey"])
def test_a_family_in_which_nothing_is_estimable_is_missing(adjust: Any) -> None:
    sparse = DATA[(DATA["time"] == "post") | (DATA["arm"] == "C")]
    contrasts = emmeans(ols("y ~ arm * time", sparse), "arm", by="time").contrasts(adjust=adjust)
    assert contrasts.table["p"].isna().tolist() == [False] * 3 + [True] * 3
    assert contrasts.joint()["num_df"].tolist() == [2, 0]


def test_the_mean_of_a_covariate_is_that_of_the_variable_and_not_of_its_logarithm() -> None:
    frame = DATA.assign(size=np.exp(DATA["x"]))
    fit = ols("y ~ arm + log(size)", frame)
    by_default = emmeans(fit, "arm").table
    fixed = emmeans(fit, "arm", at={"size": frame["size"].mean()}).table
    pd.testing.assert_frame_equal(by_default, fixed)


@pytest.mark.parametrize(
    ("fit", "note"),
    [
        (lambda: glm("yes ~ arm", DATA, family="binomial"), "Estimates are on the logit scale"),
        (lambda: glm("yes ~ arm", DATA, family="poisson"), "Estimates are on the log scale"),
        (lambda: glmer("yes ~ arm + (1 | person)", DATA, family="binomial"), "on the logit scale"),
        (lambda: ordinal("level ~ arm", DATA, link="probit"), "latent probit scale"),
        (lambda: ols("log(y + 10) ~ arm", DATA), "on the scale of log(y + 10)"),
    ],
)
def test_the_scale_is_on_the_face_of_means_and_contrasts(fit: Any, note: str) -> None:
    means = emmeans(fit(), "arm")
    assert note in repr(means)
    assert note in repr(means.contrasts())
    assert note in means._repr_html_()


def test_notes_say_what_is_averaged_over_held_and_hidden() -> None:
    notes = emmeans(FIT, "arm").notes
    assert "Averaged over: time" in notes
    assert any(note.startswith("At: x = ") for note in notes)
    assert "Interaction: differences are not the same at each value of time" in notes


def test_a_covariate_that_interacts_with_nothing_shown_hides_nothing() -> None:
    assert not any("Interaction" in note for note in emmeans(ols("y ~ arm + x * time", DATA), "arm").notes)


def test_a_perfect_fit_has_no_standard_errors_and_no_p_values() -> None:
    exact = DATA.assign(y=DATA["arm"].map({"A control": 0.0, "B-warm": 1.0, "C": 2.0}))
    found = emmeans(ols("y ~ arm", exact), "arm").contrasts(adjust="dunnett").table
    np.testing.assert_allclose(found["estimate"], [-1, -2, -1], atol=1e-9)
    assert found["p"].isna().all()


def test_a_singular_mixed_model_has_means() -> None:
    frame = DATA.assign(y=np.random.default_rng(3).normal(size=len(DATA)), pair=np.arange(len(DATA)) % 9)
    fit = lmer("y ~ arm + (1 | pair)", frame)
    found = emmeans(fit, "arm").contrasts(adjust="mvt").table
    assert found[["estimate", "se", "df", "p"]].notna().all(axis=None)


def test_a_mixed_model_adjusts_each_contrast_by_its_own_df() -> None:
    fit = lmer("y ~ arm + (1 | person)", DATA)
    contrasts = emmeans(fit, "arm").contrasts("trt.vs.ctrl")
    assert contrasts.adjust == "dunnett"
    assert contrasts.table["df"].nunique() == 2


def test_perfectly_correlated_contrasts_are_adjusted_as_one() -> None:
    means = emmeans(FIT, "arm")
    twice = {"one": [1, -1, 0], "doubled": [2, -2, 0], "turned": [-1, 1, 0]}
    found = means.contrasts(twice, adjust="mvt").table
    alone = means.contrasts({"one": [1, -1, 0]}, adjust="none").table["p"].iloc[0]
    np.testing.assert_allclose(found["p"], alone, atol=1e-10)


@pytest.mark.parametrize("adjust", ["none", "tukey", "sidak", "holm", "hommel", "scheffe", "dunnett", "mvt"])
def test_a_difference_beyond_all_doubt_has_a_small_positive_p(adjust: Any) -> None:
    apart = DATA.assign(y=DATA["y"] + DATA["arm"].map({"A control": 0, "B-warm": 1e6, "C": 2e6}))
    found = emmeans(ols("y ~ arm", apart), "arm").contrasts(adjust=adjust).table["p"]
    assert ((found >= 0) & (found < 1e-100)).all()


@pytest.mark.parametrize("adjust", ["none", "tukey", "sidak", "holm", "BY", "scheffe", "dunnett", "mvt"])
def test_no_difference_at_all_has_a_p_of_one(adjust: Any) -> None:
    means = emmeans(FIT, "arm")
    null = float(means.contrasts().table["estimate"].iloc[0])
    assert means.contrasts(adjust=adjust).test(null)["p"].iloc[0] == pytest.approx(1, abs=1e-6)


def test_equivalence_is_declared_just_where_the_interval_lies_within_the_margins() -> None:
    contrasts = emmeans(FIT, "arm").contrasts(adjust="sidak")
    for margin in (0.2, 0.8, 1.2, 2.0):
        found = contrasts.equivalence(margin)
        inside = (found["ci_low"] > -margin) & (found["ci_high"] < margin)
        assert found["equivalent"].tolist() == inside.tolist()


def test_one_contrast_is_equivalent_where_its_ninety_percent_interval_is_within() -> None:
    found = emmeans(FIT, "time").contrasts(level=0.9).table.iloc[0]
    shown = emmeans(FIT, "time").contrasts().equivalence(3.0).iloc[0]
    assert (shown["ci_low"], shown["ci_high"]) == pytest.approx((found["ci_low"], found["ci_high"]))


def test_non_inferiority_is_declared_just_where_the_interval_stays_above_the_margin() -> None:
    contrasts = emmeans(FIT, "arm").contrasts("trt.vs.ctrl")
    for margin in (0.01, 0.3, 1.0):
        found = contrasts.non_inferiority(margin)
        assert found["non_inferior"].tolist() == (found["ci_low"] > -margin).tolist()
        assert np.isposinf(found["ci_high"]).all()


def test_non_inferiority_of_what_is_better_when_low_is_that_of_the_mirrored_contrast() -> None:
    means = emmeans(FIT, "arm")
    low = means.contrasts("pairwise", adjust="mvt").non_inferiority(0.4, higher_is_better=False)
    mirrored = means.contrasts("revpairwise", adjust="mvt").non_inferiority(0.4)
    np.testing.assert_allclose(low["p"], mirrored["p"], atol=1e-9)
    np.testing.assert_allclose(low["ci_high"], -mirrored["ci_low"])


def test_a_joint_test_of_totals_counts_the_offset() -> None:
    """With a constant offset of 5, means are 5 above what the coefficients say, and so is what is tested."""
    shifted = ols("y ~ arm + offset(five)", DATA.assign(five=5.0))
    plain = ols("y ~ arm", DATA)
    means = {"one": [1, 0, 0], "two": [0, 1, 0]}
    found, expected = (emmeans(fit, "arm").contrasts(means).joint() for fit in (shifted, plain))
    pd.testing.assert_frame_equal(found, expected)
