"""The reference of the protocol: all that the types know is on the page, and the page in docs/ is the newest."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from forethought.grammar import CRITERION_NAMES
from forethought.protocol import plain_yaml, shipped
from forethought.protocol.reference import ANYWHERE, EXAMPLE, LINES, reference
from forethought.protocol.vocabulary import schema

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "protocol.md"
TEXT = reference()
SCHEMA = schema()
HEADINGS = re.findall(r"^#+ (.+)$", TEXT, flags=re.MULTILINE)


def parts(node: Mapping[str, Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every mapping with fields of its own that the schema knows, with each place where it may stand."""
    if "$ref" in node:
        part = SCHEMA["$defs"][node["$ref"].rsplit("/", 1)[1]]
        yield place, part
        for key, field in part["properties"].items():
            yield from parts(field, f"{place}.{key}" if place else key)
    for option in (*node.get("oneOf", ()), *node.get("anyOf", ())):
        yield from parts(option, place)
    if "items" in node:
        yield from parts(node["items"], f"{place}[]")


PARTS = [
    (place, part) for section, node in SCHEMA["properties"].items() for place, part in parts(node, section)
]


def told(place: str, title: str) -> str:
    """What the page tells of the part with this title that stands at this place."""
    sections = re.split(r"^##+ ", TEXT, flags=re.MULTILINE)
    heading = re.sub(r"(?<=[a-z])([A-Z])", r" \1", title).lower()
    found = [
        text
        for text in sections
        if f"`{place}`" in text.split("\n|")[0]
        and text.split("\n")[0].lower().replace("_", " ") in (heading, place.replace("_", " "))
    ]
    assert len(found) == 1, (place, title, len(found))
    return found[0]


def test_the_page_in_docs_is_what_the_types_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == TEXT, "the types have changed: run `make reference`"


def test_every_field_of_every_part_is_told_at_each_place_where_it_may_stand() -> None:
    assert len(PARTS) > len(SCHEMA["$defs"])
    lacking = []
    for place, part in PARTS:
        text = told(place, part["title"])
        for key in part["properties"]:
            known = "[assumed](#assumptions)" if key in ANYWHERE else f"\n| `{key}` | "
            if known not in text:
                lacking.append(f"{place}.{key}")
    assert lacking == []


def test_every_section_is_told() -> None:
    assert [name for name in SCHEMA["properties"] if name not in HEADINGS] == []


def test_every_field_has_its_description() -> None:
    said = " ".join(TEXT.split()).replace("\\|", "|")
    lacking = [
        f"{name}.{key}"
        for name, part in SCHEMA["$defs"].items()
        for key, field in part["properties"].items()
        if " ".join(field["description"].split()) not in said
    ]
    assert lacking == []


def test_every_part_has_its_own_words() -> None:
    said = " ".join(TEXT.split())
    lacking = [
        name for name, part in SCHEMA["$defs"].items() if " ".join(part["description"].split()) not in said
    ]
    assert lacking == []


@pytest.mark.parametrize("method", ["multiple_imputation", "wei_urn", "session", "graphical", "redcap"])
def test_a_method_that_is_known_but_not_in_this_release_is_named(method: str) -> None:
    line = next(line for line in TEXT.splitlines() if f"`{method}`" in line)
    assert method in line.split("not in this release: ")[1]


def test_no_heading_comes_twice() -> None:
    assert len(HEADINGS) > 60
    assert sorted({heading.lower() for heading in HEADINGS}) == sorted(map(str.lower, HEADINGS))


def test_every_link_leads_to_a_heading() -> None:
    links = set(re.findall(r"\]\(#([^)]+)\)", TEXT))
    assert len(links) > 50
    assert links - {heading.lower().replace(" ", "-") for heading in HEADINGS} == set()


def test_every_line_of_a_table_has_four_cells_or_two() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) - 1 for row in rows} == {2, 4}


@pytest.mark.parametrize("name", CRITERION_NAMES)
def test_every_name_of_the_criteria_is_explained(name: str) -> None:
    assert re.search(rf"^\| `{name}` \| \S", TEXT, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("field", "value", "needed"),
    [
        ("alpha", "number above 0, below 1", "default `0.05`"),
        ("block_sizes", "list of one or more: whole number from 1, up to 100,000 or `sealed`", "required"),
        ("chance", "number above 0, below 1 or text of the given form", "required"),
        ("most_draws", "whole number from 1, up to 1,000,000", "default `10000`"),
        ("looks", "list of 2 or more: number above 0, up to 1", "required"),
        ("ratio", "mapping of names to: whole number from 1, up to 100,000", "required"),
        ("opens", "time", "required"),
        ("affiliation", "text", "optional"),
        ("report_coefficients", "`true` or `false`", "default `false`"),
    ],
)
def test_a_value_is_told_in_words(field: str, value: str, needed: str) -> None:
    assert f"\n| `{field}` | {value} | {needed} |" in TEXT


# --- the examples

EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
WHOLE: Any = plain_yaml.parse(shipped.text(EXAMPLE)).data


def begins(part: Any, whole: Any) -> bool:
    """Whether the part is the whole, or what is left of it where its end is cut off."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and begins(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(begins, part, whole))
    return bool(part == whole)


def test_each_section_of_the_shipped_study_is_shown() -> None:
    shown = [example.split(":")[0] for example in EXAMPLES]
    assert shown == [name for name in SCHEMA["properties"] if name in WHOLE]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.split(":")[0])
def test_an_example_is_the_beginning_of_what_the_shipped_study_says(example: str) -> None:
    assert begins(plain_yaml.parse(example.encode()).data, WHOLE)
    assert len(example.splitlines()) <= LINES + 1
