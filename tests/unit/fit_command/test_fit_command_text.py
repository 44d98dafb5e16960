"""What `fit` prints for people."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from forethought.cli import fit_text

Fit = Callable[..., Any]

SLEEP = Path(__file__).parents[2] / "reference/lmm/sleepstudy.csv"
EVERYTHING = "--anova 3 --intervals wald --emmeans arm --contrasts pairwise"


def part(lines: list[str], title: str) -> list[str]:
    """The lines below a title, to the next empty one."""
    below = lines[lines.index(title) + 1 :]
    return below[: below.index("")] if "" in below else below


def test_the_parts_have_the_order_of_rs_summary(fit: Fit) -> None:
    lines = fit(*EVERYTHING.split()).lines
    starts = [lines[0], *(line for before, line in pairwise(lines) if not before)]
    assert [line for line in starts if not line.startswith("Degrees of freedom")] == [
        "y ~ arm + tnum + (1 | pid)",
        "Random effects",
        "Fixed effects, Satterthwaite's degrees of freedom",
        "Tests of terms, type 3",
        "95 % intervals (Wald)",
        "Marginal means of arm",
        "Contrasts (pairwise)",
    ]


def test_the_sleep_study_reads_as_it_should(fit: Fit) -> None:
    """Its numbers are those of sleep_slope.json and, R2 and ICC, of effect_sizes.json in tests/reference/lmm."""
    told = fit(data=SLEEP, formula="Reaction ~ Days + (Days | Subject)")
    assert told.lines == [
        "Reaction ~ Days + (Days | Subject)",
        "180 rows; 18 Subject",
        "REML criterion 1743.6283; log-likelihood -871.8141; AIC 1755.6283; BIC 1774.7860",
        "R2 0.2787 marginal, 0.7992 conditional; ICC 0.7217 adjusted",
        "",
        "Random effects",
        "group     effect     variance        SD  correlations",
        "Subject   Intercept  612.0899  24.74045",
        "Subject   Days        35.0717   5.92213        0.0656",
        "Residual             654.9410  25.59182",
        "",
        "Fixed effects, Satterthwaite's degrees of freedom",
        "term         estimate        SE     df       t       p",
        "Intercept  251.405105  6.824557  17.00  36.838  <.0001",
        "Days        10.467286  1.545789  17.00   6.771  <.0001",
    ]


def test_a_normal_test_has_z_and_no_degrees_of_freedom(fit: Fit) -> None:
    header, *_ = part(fit("--ddf", "normal").lines, "Fixed effects, normal distribution")
    assert header.split() == ["term", "estimate", "SE", "z", "p"]


def test_the_criterion_of_maximum_likelihood_is_a_deviance(fit: Fit) -> None:
    assert fit("--ml").lines[2].startswith("Deviance ")


def test_rows_left_out_are_told_and_warned_of(fit: Fit, file: Fit) -> None:
    rows = [f"{row % 7 + row / 10},{'NA' if row % 9 == 0 else row % 4},{row % 5}" for row in range(36)]
    lines = fit(data=file("\n".join(["y,x,g", *rows])), formula="y ~ x + (1 | g)").lines
    assert lines[1] == "32 of 36 rows; 5 g"
    assert "Warning: 4 rows with missing values were dropped" in lines


def test_means_and_contrasts_have_their_notes(fit: Fit) -> None:
    out = fit("--emmeans", "arm", "--contrasts", "pairwise", "--adjust", "holm").out
    assert "p: adjusted by holm for a family of 3 contrasts" in out


def test_small_units_round_nothing_away(fit: Fit, file: Fit) -> None:
    def table(unit: float) -> list[list[str]]:
        rows = [f"{(row % 7 + row / 10) * unit!r},{row % 4},{row % 5}" for row in range(36)]
        told = fit(data=file("\n".join(["y,x,g", *rows])), formula="y ~ x + (1 | g)")
        return [
            line.split() for line in part(told.lines, "Fixed effects, Satterthwaite's degrees of freedom")
        ]

    in_metres, in_micrometres = table(1e-6), table(1.0)
    assert float(in_metres[1][1]) == pytest.approx(1e-6 * float(in_micrometres[1][1]), rel=1e-5)
    assert in_metres[2][3:] == in_micrometres[2][3:]


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.00009999, "<.0001"), (0.0001, "0.0001"), (0.04996, "0.0500"), (1.0, "1.0000"), (float("nan"), "")],
)
def test_p_has_four_decimals_or_is_below_them(p: float, text: str) -> None:
    assert fit_text._p(p) == text


def test_no_line_depends_on_the_terminal(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    wide = fit(*EVERYTHING.split()).out
    monkeypatch.setenv("COLUMNS", "20")
    assert fit(*EVERYTHING.split()).out == wide


def test_the_squares_of_a_table_of_tests_share_their_decimals(fit: Fit) -> None:
    _, *rows = part(fit("--anova", "3").lines, "Tests of terms, type 3")
    squares = [number for row in rows for number in row.split()[1:3]]
    assert len({len(number.partition(".")[2]) for number in squares}) == 1
