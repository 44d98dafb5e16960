"""The page is one safe file, well formed, and readable in either colour scheme."""

import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import UndefinedError

from forethought.reports.rendering import render, stylesheet

VOID = {"meta", "br", "hr", "img", "link", "input", "col", "path", "use"}


class Page(HTMLParser):
    """What the tests ask of a page: its tags with their attributes, its headings, and whether tags close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


@pytest.fixture(scope="module", params=["real_study", "blinded_study", "simulated_study"])
def html(request: pytest.FixtureRequest) -> str:
    return render(request.getfixturevalue(request.param).report())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_tag_that_opens_closes(page: Page) -> None:
    assert (page.wrong, page.open) == ([], [])


def test_nothing_points_outside_the_file(html: str, page: Page) -> None:
    addresses = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data", "poster")
    ]
    assert all(address and address.startswith("#") for address in addresses)
    assert not re.search(r"@import|url\((?!#)", html)
    assert not page.all("script", "link", "iframe", "object", "img")


def test_the_policy_allows_nothing_but_styles_and_inline_pictures(page: Page) -> None:
    (policy,) = [
        meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_the_encoding_and_the_viewport_are_declared(html: str, page: Page) -> None:
    assert html.index('<meta charset="utf-8">') < 1024
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")


def test_no_id_occurs_twice_and_every_reference_has_its_target(page: Page) -> None:
    ids = Counter(attributes["id"] for _, attributes in page.tags if attributes.get("id"))
    references = {
        name
        for _, attributes in page.tags
        for key in ("aria-labelledby", "aria-describedby")
        for name in (attributes.get(key) or "").split()
    } | {(attributes.get("href") or "#findings")[1:] for attributes in page.all("a")}
    assert [name for name, times in ids.items() if times > 1] == []
    assert references <= set(ids)


def test_headings_go_down_one_level_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_every_heading_cell_its_scope(page: Page) -> None:
    assert len(page.all("table")) == len(page.all("caption"))
    assert {cell.get("scope") for cell in page.all("th")} <= {"col", "row", "rowgroup"}


def test_every_box_that_scrolls_is_reached_by_the_keyboard_and_has_a_name(page: Page) -> None:
    boxes = [box for box in page.all("div") if box.get("class") == "scroll"]
    assert len(boxes) == len(page.all("table"))
    assert all(box["tabindex"] == "0" and box["role"] == "region" and box["aria-label"] for box in boxes)


def test_every_figure_has_its_words(page: Page) -> None:
    assert len(page.all("svg")) == len(page.all("figcaption")) == len(page.all("figure"))


def test_the_file_is_small(html: str) -> None:
    assert len(html.encode()) < 1_000_000


def test_the_times_of_the_run_stand_in_one_marked_section(html: str) -> None:
    before, section = html.split('<section id="run"')
    assert "2026-05-04 12:30" in section
    assert "2026-05-04 12:30" not in before.replace("<td>2026-05-04 12:30 UTC</td>", "")


def test_the_same_study_gives_the_same_bytes(simulated_study: Any) -> None:
    assert render(simulated_study.report()) == render(simulated_study.report())


def test_agreement_with_a_published_number_is_said_and_not_only_coloured(real_study: Any) -> None:
    html = render(real_study.report())
    assert '251.405 ✓<span class="unseen"> agrees</span>' in html


def test_words_of_the_protocol_cannot_become_markup(real_study: Any) -> None:
    planted = '"><img src=x onerror=alert(1)>'
    study = real_study.protocol.study.model_copy(update={"title": planted, "limitations": (planted,)})
    contrast = real_study.protocol.analysis.contrasts[0].model_copy(update={"label": planted})
    analysis = real_study.protocol.analysis.model_copy(update={"contrasts": (contrast,)})
    protocol = real_study.protocol.model_copy(update={"study": study, "analysis": analysis})
    page = Page(render(real_study.report(protocol=protocol)))
    assert not page.all("img")
    assert page.wrong == []


def test_a_name_that_the_content_does_not_have_stops_the_rendering() -> None:
    with pytest.raises(UndefinedError):
        render(SimpleNamespace(sections=()))  # type: ignore[arg-type]


# --- colours ---


def _scheme(name: str) -> dict[str, str]:
    root, dark, *_ = re.findall(r":root \{(.*?)\}", stylesheet(), re.DOTALL)
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", root))
    return light if name == "light" else light | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return sum(weight * one for weight, one in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *((text, ground) for text in ("ink", "muted") for ground in ("paper", "panel", "band")),
        ("link", "paper"),
        ("warn", "warn-ground"),
        ("warn", "paper"),
        *(
            (f"verdict-{name}", "paper")
            for name in ("corroborated", "falsified", "inconclusive", "unevaluable")
        ),
    ],
)
def test_text_stands_out_from_its_ground_by_4_5_to_1(scheme: str, text: str, ground: str) -> None:
    colours = _scheme(scheme)
    assert _contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("arm", range(1, 7))
def test_the_line_of_an_arm_stands_out_from_the_page_by_3_to_1(scheme: str, arm: int) -> None:
    colours = _scheme(scheme)
    assert _contrast(colours[f"arm-{arm}"], colours["paper"]) >= 3
