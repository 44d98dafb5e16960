"""Each kind of number has one format, and it is APA's."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from forethought.reports import formatting


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0, "< .001"),
        (0.00099, "< .001"),
        (0.001, ".001"),
        (0.0104, ".010"),
        (0.05, ".050"),
        (0.9994, ".999"),
        (0.9996, "> .999"),
        (1.0, "> .999"),
        (None, "—"),
        (float("nan"), "—"),
    ],
)
def test_p_has_three_decimals_and_no_leading_zero(p: float | None, shown: str) -> None:
    assert formatting.p_value(p) == shown


@pytest.mark.parametrize(("p", "shown"), [(0.012, "p = .012"), (0.0002, "p < .001"), (1.0, "p > .999")])
def test_in_a_sentence_p_brings_its_own_sign(p: float, shown: str) -> None:
    assert formatting.p_in_words(p) == shown


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (0.5, 2, "0.50"),
        (-0.5, 2, "−0.50"),
        (-0.001, 2, "0.00"),
        (1234.5, 1, "1,234.5"),
        (None, 2, "—"),
        (float("inf"), 1, "—"),
    ],
)
def test_a_number_keeps_its_leading_zero_and_a_true_minus(
    value: float | None, decimals: int, shown: str
) -> None:
    assert formatting.number(value, decimals) == shown


@pytest.mark.parametrize(
    ("r", "shown"), [(0.0655, ".07"), (-0.692, "−.69"), (1.0, "1.00"), (-1.0, "−1.00"), (None, "—")]
)
def test_a_correlation_has_no_leading_zero(r: float | None, shown: str) -> None:
    assert formatting.correlation(r) == shown


def test_an_interval_stands_in_brackets() -> None:
    assert formatting.interval(-0.1, 0.234, 2) == "[−0.10, 0.23]"
    assert formatting.interval(None, 0.234, 2) == "—"


@pytest.mark.parametrize(("df", "shown"), [(28.94, "t(28.9) = 2.74, p = .010"), (None, "z = 2.74, p = .010")])
def test_a_test_names_its_distribution_with_its_df(df: float | None, shown: str) -> None:
    assert formatting.test_in_words(2.7354, df, 0.0104) == shown


@pytest.mark.parametrize(
    ("errors", "decimals"),
    [
        ([6.8, 1.5], 2),
        ([0.27, 0.071], 3),
        ([0.0361, 0.0019], 4),
        ([0.00012], 4),
        ([None], 2),
        ([], 2),
        ([0.0], 2),
    ],
)
def test_a_table_has_the_decimals_that_its_smallest_error_needs(
    errors: list[float | None], decimals: int
) -> None:
    assert formatting.decimals_for(errors) == decimals


@pytest.mark.parametrize(("value", "shown"), [(0.25, "0.25"), (2.0, "2"), (-0.1, "−0.1"), (245, "245")])
def test_a_number_that_a_person_wrote_is_shown_as_written(value: float, shown: str) -> None:
    assert formatting.plain(value) == shown


def test_a_published_number_is_shown_as_printed_but_for_its_minus() -> None:
    assert formatting.as_printed(" -.003 ") == "−.003"


def test_counts_have_their_thousands_apart_and_a_noun_in_the_right_number() -> None:
    assert formatting.count(26895) == "26,895"
    assert formatting.counted(1, "person", "people") == "1 person"
    assert formatting.counted(2904, "conversation") == "2,904 conversations"


def test_a_share_of_nothing_is_a_dash() -> None:
    assert formatting.share(1, 8) == "12.5%"
    assert formatting.share(0, 0) == "—"


def test_the_level_of_an_interval_has_no_rounding_error_in_it() -> None:
    assert formatting.level(1 - 0.05) == "95%"
    assert formatting.level(1 - 0.025) == "97.5%"


def test_a_time_is_shown_in_utc_whatever_its_zone() -> None:
    in_chicago = datetime(2026, 3, 2, 20, 30, tzinfo=timezone(timedelta(hours=-6)))
    assert formatting.moment(in_chicago) == "2026-03-03 02:30 UTC"
    assert formatting.moment(None) == "—"


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [(0, "less than a minute"), (1, "1 minute"), (59, "59 minutes"), (125, "2 hours"), (2 * 1440, "2 days")],
)
def test_the_time_between_is_in_the_largest_unit_that_fits(minutes: int, shown: str) -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    assert formatting.between(start, start + timedelta(minutes=minutes)) == shown
