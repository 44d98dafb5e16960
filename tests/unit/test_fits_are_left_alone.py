"""What a user does to data, frames and arrays that went into a fit or came out of it changes no fit."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forethought as ft

OFFERED = (
    "coefficients",
    "variance_components",
    "conditional_modes",
    "conditional_sds",
    "fitted",
    "residuals",
)


def rows(n: int = 120) -> pd.DataFrame:
    chance = np.random.default_rng(11)
    frame = pd.DataFrame(
        {"arm": chance.choice(["a", "b", "c"], n), "x": chance.normal(size=n), "g": np.arange(n) % 12}
    )
    y = frame["x"] + chance.normal(size=n) + chance.normal(size=12)[frame["g"]]
    return frame.assign(y=y, yes=(y > 0).astype(int), level=np.clip(np.round(y), -1, 1))


DATA = rows()

FITS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "lmer": lambda data: ft.lmer("y ~ arm + x + (1 | g)", data),
    "ols": lambda data: ft.ols("y ~ arm + x", data, cluster="g"),
    "gee": lambda data: ft.gee("yes ~ arm + x", data, cluster="g"),
    "ordinal": lambda data: ft.ordinal("level ~ arm + x", data),
    "glmer": lambda data: ft.glmer("yes ~ arm + x + (1 | g)", data, family="binomial"),
}

every_fit = pytest.mark.parametrize("kind", list(FITS))


def answers(fit: Any) -> list[pd.DataFrame]:
    """Copies of what a fit says of itself, and what others find from it."""
    return [fit.coefficients.copy(), ft.anova(fit), ft.emmeans(fit, "arm").contrasts().table.copy()]


def pickled(fit: Any) -> Any:
    return pickle.loads(pickle.dumps(fit))  # noqa: S301 - written here


def assert_same(found: list[pd.DataFrame], expected: list[pd.DataFrame]) -> None:
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-9)


@every_fit
def test_a_fit_is_not_changed_with_the_data_that_it_was_fitted_to(kind: str) -> None:
    data = rows()
    fit = FITS[kind](data)
    data["y"], data["yes"], data["level"] = 0.0, 0, 0.0
    data.loc[:, "x"] = 7.0
    data["arm"] = "z"
    assert_same(answers(fit), answers(FITS[kind](rows())))


@every_fit
def test_a_fit_is_not_changed_with_the_frames_that_it_gave(kind: str) -> None:
    fit = FITS[kind](DATA)
    before = answers(fit)
    for given in [fit.coefficients, fit.variance_components, fit.vcov]:
        if len(given):
            given.iloc[:, -1] = 99.0
            given["more"] = 1
    assert_same(answers(fit), before)
    assert "more" not in fit.variance_components


def test_no_frame_or_series_of_a_mixed_model_can_be_written_through() -> None:
    fit = FITS["lmer"](DATA)
    for name in OFFERED:
        given = getattr(fit, name)
        for one in given.values() if isinstance(given, dict) else [given]:
            one.iloc[0] = np.nan
        again = getattr(fit, name)
        assert (
            not any(one.iloc[0].isna().all() for one in again.values()) if isinstance(again, dict) else True
        )
    assert fit.residuals.notna().all()
    assert fit.fitted.notna().all()
    assert fit.coefficients["estimate"].notna().all()


def test_a_fit_is_not_changed_with_a_category_that_it_was_fitted_to() -> None:
    data = rows().assign(arm=lambda frame: pd.Categorical(frame["arm"]))
    fit, expected = FITS["lmer"](data), answers(FITS["lmer"](rows()))
    data.loc[data.index[:60], "arm"] = "c"
    assert_same(answers(fit), expected)


def test_the_tables_of_means_and_contrasts_are_copies() -> None:
    means = ft.emmeans(FITS["lmer"](DATA), "arm")
    for shown in (means, means.contrasts()):
        given = shown.table
        given.iloc[0, -1] = 99.0
        assert shown.table.iloc[0, -1] != 99.0


@every_fit
def test_the_arrays_of_a_fit_cannot_be_written_to(kind: str) -> None:
    fit = FITS[kind](DATA)
    for array in (fit.beta, fit.inference().vcov):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


@every_fit
@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_copied_fit_says_the_same(kind: str, copied: Callable[[Any], Any]) -> None:
    fit = FITS[kind](DATA)
    fresh = copied(fit)
    assert_same(answers(fresh), answers(fit))
    assert_same(answers(copied(fit)), answers(fit))


@every_fit
def test_fits_and_means_can_be_looked_up_in_lists_and_dictionaries(kind: str) -> None:
    one, other = FITS[kind](DATA), FITS[kind](DATA)
    assert [one, other].index(other) == 1
    assert {one: "one", other: "other"}[other] == "other"
    means = ft.emmeans(one, "arm")
    assert means in [ft.emmeans(one, "arm"), means]
    assert means.contrasts() != means.contrasts()
