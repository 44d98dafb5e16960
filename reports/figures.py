"""Figures as inline SVG: the same content gives the same bytes, in the page's own colours and fonts.

matplotlib draws them. Text stays text (`svg.fonttype: none`): it can be selected, searched and read aloud, and takes
the page's font; room is kept for matplotlib's own, which is wider. Colours become CSS variables of the page with a
fallback, so that a figure follows the light or dark scheme. Ids bear the figure's name: many figures share a page.
"""

import io
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from xml.sax.saxutils import escape

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.lines import Line2D
from matplotlib.transforms import blended_transform_factory

from forethought.analysis.verdicts import Verdict
from forethought.reports.content import Figure, Forest, ForestRow, Means, MeansPanel

POINTS_PER_INCH = 72
INK, MUTED, RULE, BAND, PAPER = "#1d2731", "#56626e", "#c9d0d6", "#e9edf0", "#fefefe"
VERDICT_COLOURS: dict[Verdict, str] = {
    Verdict.CORROBORATED: "#0b6b57",
    Verdict.FALSIFIED: "#a8321e",
    Verdict.INCONCLUSIVE: "#6b5a12",
    Verdict.UNEVALUABLE: "#5b6773",
}
ARM_COLOURS = ("#5a6673", "#b3541e", "#1f6fb2", "#7a3f98", "#0d7a5f", "#a83264")
ARM_MARKERS = ("o", "s", "^", "D", "v", "P")
ARM_DASHES = (
    "solid",
    (0, (5, 2)),
    (0, (1, 1.4)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (8, 3)),
)

VARIABLES = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    BAND: "band",
    PAPER: "paper",
    **{colour: f"verdict-{verdict}" for verdict, colour in VERDICT_COLOURS.items()},
    **{colour: f"arm-{position}" for position, colour in enumerate(ARM_COLOURS, start=1)},
}

STYLE: dict[Any, Any] = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "forethought",
    "font.family": "DejaVu Sans",
    "font.size": 12.5,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 11.5,
    "axes.linewidth": 1,
    "axes.unicode_minus": True,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": 11.5,
    "ytick.labelsize": 11.5,
}


def draw(figure: Figure) -> str:
    """The figure as an `<svg>` element with its title and description for screen readers."""
    with (
        style.context(["default", STYLE]),
        warnings.catch_warnings(),
    ):  # whatever matplotlibrc the machine has
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the reader's own font has to have it
        drawing = _forest(figure) if isinstance(figure, Forest) else _means(figure)
        target = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        drawing.savefig(target, format="svg", transparent=True, metadata=nothing)
    return _inline(target.getvalue(), figure)


def _inline(svg: str, figure: Figure) -> str:
    """matplotlib's file as an element of a page: own ids, the page's colours and fonts, no outward address."""
    body = svg[svg.index("<svg") :]
    (view_box,) = re.findall(r'^<svg[^>]* viewBox="([^"]+)"', body)
    inner = body[body.index(">") + 1 : body.rindex("</svg>")]
    inner = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", inner, flags=re.DOTALL)
    used = frozenset(re.findall(r'(?:url\(#|href="#)([^)"]+)', inner))
    inner = re.sub(r"<[^>]+>", lambda tag: _tag(tag[0], used, figure.id), inner)
    inner = re.sub(r"\n\s*", "\n", inner)
    return (
        f'<svg viewBox="{view_box}" width="{view_box.split()[2]}" role="img" '
        f'style="stroke-linejoin: round; stroke-linecap: butt" '
        f'aria-labelledby="{figure.id}-title {figure.id}-description">'
        f'<title id="{figure.id}-title">{escape(figure.caption)}</title>'
        f'<desc id="{figure.id}-description">{escape(figure.alternative)}</desc>{inner}</svg>'
    )


def _tag(tag: str, used: frozenset[str], figure: str) -> str:
    """One tag for the page: words between tags stay as they are, whatever they look like."""
    tag = re.sub(
        r' id="([^"]+)"', lambda found: f' id="{figure}-{found[1]}"' if found[1] in used else "", tag
    )
    tag = re.sub(r'(url\(#|href="#)', rf"\g<1>{figure}-", tag).replace("xlink:href", "href")
    tag = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--font, sans-serif)", tag)
    for colour, name in VARIABLES.items():
        tag = tag.replace(colour, f"var(--{name}, {colour})")
    return tag


def _new(width: float, height: float) -> Drawing:
    """An empty drawing, in CSS pixels: matplotlib's points are the units of the view box."""
    return Drawing(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH))


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a forest plot: a row with its wrapped label, or the heading of a group."""

    top: float
    height: float
    text: str
    row: ForestRow | None


FOREST_WIDTH, LABEL_WIDTH, LABEL_LETTERS = 420.0, 168.0, 24
HEADING_LETTERS, LETTER_HEIGHT, ROW_SPACE, AXIS_HEIGHT = 50, 15.5, 10.0, 50.0


def _forest(figure: Forest) -> Drawing:
    lines = tuple(_lines(figure))
    body = lines[-1].top + lines[-1].height
    drawing = _new(FOREST_WIDTH, body + AXIS_HEIGHT)
    left, bottom = LABEL_WIDTH / FOREST_WIDTH, AXIS_HEIGHT / (body + AXIS_HEIGHT)
    axes = drawing.add_axes((left, bottom, 1 - left - 8 / FOREST_WIDTH, 1 - bottom))
    axes.set_ylim(body, 0)
    axes.set_xlim(*_reach(figure))
    _bare(axes)
    if figure.smallest_effect is not None:
        axes.axvspan(-figure.smallest_effect, figure.smallest_effect, color=BAND, linewidth=0, zorder=0)
    axes.axvline(0, color=MUTED, linewidth=1, zorder=1)
    for line in lines:
        _draw_line(axes, line)
    axes.set_xlabel(textwrap.shorten(figure.axis, 40, placeholder="…"))
    return drawing


def _lines(figure: Forest) -> Iterator[_Line]:
    top = 4.0
    for group, rows in groupby(figure.rows, key=lambda row: row.group):
        if group is not None:
            text = textwrap.shorten(group, HEADING_LETTERS, placeholder="…")
            yield _Line(top, LETTER_HEIGHT + 8, text, None)
            top += LETTER_HEIGHT + 8
        for row in rows:
            wrapped = textwrap.wrap(row.label, LABEL_LETTERS, max_lines=3, placeholder="…")
            height = len(wrapped) * LETTER_HEIGHT + ROW_SPACE
            yield _Line(top, height, "\n".join(wrapped), row)
            top += height


def _reach(figure: Forest) -> tuple[float, float]:
    """The axis from end to end: all intervals, zero and the band, with some air."""
    smallest = figure.smallest_effect or 0.0
    ends = [value for row in figure.rows for value in (row.low, row.high, row.estimate) if value is not None]
    low, high = min([-smallest, 0.0, *ends]), max([smallest, 0.0, *ends])
    air = 0.06 * (high - low) or 1.0
    return low - air, high + air


def _draw_line(axes: Axes, line: _Line) -> None:
    middle = line.top + line.height / 2
    beside = blended_transform_factory(axes.figure.transFigure, axes.transData)
    weight = "bold" if line.row is None else "normal"
    axes.text(
        0.004, middle, line.text, transform=beside, va="center", ha="left", weight=weight, linespacing=1.15
    )
    if line.row is None:
        return
    row, colour = line.row, VERDICT_COLOURS[line.row.verdict]
    if row.estimate is None:
        axes.text(0, middle, " not estimated", va="center", color=MUTED, style="italic")
        return
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [middle, middle], color=colour, linewidth=2, solid_capstyle="butt")
    face = colour if row.verdict in (Verdict.CORROBORATED, Verdict.FALSIFIED) else PAPER
    marker = "X" if row.verdict is Verdict.FALSIFIED else "o"
    axes.plot(
        [row.estimate],
        [middle],
        marker=marker,
        markersize=7,
        markerfacecolor=face,
        color=colour,
        markeredgewidth=1.6,
    )


def _bare(axes: Axes) -> None:
    """Only the axis below, with its ticks."""
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.set_yticks([])
    axes.tick_params(axis="x", length=4)
    axes.patch.set_visible(False)


PANEL_WIDTH, PANEL_HEIGHT, PANELS_ABREAST, KEY_HEIGHT = 236.0, 168.0, 2, 24.0


def _means(figure: Means) -> Drawing:
    rows = -(-len(figure.panels) // PANELS_ABREAST)
    key = KEY_HEIGHT * -(-len(figure.panels[0].series) // PANELS_ABREAST)
    height = rows * PANEL_HEIGHT + key
    drawing = _new(PANEL_WIDTH * PANELS_ABREAST, height)
    for position, panel in enumerate(figure.panels):
        row, place = divmod(position, PANELS_ABREAST)
        left = (place * PANEL_WIDTH + 34) / (PANEL_WIDTH * PANELS_ABREAST)
        bottom = (height - key - (row + 1) * PANEL_HEIGHT + 34) / height
        size = (PANEL_WIDTH - 46) / (PANEL_WIDTH * PANELS_ABREAST), (PANEL_HEIGHT - 66) / height
        axes = drawing.add_axes((left, bottom, *size))
        _panel(axes, panel, len(figure.sessions))
    _key(drawing, figure)
    return drawing


def _panel(axes: Axes, panel: MeansPanel, sessions: int) -> None:
    axes.set_title(textwrap.shorten(panel.title, 34, placeholder="…"), fontsize=11, loc="left", weight="bold")
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)
    axes.patch.set_visible(False)
    axes.set_xticks(range(sessions), [str(number) for number in range(1, sessions + 1)])
    axes.set_xlim(-0.35, sessions - 0.65)
    axes.locator_params(axis="y", nbins=4)
    axes.grid(axis="y", color=BAND, linewidth=1)
    axes.set_axisbelow(True)
    middle = (len(panel.series) - 1) / 2
    for position, series in enumerate(panel.series):
        points = zip(series.means, series.margins, strict=True)
        known = [
            (index + 0.09 * (position - middle), mean, margin or 0.0)
            for index, (mean, margin) in enumerate(points)
            if mean is not None
        ]
        places, means, margins = zip(*known, strict=True) if known else ((), (), ())
        axes.errorbar(places, means, yerr=margins, elinewidth=1, **_look(position))


def _look(position: int) -> dict[str, Any]:
    """Colour, marker and dashes of an arm: any one of them tells it from the others."""
    return {
        "color": ARM_COLOURS[position % len(ARM_COLOURS)],
        "marker": ARM_MARKERS[position % len(ARM_MARKERS)],
        "linestyle": ARM_DASHES[position % len(ARM_DASHES)],
        "markersize": 5,
        "linewidth": 1.4,
    }


def _key(drawing: Drawing, figure: Means) -> None:
    """The arms, above the panels."""
    lines = [
        Line2D([], [], label=textwrap.shorten(series.label, 34, placeholder="…"), **_look(position))
        for position, series in enumerate(figure.panels[0].series)
    ]
    drawing.legend(
        handles=lines,
        loc="upper left",
        bbox_to_anchor=(0, 1),
        ncols=PANELS_ABREAST,
        frameon=False,
        handlelength=3.2,
    )
