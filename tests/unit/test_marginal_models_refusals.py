"""What a marginal model refuses, and what it says to do."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.marginal import gee, glm, ordinal
from forethought.errors import ModelNotFitted


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    """40 people, six rows each."""
    chance = np.random.default_rng(1)
    person = np.repeat(np.arange(40), 6)
    return pd.DataFrame(
        {
            "person": person,
            "occasion": np.tile(np.arange(6), 40),
            "arm": np.array(["control", "good", "better"])[person % 3],
            "x": chance.normal(size=240),
            "passed": chance.integers(0, 2, 240),
            "errors": chance.poisson(2, 240),
            "seconds": np.exp(chance.normal(size=240)),
            "rating": chance.integers(1, 6, 240),
        }
    )


REFUSED: dict[str, tuple[Any, str]] = {
    "a random term": (
        lambda d: gee("passed ~ x + (1 | person)", d, cluster="person"),
        r'no random term such as \(1 \| person\).*cluster="person", or use lmer',
    ),
    "one cluster": (
        lambda d: glm("passed ~ x", d.assign(person=1), family="binomial", cluster="person"),
        "there is one cluster of `person`, 1. Give data of two or more",
    ),
    "an unknown cluster": (
        lambda d: gee("passed ~ x", d, cluster="persn"),
        "the data have no column `persn`.*`person`",
    ),
    "a binary outcome of numbers": (
        lambda d: glm("rating ~ x", d, family="binomial"),
        "`rating` holds numbers other than 0 and 1",
    ),
    "a binary outcome of three texts": (
        lambda d: glm("arm ~ x", d, family="binomial"),
        "`arm` has 3 levels, better, control, good. Give two levels",
    ),
    "counts with fractions": (
        lambda d: glm("seconds ~ x", d, family="poisson"),
        "`seconds` is not a count in every row",
    ),
    "negative counts": (
        lambda d: glm("errors ~ x", d.assign(errors=d["errors"] - 9), family="poisson"),
        "is not a count",
    ),
    "a gamma outcome of zero": (
        lambda d: glm("errors ~ x", d, family="gamma"),
        "`errors` is not above zero in every row",
    ),
    "an ordinal outcome without order": (
        lambda d: ordinal("arm ~ x", d),
        "the levels of `arm` have no order. Make it an ordered category",
    ),
    "an ordinal outcome with fractions": (
        lambda d: ordinal("seconds ~ x", d),
        "`seconds` is not a whole number in every row",
    ),
    "an outcome that does not vary": (
        lambda d: glm("passed ~ x", d.assign(passed=1), family="binomial"),
        "`passed` has one value in all 240 rows",
    ),
    "an unknown family": (lambda d: glm("passed ~ x", d, family="weibull"), "family: `weibull` is not offered"),
    "a link of another family": (
        lambda d: glm("errors ~ x", d, family="poisson", link="logit"),
        "link: the poisson family has no link `logit`",
    ),
    "ar1 without time": (
        lambda d: gee("passed ~ x", d, cluster="person", covariance="ar1"),
        "ar1 does not know the order",
    ),
    "a correlation from few pairs": (
        lambda d: gee("passed ~ x", d.assign(person=[0, *range(239)]), cluster="person"),
        "beside 2 coefficients a correlation needs more pairs of rows than the clusters' 1",
    ),
    "two rows at one time": (
        lambda d: gee("passed ~ x", d.assign(occasion=1), cluster="person", covariance="ar1", time="occasion"),
        "two rows at the same `occasion`",
    ),
    "an ordinal model without intercept": (lambda d: ordinal("rating ~ 0 + arm", d), "Leave `0 \\+` out"),
    "an ordinal model without terms": (lambda d: ordinal("rating ~ 1", d), "no term besides the thresholds"),
    "odds ratios of a rate": (lambda d: glm("errors ~ x", d, family="poisson").odds_ratios, "Fit it with the logit link"),
    "other degrees of freedom": (
        lambda d: glm("errors ~ x", d, family="poisson").inference("satterthwaite"),
        "has normal degrees of freedom, not satterthwaite",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_with_what_to_do(data: pd.DataFrame, what: str) -> None:
    attempt, said = REFUSED[what]
    with pytest.raises(ModelNotFitted, match=said):
        attempt(data)
