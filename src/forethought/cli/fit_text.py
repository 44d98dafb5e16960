"""A fitted model in lines for people, in the order of R's summary; no line depends on the terminal."""

import math
from collections.abc import Iterable, Iterator, Sequence

import pandas as pd

from forethought.analysis.lmm import MixedFit
from forethought.steps.fit import Fitted

DIGITS = 7
"""Significant ones of the smallest standard error in a table; its column has as many decimals."""

MOST_DECIMALS = 12

BASES = {
    "satterthwaite": "Satterthwaite's degrees of freedom",
    "kenward-roger": "Kenward and Roger's degrees of freedom",
    "normal": "normal distribution",
}

Row = Sequence[str]


def lines(fitted: Fitted) -> Iterator[str]:
    """What was fitted, the random effects, the fixed effects, what else was asked, the warnings."""
    for place, part in enumerate(_parts(fitted)):
        if place:
            yield ""
        yield from part


def _parts(fitted: Fitted) -> Iterator[list[str]]:
    fit, asked = fitted.fit, fitted.asked
    yield _head(fit)
    yield ["Random effects", *_random_effects(fit.variance_components)]
    yield [f"Fixed effects, {BASES[fit.ddf_method]}", *_coefficients(fit.coefficients)]
    if fitted.anova is not None:
        yield [f"Tests of terms, type {asked.anova}", *_tests(fitted.anova)]
    if fitted.intervals is not None:
        method = "profile likelihood, of the fit by ML" if asked.intervals == "profile" else "Wald"
        yield [f"95 % intervals ({method})", *_intervals(fitted.intervals)]
    if (means := fitted.means) is not None:
        yield [f"Marginal means of {_within(means.names, means.by)}", *repr(means).splitlines()]
    if (contrasts := fitted.contrasts) is not None and asked.means is not None:
        yield [f"Contrasts ({asked.means.contrasts})", *repr(contrasts).splitlines()]
    if fit.warnings:
        yield [f"Warning: {warning}" for warning in fit.warnings]


def _head(fit: MixedFit) -> list[str]:
    groups = ", ".join(f"{levels:,} {name}" for name, levels in fit.n_groups.items())
    rows = f"{fit.n_obs:,} of {fit.n_obs + fit.n_dropped:,} rows" if fit.n_dropped else f"{fit.n_obs:,} rows"
    kind = "REML criterion" if fit.reml else "Deviance"
    explained, icc = fit.r_squared, fit.icc
    return [
        fit.formula,
        f"{rows}; {groups}",
        f"{kind} {fit.criterion:.4f}; log-likelihood {fit.log_likelihood:.4f}; AIC {fit.aic:.4f}; BIC {fit.bic:.4f}",
        f"R2 {explained.marginal:.4f} marginal, {explained.conditional:.4f} conditional; ICC {icc.adjusted:.4f} adjusted",
    ]


def _random_effects(frame: pd.DataFrame) -> list[str]:
    """A line for each effect, with its correlations with those before it in the same group."""
    is_variance = frame["term2"].isna()
    rows = list[Row]()
    numbers = zip(
        *(
            _aligned(frame.loc[is_variance, name], _decimals(frame[name].iloc[-1:]))
            for name in ("variance_or_covariance", "sd_or_correlation")
        ),
        strict=True,
    )
    for (variance, sd), (_, row) in zip(numbers, frame[is_variance].iterrows(), strict=True):
        term = "" if pd.isna(row["term1"]) else str(row["term1"])
        before = frame[(frame["group"] == row["group"]) & (frame["term2"] == term)]
        rows.append(
            [str(row["group"]), term, variance, sd, *(f"{r:.4f}" for r in before["sd_or_correlation"])]
        )
    header = ["group", "effect", "variance", "SD"]
    return _table([*header, "correlations"] if max(map(len, rows)) > len(header) else header, rows, texts=2)


def _coefficients(frame: pd.DataFrame) -> list[str]:
    decimals = _decimals(frame["se"])
    normal = not any(map(math.isfinite, frame["df"]))
    columns = [
        ["term", *frame["term"]],
        ["estimate", *_aligned(frame["estimate"], decimals)],
        ["SE", *_aligned(frame["se"], decimals)],
        ["df", *(_number(df, "{:.2f}") for df in frame["df"])],
        ["z" if normal else "t", *(_number(value, "{:.3f}") for value in frame["statistic"])],
        ["p", *map(_p, frame["p"])],
    ]
    header, *rows = zip(*(columns[:3] + columns[4:] if normal else columns), strict=True)
    return _table(header, rows)


def _tests(frame: pd.DataFrame) -> list[str]:
    decimals = _decimals([frame["sum_sq"].max()], digits=6)
    squares = (_aligned(frame[name], decimals) for name in ("sum_sq", "mean_sq"))
    rows = [
        [
            row["term"],
            sum_sq,
            mean_sq,
            str(row["num_df"]),
            _number(row["den_df"], "{:.2f}"),
            _number(row["F"], "{:.4f}"),
            _p(row["p"]),
        ]
        for row, sum_sq, mean_sq in zip(frame.to_dict(orient="records"), *squares, strict=True)
    ]
    return _table(["term", "sum of squares", "mean square", "num df", "den df", "F", "p"], rows)


def _intervals(frame: pd.DataFrame) -> list[str]:
    decimals = _decimals(frame["ci_high"] - frame["ci_low"])
    columns = [_aligned(frame[name], decimals) for name in ("estimate", "ci_low", "ci_high")]
    rows = [list(row) for row in zip(frame["parameter"], *columns, strict=True)]
    return _table(["parameter", "estimate", "low", "high"], rows)


def _within(names: Sequence[str], by: Sequence[str]) -> str:
    return ", ".join(names) + (f" by {', '.join(by)}" if by else "")


def _table(header: Row, rows: Sequence[Row], *, texts: int = 1) -> list[str]:
    """Columns two spaces apart, the first ones to the left and those of numbers to the right."""
    width = max(map(len, (header, *rows)))
    whole = [[*row, *[""] * (width - len(row))] for row in (header, *rows)]
    sizes = [max(map(len, column)) for column in zip(*whole, strict=True)]
    return [
        "  ".join(
            cell.ljust(size) if place < texts else cell.rjust(size)
            for place, (cell, size) in enumerate(zip(row, sizes, strict=True))
        ).rstrip()
        for row in whole
    ]


def _aligned(values: Iterable[float], decimals: int) -> list[str]:
    """Numbers with the same decimals; with as many significant digits each where those would be too many."""
    form = f"{{:.{DIGITS}g}}" if decimals > MOST_DECIMALS else f"{{:.{decimals}f}}"
    return [_number(value, form) for value in values]


def _decimals(values: Iterable[float], digits: int = DIGITS) -> int:
    """As many as show the smallest of the values with so many significant digits."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    return max(0, digits - 1 - math.floor(math.log10(min(sizes)))) if sizes else digits - 1


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) else form.format(value)


def _p(p: float) -> str:
    return "<.0001" if p < 0.0001 else _number(p, "{:.4f}")
