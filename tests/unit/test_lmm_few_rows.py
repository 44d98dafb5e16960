"""A mixed model of an interim look, with hardly any data: it is fitted or refused in words, and never breaks."""

import warnings

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.designs import model_data
from forethought.analysis.lmm import lmer
from forethought.analysis.lmm.solution import mixed_design
from forethought.errors import ModelNotFitted
from forethought.grammar import parse_formula

FORMULA = "score ~ arm * round + (1 | person) + (1 | scenario)"


def few(seed: int) -> pd.DataFrame:
    """Two to six people of up to four arms, three sessions each, five scenarios; some sessions are missing."""
    chance = np.random.default_rng(seed)
    people = int(chance.integers(2, 7))
    person = np.repeat(np.arange(people), 3)
    arm = np.array(list("abcd"))[chance.permutation(np.resize(np.arange(4), people))][person]
    score = np.clip(np.rint(chance.normal(3, 1, 3 * people)), 1, 5)
    scenario = np.concatenate([chance.permutation(5)[:3] for _ in range(people)])
    data = pd.DataFrame({"score": score, "arm": arm, "person": person, "scenario": scenario})
    return data.assign(round=np.tile([0.0, 1.0, 1.0], people))[chance.random(3 * people) < 0.9]


def test_where_rounding_leaves_nothing_of_the_fixed_effects_the_model_is_refused() -> None:
    design = mixed_design(model_data(parse_formula(FORMULA), few(1)))
    with pytest.raises(ModelNotFitted, match="rounding leaves nothing of the fixed ones"):
        design.solve(start=np.full(2, 1e12))


def test_of_60_samples_each_is_fitted_or_refused_in_words() -> None:
    fitted = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for seed in range(60):
            try:
                fit = lmer(FORMULA, few(seed))
            except ModelNotFitted:
                continue
            assert len(fit.coefficients) == len(fit.terms)
            fitted += 1
    assert fitted > 45
