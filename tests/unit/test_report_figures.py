"""Figures are the same bytes each time, at home on any page, and readable without being seen."""

import re
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from forethought.analysis.verdicts import Verdict
from forethought.reports.content import Figure, Forest, ForestRow, Means, MeansPanel, MeansSeries
from forethought.reports.figures import VARIABLES, draw
from forethought.reports.rendering import stylesheet

ROW = ForestRow(
    group=None, label="Each further day", estimate=10.47, low=7.21, high=13.73, verdict=Verdict.CORROBORATED
)
FOREST = Forest(
    id="forest", caption="Estimates", alternative="One estimate.", axis="ms", smallest_effect=2.0, rows=(ROW,)
)
MEANS = Means(
    id="means",
    caption="Means",
    alternative="Two arms.",
    sessions=("First", "Second"),
    panels=(
        MeansPanel(
            title="Empathy",
            series=(
                MeansSeries(label="Control", means=(1.0, 1.1), margins=(0.1, 0.2)),
                MeansSeries(label="Coach", means=(1.0, None), margins=(None, None)),
            ),
        ),
    ),
)


def with_label(label: str) -> Forest:
    return replace(FOREST, rows=(replace(ROW, label=label),))


def words_in(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter() if node.tag == "text"]  # noqa: S314 (our own)


@pytest.mark.parametrize("figure", [FOREST, MEANS])
def test_the_same_figure_is_drawn_in_the_same_bytes(figure: Figure) -> None:
    assert draw(figure) == draw(figure)


@pytest.mark.parametrize("figure", [FOREST, MEANS])
def test_a_users_own_matplotlib_settings_change_nothing(figure: Figure) -> None:
    import matplotlib as mpl

    usual = draw(figure)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert draw(figure) == usual


@pytest.mark.parametrize("figure", [FOREST, MEANS])
def test_a_figure_has_a_name_and_a_description_for_who_cannot_see_it(figure: Figure) -> None:
    root = ET.fromstring(draw(figure))  # noqa: S314 (our own)
    named = {node.get("id"): node.text for node in root if node.get("id")}
    assert root.get("role") == "img"
    assert [named[name] for name in root.get("aria-labelledby", "").split()] == [
        figure.caption,
        figure.alternative,
    ]


@pytest.mark.parametrize("figure", [FOREST, MEANS])
def test_a_figure_asks_nothing_of_the_network_and_styles_nothing_outside_itself(figure: Figure) -> None:
    svg = draw(figure)
    assert "http" not in svg
    assert "<style" not in svg
    assert "<script" not in svg


def test_two_figures_on_one_page_share_no_id() -> None:
    one, other = draw(FOREST), draw(replace(FOREST, id="another"))
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("figure", [FOREST, MEANS])
def test_every_reference_in_a_figure_finds_its_target(figure: Figure) -> None:
    svg = draw(figure)
    assert set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg)) <= set(re.findall(r' id="([^"]+)"', svg))


@pytest.mark.parametrize("figure", [FOREST, MEANS])
def test_every_colour_follows_the_pages_scheme(figure: Figure) -> None:
    assert not re.findall(r"(?<!, )#[0-9a-f]{6}", draw(figure))


def test_the_pages_light_colours_are_those_that_a_figure_falls_back_to() -> None:
    light = stylesheet().split("@media")[0]
    declared = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    assert {name: declared.get(name) for name in VARIABLES.values()} == {
        name: colour for colour, name in VARIABLES.items()
    }


@pytest.mark.parametrize(
    "label",
    ['<script>alert("1")</script>', "A & B", "costs $5 or $6", 'id="x" #1d2731', "'DejaVu Sans'", "url(#x)"],
)
def test_words_stay_words_whatever_they_look_like(label: str) -> None:
    assert " ".join(words_in(draw(with_label(label)))).replace(" ", "").count(label.replace(" ", "")) == 1


def test_words_that_the_drawing_font_lacks_are_drawn_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "共感" in draw(with_label("共感"))


def test_a_long_label_is_wrapped_and_at_last_cut() -> None:
    words = words_in(draw(with_label("against personalised feedback " * 6)))
    assert len([text for text in words if "feedback" in text or "personalised" in text]) <= 3
    assert any(text.endswith("…") for text in words)


def test_an_estimate_that_could_not_be_had_is_named_in_its_place() -> None:
    gone = replace(ROW, estimate=None, low=None, high=None, verdict=Verdict.UNEVALUABLE)
    assert " not estimated" in words_in(draw(replace(FOREST, rows=(ROW, gone))))


def test_groups_have_their_own_headings() -> None:
    rows = (replace(ROW, group="Empathy"), replace(ROW, group="Advice"))
    assert {"Empathy", "Advice"} <= set(words_in(draw(replace(FOREST, rows=rows))))


def test_a_forest_without_a_smallest_effect_has_no_band() -> None:
    assert "--band" in draw(FOREST)
    assert "--band" not in draw(replace(FOREST, smallest_effect=None))


def test_an_arm_without_any_mean_is_still_in_the_key() -> None:
    (panel,) = MEANS.panels
    silent = MeansSeries(label="Silent", means=(None, None), margins=(None, None))
    svg = draw(replace(MEANS, panels=(replace(panel, series=(*panel.series, silent)),)))
    assert "Silent" in words_in(svg)
