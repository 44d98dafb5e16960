"""A mixed model without one level of a group: against R's refits (tests/reference/lmm/influence.R) and by hand."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.influence import Influence, influence
from forethought.errors import ModelNotFitted

DATA = Path(__file__).parents[1] / "reference" / "lmm"
EXPECTED = json.loads((DATA / "influence.json").read_text())["models"]

each_model = pytest.mark.parametrize("name", EXPECTED)


@cache
def found(name: str) -> Influence:
    record = EXPECTED[name]
    fit = lmer(record["formula"], pd.read_csv(DATA / f"{record['csv']}.csv"))
    return influence(fit.solution, record["group"])


def expected(name: str, key: str) -> np.ndarray:
    """One column of R's refits, in our order of levels."""
    by_level = {str(refit["level"]): refit[key] for refit in EXPECTED[name]["refits"]}
    return np.array([by_level[str(refit.level)] for refit in found(name).left_out], dtype=float)


def ours(name: str, key: str) -> np.ndarray:
    return np.array([getattr(refit, key) for refit in found(name).left_out]).reshape(
        expected(name, key).shape
    )


def wards() -> pd.DataFrame:
    """Six wards with eight patients each; only ward `a` has seen the third treatment."""
    rng = np.random.default_rng(20260)
    ward = np.repeat(list("abcdef"), 8)
    treatment = np.tile(["one", "two"], 24).astype(object)
    treatment[:3] = "three"
    y = rng.normal(size=48) + np.repeat(rng.normal(size=6), 8)
    return pd.DataFrame({"ward": ward, "treatment": treatment, "age": rng.normal(40, 9, 48), "y": y})


@each_model
def test_the_changes_of_the_coefficients_are_rs(name: str) -> None:
    scale = np.abs(expected(name, "change")).max(axis=0)
    assert np.abs((ours(name, "change") - expected(name, "change")) / scale).max() < 2e-5


@each_model
def test_cooks_distance_is_rs(name: str) -> None:
    np.testing.assert_allclose(ours(name, "cook"), expected(name, "cook"), rtol=1e-4, atol=1e-9)


@each_model
def test_mdffits_is_rs(name: str) -> None:
    np.testing.assert_allclose(ours(name, "mdffits"), expected(name, "mdffits"), rtol=1e-4, atol=1e-9)


@each_model
def test_dfbetas_is_rs(name: str) -> None:
    np.testing.assert_allclose(ours(name, "dfbetas"), expected(name, "dfbetas"), rtol=1e-4, atol=2e-5)


@each_model
def test_the_refits_theta_is_rs(name: str) -> None:
    np.testing.assert_allclose(ours(name, "theta"), expected(name, "theta"), rtol=1e-4, atol=1e-4)


@each_model
def test_the_refits_sigma_is_rs(name: str) -> None:
    np.testing.assert_allclose(ours(name, "sigma"), expected(name, "sigma"), rtol=1e-5)


@each_model
def test_lme4s_distance_is_ours_but_for_its_factor(name: str) -> None:
    record = EXPECTED[name]["lme4"]
    m, p = len(record["levels"]), len(found(name).terms)
    theirs = dict(zip(map(str, record["levels"]), np.array(record["cook"]) * m / (m - p), strict=True))
    wanted = [theirs[str(refit.level)] for refit in found(name).left_out]
    np.testing.assert_allclose(ours(name, "cook"), wanted, rtol=2e-3, atol=1e-6)


def test_the_frame_starts_with_the_most_influential_level() -> None:
    frame = found("sleep_slope").as_frame()
    assert frame["cook"].is_monotonic_decreasing


def test_each_level_loses_its_own_rows() -> None:
    assert found("sleep_slope").as_frame()["n_rows"].tolist() == [10] * 18


def test_the_changes_stand_by_level_and_term() -> None:
    changes = found("sleep_slope").changes()
    assert (changes.shape, changes.columns.tolist()) == ((18, 2), ["Intercept", "Days"])


def test_the_changes_of_theta_are_from_the_full_fit() -> None:
    result = found("sleep_slope")
    np.testing.assert_allclose(
        result.theta_changes().to_numpy() + result.theta, [refit.theta for refit in result.left_out]
    )


def test_a_level_that_alone_carries_a_coefficient_is_listed_with_the_reason() -> None:
    result = influence(lmer("y ~ treatment + (1 | ward)", wards()).solution, "ward")
    assert [
        (broken.level, "treatment[T.three] cannot be estimated" in broken.reason)
        for broken in result.not_refitted
    ] == [("a", True)]


def test_the_other_levels_are_refitted_nevertheless() -> None:
    result = influence(lmer("y ~ treatment + (1 | ward)", wards()).solution, "ward")
    assert [refit.level for refit in result.left_out] == list("bcdef")


def test_a_group_of_two_levels_cannot_lose_one() -> None:
    data = wards().assign(ward=lambda frame: frame["ward"].isin(list("abc")).map({True: "x", False: "y"}))
    result = influence(lmer("y ~ age + (1 | ward)", data).solution, "ward")
    assert ["one level" in broken.reason for broken in result.not_refitted] == [True, True]


def test_coefficients_of_a_centred_column_keep_their_meaning() -> None:
    """Centring is done anew without a level; the intercept is still that of the full data's mean."""
    data = wards()
    centred = data.assign(centred=data["age"] - data["age"].mean())
    found_here = influence(lmer("y ~ center(age) + (1 | ward)", data).solution, "ward")
    by_hand = influence(lmer("y ~ centred + (1 | ward)", centred).solution, "ward")
    np.testing.assert_allclose(
        [refit.change for refit in found_here.left_out],
        [refit.change for refit in by_hand.left_out],
        atol=1e-7,
    )


def test_a_nested_group_is_named_as_the_model_names_it() -> None:
    fit = lmer("score ~ Machine + (1 | Worker/Machine)", pd.read_csv(DATA / "Machines.csv"))
    assert influence(fit.solution, "Machine:Worker").left_out[0].level == "A:1"


def test_an_unknown_group_is_refused() -> None:
    fit = lmer("y ~ age + (1 | ward)", wards())
    with pytest.raises(ModelNotFitted, match="Its grouping factors are ward"):
        influence(fit.solution, "clinic")


def test_progress_is_told_level_by_level() -> None:
    calls = list[tuple[int, int]]()
    influence(lmer("y ~ age + (1 | ward)", wards()).solution, "ward", progress=lambda *at: calls.append(at))
    assert calls == [(place, 6) for place in range(1, 7)]


def test_the_json_survives_the_way_to_text_and_back() -> None:
    record: dict[str, Any] = json.loads(json.dumps(found("penicillin").as_json()))
    assert [level["level"] for level in record["levels"]] == list("ABCDEF")


def test_a_categorical_slope_that_loses_a_level_is_listed_with_the_reason() -> None:
    """Only the people of item `a` have seen the third treatment, which varies by person."""
    rng = np.random.default_rng(20261)
    data = pd.DataFrame(
        {
            "person": np.tile(np.arange(20), 12),
            "item": np.repeat(list("abcdef"), 40),
            "seen": np.resize(["one", "two"], 240).astype(object),
            "y": rng.normal(size=240),
        }
    )
    data.loc[:20, "seen"] = "three"
    result = influence(lmer("y ~ 1 + (0 + seen | person) + (1 | item)", data).solution, "item")
    assert [(broken.level, "categorical slope" in broken.reason) for broken in result.not_refitted] == [
        ("a", True)
    ]


def test_rows_keep_their_own_weights() -> None:
    """Of a level's weights nothing is left when it is left out: they may be anything."""
    data = wards()
    plain = data.assign(w=1.0)
    heavy = plain.assign(w=plain["w"].mask(plain["ward"] == "c", 9.0))
    of_c = [
        influence(lmer("y ~ age + (1 | ward)", frame, weights="w").solution, "ward").left_out[2].criterion
        for frame in (plain, heavy)
    ]
    assert of_c[0] == pytest.approx(of_c[1], rel=1e-10)
