"""Exact randomisation tests against R's coin: the script and its output are in `randomization/`."""

import json
from pathlib import Path

import pandas as pd
import pytest

from forethought.analysis.arm_statistics import difference_in_means
from forethought.analysis.randomization_test import Alternative, RandomizationTest, randomization_test
from forethought.protocol.allocation import Complete, Dropouts, SeedPolicy
from forethought.randomization.recorded import RecordedDesign

COIN = json.loads((Path(__file__).parent / "randomization" / "coin.json").read_text("utf-8"))

PLAIN = [12.1, 9.4, 15.3, 11.8, 13.9, 10.2, 8.7, 9.9, 12.0, 7.5, 10.8, 6.9]
STRATIFIED = [5.1, 7.3, 6.2, 8.8, 4.9, 5.0, 6.6, 4.2, 15.0, 13.1, 16.4, 14.2, 12.9, 13.0, 14.8, 11.7]
SIDES: dict[str, Alternative] = {"two.sided": "two-sided", "less": "greater", "greater": "less"}
"""coin's statistic is of the first level of the factor, which is control; ours is treated less control."""


def design(size: int, strata: tuple[str, ...]) -> Complete:
    return Complete(
        method="complete",
        ratio={"control": 1, "treated": 1},
        size=size,
        strata=strata,
        dropouts=Dropouts(count="everyone_allocated", replace="never", statement="All count."),
        seed=SeedPolicy(drawn_by="either", revealed="at_unblinding"),
        concealment="A test.",
    )


def record(scores: list[float], strata: list[str], in_each_arm: int) -> pd.DataFrame:
    arms = (["treated"] * in_each_arm + ["control"] * in_each_arm) * (len(scores) // (2 * in_each_arm))
    return pd.DataFrame(
        {
            "participant_id": [f"p{number:02}" for number in range(len(scores))],
            "stratum": strata,
            "arm": arms,
            "arrival": range(1, len(scores) + 1),
        }
    )


@pytest.mark.parametrize("side", SIDES)
def test_two_arms_of_six(side: str) -> None:
    recorded = RecordedDesign.from_frame(design(12, ()), record(PLAIN, ["all"] * 12, 6))
    found = judged(recorded, PLAIN, SIDES[side])
    assert found.exact
    assert found.draws == 924
    assert found.p == pytest.approx(COIN[f"plain {side}"], abs=1e-14)


@pytest.mark.parametrize("side", SIDES)
def test_two_arms_within_two_strata_of_eight(side: str) -> None:
    labels = ["level=low"] * 8 + ["level=high"] * 8
    recorded = RecordedDesign.from_frame(design(8, ("level",)), record(STRATIFIED, labels, 4))
    found = judged(recorded, STRATIFIED, SIDES[side])
    assert found.exact
    assert found.draws == 4_900
    assert found.p == pytest.approx(COIN[f"stratified {side}"], abs=1e-14)


def test_redraws_agree_with_the_exact_p() -> None:
    labels = ["level=low"] * 8 + ["level=high"] * 8
    recorded = RecordedDesign.from_frame(design(8, ("level",)), record(STRATIFIED, labels, 4))
    statistic = difference_in_means(
        recorded, pd.Series(STRATIFIED).to_numpy(), arm="treated", reference="control"
    )
    found = randomization_test(statistic, recorded, draws=20_000, seed=7, exact_up_to=10)
    assert not found.exact
    assert abs(found.p - COIN["stratified two.sided"]) < 4 * found.mc_se


def judged(recorded: RecordedDesign, scores: list[float], alternative: Alternative) -> RandomizationTest:
    statistic = difference_in_means(
        recorded, pd.Series(scores).to_numpy(), arm="treated", reference="control"
    )
    return randomization_test(statistic, recorded, seed=1, alternative=alternative)
