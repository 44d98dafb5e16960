"""Published numbers beside ours: whether they agree, digit for digit, by the published table's own rounding."""

import math
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Any

from forethought.analysis.fits import Fit
from forethought.protocol.analysis import Expected, Rounding

COLUMNS = ("estimate", "se", "df", "statistic", "p")

_DIGITS = Context(prec=400)  # the largest double with fifteen decimals has 324 digits


def agreement(published: str, ours: float, rounding: Rounding) -> bool:
    """Whether our number, rounded as the table was, is the published one.

    Ours is rounded to the rule's significant digits first, where it has any, and then to its decimals: 2.1794932
    becomes 2.18 and then 2.180. Both steps work on the decimal number that Python prints for ours (its shortest
    exact form), and a number half-way between two goes to the even digit, as R's `round` does. A missing leading
    zero and a typographic minus mean nothing: `.051` is 0.051. `< .001` agrees with any number below it.
    A number of ours that is not finite agrees with nothing.
    """
    if not math.isfinite(ours):
        return False
    text = published.replace("−", "-").replace(",", "").strip()
    try:
        bound = Decimal(text.removeprefix("<").strip())
    except InvalidOperation as not_a_number:
        raise ValueError(f"`{published}` is not a published number") from not_a_number
    if text.startswith("<"):
        return Decimal(repr(float(ours))) < bound
    return rounded(ours, rounding) == bound


def rounded(value: float, rounding: Rounding) -> Decimal:
    """A finite number rounded to significant digits, where the rule has them, and then to decimals."""
    exact = Decimal(repr(float(value)))
    if rounding.significant is not None and exact:
        exact = _to_place(exact, exact.adjusted() - rounding.significant + 1)
    return _to_place(exact, -rounding.decimals)


def _to_place(value: Decimal, exponent: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(exponent), rounding=ROUND_HALF_EVEN, context=_DIGITS)


def compare(expected: Expected, fit: Fit) -> dict[str, Any]:
    """Every published number of one model beside ours, as the JSON values of `results.json`.

    A published term that the fit does not have stands there with `ours` null, and does not agree.
    """
    return {
        "id": expected.id,
        "label": expected.label,
        "source": expected.source,
        "rounding": expected.rounding.model_dump(),
        "rows": list(_rows(expected, fit)),
    }


def _rows(expected: Expected, fit: Fit) -> Iterator[dict[str, Any]]:
    frame = fit.coefficients.set_index("term")
    ours = {column: frame[column].astype(float).to_dict() for column in COLUMNS}
    for coefficient in expected.coefficients:
        for column in COLUMNS:
            published = getattr(coefficient, column)
            if published is None:
                continue
            value = ours[column].get(coefficient.term, math.nan)
            yield {
                "term": coefficient.term,
                "column": column,
                "published": published,
                "ours": value if math.isfinite(value) else None,
                "agrees": agreement(published, value, expected.rounding),
            }
