"""Every number format of the report, in APA style: one function for each kind of number.

APA: exact p to three decimals, `< .001` below that, no leading zero where a number cannot exceed one (p and r),
intervals in brackets, a true minus sign. A number that is not there prints as a dash.
"""

import math
from collections.abc import Iterable
from datetime import UTC, datetime

MINUS = "−"
ABSENT = "—"


def number(value: float | None, decimals: int) -> str:
    """A number with fixed decimals and its leading zero; what rounds to zero has no sign."""
    if value is None or not math.isfinite(value):
        return ABSENT
    text = f"{abs(value):,.{decimals}f}"
    return MINUS + text if value < 0 and any(digit in "123456789" for digit in text) else text


def plain(value: float) -> str:
    """A number that a person once wrote, such as 0.25 or 2, with the digits it needs and no more."""
    text = f"{abs(value):.12g}"
    return MINUS + text if value < 0 else text


def count(value: int) -> str:
    """A whole number with its thousands apart: 26,895."""
    return f"{value:,}"


def counted(value: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun: `1 person`, `968 people`."""
    return f"{count(value)} {singular if value == 1 else plural or singular + 's'}"


def share(part: int, whole: int) -> str:
    """A percentage to one decimal; a dash where the whole is nothing."""
    return f"{100 * part / whole:.1f}%" if whole else ABSENT


def p_value(p: float | None) -> str:
    """A p value for a column: `.012`, `< .001`, `> .999`."""
    if p is None or not math.isfinite(p):
        return ABSENT
    if p < 0.001:
        return "< .001"
    text = f"{p:.3f}"
    return "> .999" if text == "1.000" else text.removeprefix("0")


def p_in_words(p: float | None, symbol: str = "p") -> str:
    """A p value for a sentence: `p = .012`, `p < .001`."""
    text = p_value(p)
    return f"{symbol} {text}" if text[0] in "<>" else f"{symbol} = {text}"


def correlation(r: float | None, decimals: int = 2) -> str:
    """A correlation without its leading zero: `.07`, `−.69`, `1.00`."""
    text = number(r, decimals)
    return text.replace("0.", ".", 1) if text.removeprefix(MINUS).startswith("0.") else text


def degrees_of_freedom(df: float | None) -> str:
    """Degrees of freedom to one decimal."""
    return number(df, 1)


def statistic(value: float | None) -> str:
    """A test statistic to two decimals."""
    return number(value, 2)


def interval(low: float | None, high: float | None, decimals: int) -> str:
    """A confidence interval in brackets: `[−0.10, 0.23]`."""
    if low is None or high is None:
        return ABSENT
    return f"[{number(low, decimals)}, {number(high, decimals)}]"


def level(coverage: float) -> str:
    """An interval's coverage: `95%`."""
    return f"{100 * coverage:.6g}%"


def test_in_words(value: float | None, df: float | None, p: float | None) -> str:
    """A test as APA prints it: `t(17.0) = 6.77, p < .001`, or with z where there are no df."""
    name = "z" if df is None else f"t({degrees_of_freedom(df)})"
    return f"{name} = {statistic(value)}, {p_in_words(p)}"


def decimals_for(standard_errors: Iterable[float | None]) -> int:
    """Decimals for the estimates of one table: two significant digits of the smallest SE, from 2 to 4."""
    known = [se for se in standard_errors if se is not None and math.isfinite(se) and se > 0]
    if not known:
        return 2
    return min(4, max(2, 1 - math.floor(math.log10(min(known)))))


def as_printed(text: str) -> str:
    """A published number as its source prints it, with a true minus sign."""
    return text.strip().replace("-", MINUS)


def moment(when: datetime | None) -> str:
    """A time in UTC to the minute: `2026-03-14 09:26 UTC`."""
    return ABSENT if when is None else f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def between(earlier: datetime, later: datetime) -> str:
    """How much later, in the largest unit that fits: `3 days`, `2 hours`, `less than a minute`."""
    minutes = int((later - earlier).total_seconds() // 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            return counted(minutes // size, unit)
    return "less than a minute"
