"""A small study and each model's own way to fit it, for tests of what all of them refuse and take."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.glmm import glmer
from forethought.analysis.lmm import lmer
from forethought.analysis.marginal import gee, glm, ordinal
from forethought.analysis.ols import ols

FITS: dict[str, Callable[..., Any]] = {
    "lmer": lambda right, data, **o: lmer(f"score ~ {right} + (1 | person)", data, **o),
    "glmer": lambda right, data, **o: glmer(f"passed ~ {right} + (1 | person)", data, family="binomial", **o),
    "ols": lambda right, data, **o: ols(f"score ~ {right}", data, **o),
    "glm": lambda right, data, **o: glm(f"passed ~ {right}", data, family="binomial", **o),
    "gee": lambda right, data, **o: gee(f"passed ~ {right}", data, cluster="person", **o),
    "ordinal": lambda right, data, **o: ordinal(f"rating ~ {right}", data, **o),
}


@pytest.fixture
def fit() -> Callable[..., Any]:
    """A fit of a kind: its name, the formula's right side, the data, and options."""
    return lambda kind, right, data, **options: FITS[kind](right, data, **options)


@pytest.fixture
def study() -> Callable[..., pd.DataFrame]:
    """Twenty people, six rows each; columns given take the place of others."""

    def made(**columns: object) -> pd.DataFrame:
        chance = np.random.default_rng(7)
        person = np.repeat(np.arange(20), 6)
        return pd.DataFrame(
            {
                "person": person,
                "arm": np.array(["control", "good", "better"])[person % 3],
                "x": chance.normal(size=120),
                "score": chance.normal(size=20)[person] + chance.normal(size=120),
                "passed": chance.integers(0, 2, 120),
                "rating": chance.integers(1, 6, 120),
            }
        ).assign(**columns)

    return made
