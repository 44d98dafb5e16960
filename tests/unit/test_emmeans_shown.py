"""How tables of marginal means and contrasts are shown: in columns that can be read down."""

import math

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.emmeans import emmeans
from forethought.analysis.emmeans.tables import spelled
from forethought.analysis.ols import ols


def table(estimate: list[float], se: list[float], **more: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"estimate": estimate, "se": se, **more})


def shown(estimate: list[float], se: list[float], **more: list[float]) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = spelled(table(estimate, se, **more)).to_dict(orient="list")
    return columns


def test_numbers_in_data_units_have_the_decimals_of_the_smallest_standard_error() -> None:
    found = shown([5.06, 5.126], [0.1066, 0.09845], ci_low=[4.8, 5.00671], ci_high=[5.2721, 5.3])
    assert found == {
        "estimate": ["5.0600", "5.1260"],
        "se": ["0.1066", "0.0984"],
        "ci_low": ["4.8000", "5.0067"],
        "ci_high": ["5.2721", "5.3000"],
    }


def test_large_numbers_are_whole() -> None:
    assert shown([123456.7, 98765.4], [2345.6, 3456.7])["estimate"] == ["123457", "98765"]


def test_statistics_have_three_decimals_degrees_of_freedom_one_and_p_four() -> None:
    found = shown([1.0, 2.0], [1.0, 1.0], statistic=[0.5, -12.25], df=[4.0, math.inf], p=[0.04, 1e-9])
    assert found["statistic"] == ["0.500", "-12.250"]
    assert found["df"] == ["4.0", "inf"]
    assert found["p"] == ["0.0400", "<.0001"]


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_numbers_that_would_be_too_long_have_four_digits_each(scale: float) -> None:
    found = shown([1.25 * scale, 3.5 * scale], [0.5 * scale, 0.5 * scale])["estimate"]
    assert [float(cell) for cell in found] == pytest.approx([1.25 * scale, 3.5 * scale])
    assert max(map(len, found)) < 10


def test_estimates_without_standard_errors_are_shown_all_the_same() -> None:
    found = shown([-1.0, -2.0, math.nan], [math.nan] * 3)
    assert found == {"estimate": ["-1.00", "-2.00", "not estimable"], "se": ["", "", ""]}


def test_values_of_a_covariate_are_shown_with_all_their_digits() -> None:
    chance = np.random.default_rng(2)
    data = pd.DataFrame({"year": chance.uniform(1990, 2020, 50), "y": chance.normal(size=50)})
    means = emmeans(ols("y ~ year", data), "year", at={"year": [2019.25, 2019.5, 123456.75]})
    assert spelled(means.table)["year"].tolist() == ["2019.25", "2019.5", "123456.75"]
