"""What must not change marginal means and contrasts, and what adjustments must keep, whatever the numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forethought.analysis.designs import Floats
from forethought.analysis.emmeans import MarginalMeans, emmeans
from forethought.analysis.emmeans.adjustments import TestFamily
from forethought.analysis.fits import Fit
from forethought.analysis.lmm import lmer
from forethought.analysis.ols import ols

STUDY = pd.read_csv(Path(__file__).parents[1] / "reference/lmm/small.csv")
CROSSED = "y ~ arm * time + (1 | pid) + (1 | scenario)"
ADJUSTMENTS = [
    "none", "sidak", "bonferroni", "holm", "hochberg", "hommel", "BH", "BY", "scheffe", "tukey", "mvt",
]  # fmt: skip

seeds = st.integers(0, 2**32 - 1)
some = settings(max_examples=10, deadline=None)
p_values = st.lists(st.floats(0, 1), min_size=2, max_size=9)


def means(fit: Fit) -> MarginalMeans:
    return emmeans(fit, "arm", by="time")


def family(adjust: Any, n: int) -> TestFamily:
    return TestFamily(adjust, n, n, n, np.eye(n))


def same(found: object, expected: object) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


@given(seeds)
@some
def test_the_order_of_the_rows_does_not_matter(seed: int) -> None:
    shuffled = lmer(CROSSED, STUDY.sample(frac=1, random_state=seed))
    expected = means(lmer(CROSSED, STUDY)).contrasts("trt.vs.ctrl").table
    same(means(shuffled).contrasts("trt.vs.ctrl").table.iloc[:, 2:], expected.iloc[:, 2:])


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
@some
def test_a_shifted_and_scaled_outcome_shifts_and_scales_means_and_leaves_p_alone(
    shift: float, scale: float
) -> None:
    moved = means(lmer(CROSSED, STUDY.assign(y=shift + scale * STUDY["y"])))
    plain = means(lmer(CROSSED, STUDY))
    np.testing.assert_allclose(
        moved.table["estimate"], shift + scale * plain.table["estimate"], rtol=1e-6, atol=1e-5 * scale
    )
    same(moved.contrasts().table["p"], plain.contrasts().table["p"])


@given(st.permutations(["A_control", "B_warm", "C_firm"]))
@some
def test_the_coding_of_a_factor_does_not_matter(order: list[str]) -> None:
    relabelled = STUDY.assign(arm=pd.Categorical(STUDY["arm"], categories=order))
    found = means(ols("y ~ arm * time", relabelled)).table.set_index(["arm", "time"])["estimate"]
    expected = means(ols("y ~ arm * time", STUDY)).table.set_index(["arm", "time"])["estimate"]
    coded = means(ols("y ~ C(arm, contr.sum) * time", STUDY)).table.set_index(["arm", "time"])["estimate"]
    same(found.loc[expected.index.tolist()], expected)
    same(coded, expected)


@given(p_values, st.sampled_from(ADJUSTMENTS), st.floats(1, 200))
@example([0.0, 0.0], "scheffe", 1.0)
@settings(max_examples=60, deadline=None)
def test_adjusted_p_values_are_no_smaller_keep_their_order_and_do_not_pass_one(
    p: list[float], adjust: str, df: float
) -> None:
    from scipy.special import stdtrit

    t = np.abs(stdtrit(df, np.maximum(np.array(p), 1e-300) / 2))
    dfs = np.full(len(t), df)
    single = family("none", len(t)).p_values(t, dfs)
    found = family(adjust, len(t)).p_values(t, dfs)
    assert (found >= single - 1e-12).all()
    assert (found <= 1).all()
    order = np.argsort(single, kind="stable")
    assert (np.diff(found[order]) >= -1e-9).all()


@given(p_values, seeds, st.sampled_from(["holm", "hochberg", "hommel", "BH", "BY"]))
@settings(max_examples=60, deadline=None)
def test_stepwise_methods_do_not_depend_on_the_order_and_agree_with_statsmodels(
    p: list[float], seed: int, adjust: str
) -> None:
    from scipy.special import ndtri
    from statsmodels.stats.multitest import multipletests

    names = {"BH": "fdr_bh", "BY": "fdr_by", "hochberg": "simes-hochberg"}
    order = np.random.default_rng(seed).permutation(len(p))
    z: Floats = -ndtri(np.maximum(np.array(p), 1e-12) / 2)
    infinite = np.full(len(p), np.inf)
    found = family(adjust, len(p)).p_values(z, infinite)
    single = family("none", len(p)).p_values(z, infinite)
    np.testing.assert_allclose(family(adjust, len(p)).p_values(z[order], infinite), found[order], rtol=1e-9)
    expected = multipletests(single, method=names.get(adjust, adjust))[1]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("adjust", ["none", "sidak", "bonferroni", "scheffe", "tukey", "mvt"])
@given(df=st.floats(1, 500), level=st.floats(0.5, 0.999))
@some
def test_at_the_end_of_a_single_step_interval_p_is_one_minus_its_level(
    adjust: str, df: float, level: float
) -> None:
    bound = family(adjust, 4).bounds(np.array([df]), level)[0]
    p = family(adjust, 4).p_values(np.full(4, bound), np.full(4, df))
    np.testing.assert_allclose(p, 1 - level, rtol=1e-4)
