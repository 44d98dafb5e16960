"""A number of ours agrees with a published one by the published table's own rounding."""

import math
from typing import Any

import pandas as pd
import pytest

from forethought.analysis.expected import agreement, compare
from forethought.protocol.analysis import Expected, ExpectedCoefficient, Rounding

DECIMALS = Rounding(decimals=3)
TWICE = Rounding(significant=3, decimals=3)


@pytest.mark.parametrize(
    ("published", "ours", "rounding", "agrees"),
    [
        ("2.180", 2.1794932, TWICE, True),
        ("2.180", 2.1794932, DECIMALS, False),
        ("2.179", 2.1794932, DECIMALS, True),
        ("-.003", -0.002899, TWICE, True),
        ("−.003", -0.002899, TWICE, True),
        (".051", 0.0505832, TWICE, True),
        ("0.051", 0.0505832, TWICE, True),
        ("43.100", 43.0873, TWICE, True),
        (".000", 0.0000123, TWICE, True),
        ("-.000", 0.0000123, TWICE, True),
        (".000", 0.000507, TWICE, False),
        (".000", 0.0005001, TWICE, True),
        (".099", 0.0995001, TWICE, False),
        ("1,744", 1743.6283, Rounding(decimals=0), True),
        ("17", 17.0000001, DECIMALS, True),
        ("< .001", 0.0000123, TWICE, True),
        ("<.001", 0.001, TWICE, False),
        (".000", 0.0, TWICE, True),
        (".051", math.nan, TWICE, False),
        (".051", math.inf, TWICE, False),
    ],
)
def test_every_published_digit_counts(published: str, ours: float, rounding: Rounding, agrees: bool) -> None:
    assert agreement(published, ours, rounding) is agrees


@pytest.mark.parametrize(("ours", "published"), [(0.0125, ".012"), (0.0135, ".014"), (2.5e-3, ".002")])
def test_half_way_between_two_the_even_digit_is_taken(ours: float, published: str) -> None:
    assert agreement(published, ours, DECIMALS)


def test_a_huge_number_is_rounded_like_any_other() -> None:
    assert agreement("1" + "0" * 300, 1e300, Rounding(significant=15, decimals=15))


def test_a_published_word_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="`ns` is not a published number"):
        agreement("ns", 0.5, DECIMALS)


class _Fit:
    """A fit that has coefficients, which is all that a comparison reads."""

    coefficients = pd.DataFrame(
        {
            "term": ["x"],
            "estimate": [0.12345],
            "se": [0.05],
            "df": [math.inf],
            "statistic": [2.469],
            "p": [0.0136],
        }
    )


def _compared(*coefficients: ExpectedCoefficient) -> dict[str, Any]:
    expected = Expected(
        id="paper", label="The paper", source="Table 1", model="m", outcome="y", rounding=DECIMALS, coefficients=coefficients
    )  # fmt: skip
    return compare(expected, _Fit())  # type: ignore[arg-type]


def test_a_comparison_has_a_row_for_each_published_number_and_no_other() -> None:
    rows = _compared(ExpectedCoefficient(term="x", estimate=".123", p=".014"))["rows"]
    assert [(row["column"], row["published"], row["ours"], row["agrees"]) for row in rows] == [
        ("estimate", ".123", 0.12345, True),
        ("p", ".014", 0.0136, True),
    ]


def test_a_published_term_that_the_fit_lacks_stands_there_and_does_not_agree() -> None:
    (row,) = _compared(ExpectedCoefficient(term="z", estimate=".123"))["rows"]
    assert (row["ours"], row["agrees"]) == (None, False)


def test_infinite_degrees_of_freedom_are_null_and_agree_with_nothing() -> None:
    (row,) = _compared(ExpectedCoefficient(term="x", df="17"))["rows"]
    assert (row["ours"], row["agrees"]) == (None, False)


def test_a_comparison_says_whose_numbers_and_how_rounded() -> None:
    compared = _compared(ExpectedCoefficient(term="x", estimate=".123"))
    assert {key: compared[key] for key in ("id", "label", "source", "rounding")} == {
        "id": "paper",
        "label": "The paper",
        "source": "Table 1",
        "rounding": {"significant": None, "decimals": 3},
    }
