"""What a notebook says to a mistake, and what it shows of a result: a sentence each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forethought as ft
from forethought.errors import InvalidFormula, ModelNotFitted


def rows(n: int = 90) -> pd.DataFrame:
    chance = np.random.default_rng(4)
    frame = pd.DataFrame({"arm": chance.choice(["a", "b", "c"], n), "time": np.arange(n) % 2 > 0})
    group = np.arange(n) % 10
    return frame.assign(g=group, y=chance.normal(size=n) + chance.normal(size=10)[group])


DATA = rows()
FIT: Any = ft.lmer("y ~ arm + time + (1 | g)", DATA)
MEANS: Any = ft.emmeans(FIT, ["arm", "time"])
ARMS: Any = ft.emmeans(FIT, "arm")
emmeans: Any = ft.emmeans
anova: Any = ft.anova

MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "fit and names exchanged": (lambda: emmeans("arm", FIT), "of the kind str, and no fit"),
    "a formula in the place of a fit": (lambda: anova("y ~ arm"), "of the kind str, and no fit"),
    "fits in a list": (lambda: anova([FIT, FIT]), "of the kind list, and no fit"),
    "the type of a test in the place of a fit": (lambda: anova(FIT, 2), "of the kind int, and no fit"),
    "a number in the place of names": (lambda: emmeans(FIT, 3), "3 is no name of a variable"),
    "values without their variable": (lambda: emmeans(FIT, "arm", at=["a"]), "`at` is of the kind list"),
    "a level in quotation marks": (lambda: emmeans(FIT, "arm", level="0.9"), "the level is 0.9"),
    "a number in the place of by": (lambda: MEANS.contrasts(by=1), "1 is no name of a variable"),
    "weights without a name": (lambda: ARMS.contrasts([1, -1, 0]), "does not give weights by name"),
    "no method": (lambda: ARMS.contrasts(3), "3 is no family of contrasts"),
    "weights by mean": (lambda: ARMS.contrasts({"x": {"a": 1, "b": -1, "c": 0}}), "of the kind dict"),
    "weights without an order": (lambda: ARMS.contrasts({"x": {1, -1, 0}}), "of the kind set"),
    "one weight": (lambda: ARMS.contrasts({"x": 1}), "of the kind int"),
    "weights in a text": (lambda: ARMS.contrasts({"x": "110"}), "of the kind str"),
    "interaction as a truth value": (lambda: MEANS.contrasts(interaction=True), "`interaction` is True"),
    "a margin in quotation marks": (lambda: ARMS.contrasts().equivalence("1"), "the margin 1 is not"),
    "no margin": (lambda: ARMS.contrasts().non_inferiority(None), "the margin None is not"),
    "a margin for each contrast": (lambda: ARMS.contrasts().equivalence([1, 2]), "is not a positive number"),
    "a null in quotation marks": (lambda: ARMS.contrasts().test("0"), "the null 0 is not"),
    "weights of coefficients without names": (
        lambda: FIT.contrast([0, 1, -1]),
        "by the names of coefficients",
    ),
    "the name of a coefficient": (lambda: FIT.contrast("Intercept"), "by the names of coefficients"),
    "a weight that is missing": (lambda: FIT.contrast({"Intercept": np.nan}), "not 4 finite numbers"),
    "a weight in quotation marks": (lambda: FIT.contrast({"Intercept": "one"}), "not 4 finite numbers"),
    "an outcome in another order": (lambda: FIT.refit(DATA["y"].iloc[::-1]), "rows in another order"),
    "new rows in a dictionary": (lambda: FIT.predict({"arm": ["a"]}), "of the kind dict"),
    "a seed in quotation marks": (lambda: FIT.bootstrap(simulations=2, seed="1"), "the seed is '1'"),
    "a seed below zero": (lambda: FIT.bootstrap(simulations=2, seed=-1), "the seed is -1"),
    "a part of a simulation": (lambda: FIT.bootstrap(simulations=2.5, seed=1), "there are 2.5 simulations"),
    "a statistic without a name": (
        lambda: FIT.bootstrap(lambda model: 1.0, simulations=2, seed=1),
        "the statistic gives a value of the kind float",
    ),
}


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_a_mistake_is_named_with_its_remedy(mistake: str) -> None:
    made, said = MISTAKES[mistake]
    with pytest.raises(ModelNotFitted, match=said):
        made()


@pytest.mark.parametrize("name", ["Y", "y ", "ARM", "armm"])
def test_a_column_is_found_by_its_nearest_name(name: str) -> None:
    column = "y" if name.lower().startswith("y") else "arm"
    with pytest.raises(ModelNotFitted, match=f"The nearest name is `{column}`"):
        ft.lmer(f"time ~ `{name}` + (1 | g)", DATA)


def test_rs_word_for_a_factor_is_answered_with_ours() -> None:
    with pytest.raises(InvalidFormula, match=r"Write C\(column\)"):
        ft.lmer("y ~ factor(g) + (1 | g)", DATA)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (lambda: FIT.influence("g"), "<influence: 10 refits, each without one g; see as_frame()>"),
        (lambda: FIT.bootstrap(simulations=3, seed=1), "<parametric bootstrap: 3 simulations, 0 failed"),
        (lambda: FIT.solution, "<solved mixed model: 90 rows; REML criterion "),
    ],
)
def test_what_holds_many_numbers_is_shown_in_one_line(shown: Callable[[], object], said: str) -> None:
    assert repr(shown()).startswith(said)
    assert len(repr(shown())) < 120


def test_contrasts_can_be_chained_from_a_fit_to_a_table() -> None:
    found = ft.emmeans(FIT, ["arm", "time"]).contrasts("pairwise", by="time", adjust="holm").table
    assert found["time"].tolist() == [False] * 3 + [True] * 3
