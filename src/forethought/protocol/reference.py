"""The reference of the protocol as a page of Markdown, made from the types: nothing in it is written twice."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any

from forethought.grammar import CRITERION_NAMES, FUNCTIONS
from forethought.grammar.criteria import COMPARE
from forethought.protocol import shipped
from forethought.protocol.formats import CURRENT, FIRST
from forethought.protocol.vocabulary import schema

Node = Mapping[str, Any]

ANYWHERE = ("assumed", "note")
"""The two fields of every part that may be assumed: told once, and not in each table."""

BAR = "\\|"
"""A bar inside a table's cell."""

_HEAD = "| Field | Value | Needed | Meaning |\n|---|---|---|---|"
EXAMPLE, FEWEST, LINES = "lend_an_ear", 6, 18
"""The shipped study whose sections are shown, and how many lines of each."""

_NAME = "^[A-Za-z][A-Za-z0-9_]*$"

_OPENING = """\
# The protocol, field by field

This page is made from the program's own types by `forethought schema --markdown`; `make reference` renews it. For
editors there is a JSON Schema: `forethought schema`. `forethought check` names every problem of a file with its line,
and what the sections say of each other too.

## Rules for all values

- **Names** are identifiers: letters, digits and underscores, a letter first, 64 characters at most. Sections refer to
  each other by them.
- **Texts** are for people: a word, a sentence or more, never empty. Put a long one after `>-`.
- **Times** are written in quotes with their offset from UTC: `"2026-03-25T09:00:00+00:00"`.
- **Numbers** are decimal, with a point. Whole numbers stay below 2^53.
- What programs read in different ways is refused, with its line and what to write instead: `no`, `yes`, `on` and `off`
  without quotes, `12:30`, `2026-03-25`, `0x1F`, `1_000`, `.nan`; keys that stand twice, anchors, tags and tabs.
- A field that is not listed here is refused. One that is optional may be left out, and has no effect then.

## Assumptions

Many parts may be marked `assumed: true`, with a `note` that says why: the source of the study does not state them. The
report lists every such part. Where a part "may be assumed", these two fields may stand in it:
"""

_FORMATS = """
## Formats

The first line names the version of these rules: `format: {current}`. A file of `{first}` keeps the rules of its own
format and its fingerprint; what that format did not ask for is taken as not stated. A newer format than this release
knows is refused.

## Formulas

Models are written as lme4 writes them: `y ~ arm * round + (1 | participant)`, where `y` stands for each outcome. A
formula may call {functions}, and `C` and `poly`; nothing else is evaluated.

## Criteria

`corroborate_if` and `falsify_if` of a hypothesis compare numbers of a finding, for each contrast and outcome by itself:
`p_adjusted < alpha and ci_low > 0`. A comparison has two sides with {signs} between them; each side is a number or one
of the names below, either with a minus sign before it. Comparisons are joined by `and`, `or` and `not`, with parentheses
where needed; `not` binds more tightly than `and`, and `and` more than `or`. There is no sign of equality, and nothing is
computed. Where a number is missing, and the others do not settle the matter, the verdict is "unevaluable".

| Name | What it is |
|---|---|"""

_NUMBERS = {
    "estimate": "The estimate, with the predicted side turned positive.",
    "se": "Its standard error.",
    "df": "The degrees of freedom; missing for a z test.",
    "statistic": "The test statistic, turned as the estimate is.",
    "p": "The p value.",
    "p_adjusted": "The p value adjusted in its family; the p value itself where it is in none.",
    "ci_low": "The lower bound of the confidence interval, turned as the estimate is.",
    "ci_high": "The upper bound of the confidence interval, turned as the estimate is.",
    "alpha": "The significance level, `analysis.alpha`.",
    "smallest_effect": "The hypothesis's smallest effect of interest.",
}


def reference() -> str:
    """The whole page: rules, then every section with its types, each where it first stands."""
    described = schema()
    return "\n".join((*_rules(described), *_Page(described).lines())) + "\n"


def _rules(described: Node) -> Iterator[str]:
    part = described["$defs"]["Wave"]
    yield _OPENING
    yield _HEAD
    for key in ANYWHERE:
        field = part["properties"][key]
        value = " or ".join(map(_scalar, _options(field) or [field]))
        yield _row(f"`{key}`", value, _needed(field, part, key), field["description"])
    functions, signs = _listed(FUNCTIONS, "and"), _listed(COMPARE, "or")
    yield _FORMATS.format(current=CURRENT, first=FIRST, functions=functions, signs=signs)
    yield from (f"| `{name}` | {_NUMBERS[name]} |" for name in CRITERION_NAMES)


class _Page:
    """The sections, and the types in the order in which they are first met."""

    def __init__(self, described: Node) -> None:
        self._root = described
        self._types: Mapping[str, Node] = described["$defs"]
        self._places: dict[str, list[str]] = {}
        self._rivals: set[str] = set()
        self._sections: dict[str, list[str]] = {}
        for section, node in described["properties"].items():
            self._sections[section] = []
            self._walk(node, section, section)

    def _walk(self, node: Node, place: str, section: str) -> None:
        """Note where each type stands, the section in which it is told, and whether others may stand there too."""
        found = list(_types_in(node, place))
        self._rivals.update(name for name, _ in found if len(found) > 1)
        for name, inner in found:
            if name not in self._places:
                self._sections[section].append(name)
            self._places.setdefault(name, []).append(inner)
            for key, field in self._types[name]["properties"].items():
                self._walk(field, f"{inner}.{key}", section)

    def lines(self) -> Iterator[str]:
        """The table of the sections, then each section with the types that are first met in it."""
        yield "\n## Sections\n"
        yield self._root["description"]
        yield from self._table(self._root)
        for section, node in self._root["properties"].items():
            own = self._types_of(section, itself=True)
            yield f"\n## {section}\n"
            yield f"{node['description']} {_needed(node, self._root, section).capitalize()}."
            if own:
                yield from self._type(own[0])
            elif len(list(_types_in(node, section))) != 1:
                yield f"\nValue: {self._value(node)}."
            yield from _example(section)
            for name in self._types_of(section, itself=False):
                yield f"\n### {_title(name)}"
                yield from self._type(name)

    def _types_of(self, section: str, *, itself: bool) -> list[str]:
        """The types told in a section: the one that it is itself, or those inside it."""
        return [name for name in self._sections[section] if (self._home(name) == section) == itself]

    def _home(self, name: str) -> str:
        """The heading under which a type is told: the section's where the section is this type, else its own."""
        first = self._places[name][0]
        alone = first in self._sections and len(list(_types_in(self._root["properties"][first], first))) == 1
        return first if alone else _title(name).lower().replace(" ", "-")

    def _type(self, name: str) -> Iterator[str]:
        node = self._types[name]
        yield f"\n{node['description']}\n"
        yield f"Stands at {', '.join(f'`{place}`' for place in self._places[name])}{self._kind(name)}."
        if "assumed" in node["properties"]:
            yield "It may be [assumed](#assumptions)."
        yield from self._table(node)

    def _kind(self, name: str) -> str:
        """The field that tells this type from the others that may stand in its place."""
        fields = self._types[name]["properties"].items() if name in self._rivals else ()
        told = (f", where `{key}` is `{field['const']}`" for key, field in fields if "const" in field)
        return next(told, "")

    def _table(self, node: Node) -> Iterator[str]:
        yield f"\n{_HEAD}"
        for key, field in node["properties"].items():
            if key not in ANYWHERE:
                value = f"{self._value(field)}{_later(field)}"
                yield _row(f"`{key}`", value, _needed(field, node, key), field["description"])

    def _value(self, node: Node) -> str:
        """What a value is, in words, with a link to a type of its own."""
        if "$ref" in node:
            name = _named(node)
            return f"[{_title(name)}](#{self._home(name)})"
        if options := _options(node):
            return " or ".join(dict.fromkeys(map(self._value, options)))
        if node.get("type") == "array":
            count = node.get("minItems", 0)
            several = f"list of {'one' if count == 1 else count} or more" if count else "list"
            return f"{several}: {self._value(node['items'])}"
        if node.get("type") == "object":
            by_name = node.get("patternProperties", {}).get(_NAME)
            of = self._value(by_name or node["additionalProperties"])
            return f"mapping of {'names' if by_name else 'texts'} to: {of}"
        return _scalar(node)


def _example(section: str) -> Iterator[str]:
    """The beginning of the section in the shipped study, cut where a value of its ends; nothing where it has none."""
    lines = shipped.text(EXAMPLE).decode().splitlines()
    if f"{section}:" not in (line.split(" ")[0] for line in lines):
        return
    begin = next(number for number, line in enumerate(lines) if line.split(" ")[0] == f"{section}:")
    told = [lines[begin], *takewhile(lambda line: not line or line.startswith(" "), lines[begin + 1 :])]
    while not told[-1].strip():
        told.pop()
    if len(told) > LINES:
        told = [*told[: _cut(told)], "  # ..."]
    yield f"\nFrom the shipped study `{EXAMPLE}`:\n\n```yaml"
    yield from told
    yield "```"


def _cut(told: Sequence[str]) -> int:
    """How many lines are shown: up to the last value that begins within them, an outer one where it is not too near."""
    depths = [len(line) - len(line.lstrip()) if line.strip() else 99 for line in told]
    for depth in (2, 4, 6, 8):
        ends = [number for number in range(FEWEST, LINES) if depths[number] <= depth]
        if ends:
            return ends[-1]
    return LINES


def _types_in(node: Node, place: str) -> Iterator[tuple[str, str]]:
    """The types that a value may have, each with the place where its fields stand."""
    if "$ref" in node:
        yield _named(node), place
    for option in _options(node):
        yield from _types_in(option, place)
    if "items" in node:
        yield from _types_in(node["items"], f"{place}[]")


def _options(node: Node) -> list[Node]:
    """The kinds of value of which this is one; null, which nobody writes, is none of them."""
    return [one for one in (*node.get("oneOf", ()), *node.get("anyOf", ())) if one.get("type") != "null"]


def _named(node: Node) -> str:
    return str(node["$ref"]).rsplit("/", 1)[1]


def _row(*cells: str) -> str:
    """A line of a table; a bar in a cell would end it."""
    return f"| {' | '.join(' '.join(cell.split()).replace('|', BAR) for cell in cells)} |"


def _needed(field: Node, around: Node, key: str) -> str:
    if key in around.get("required", ()):
        return "required"
    default = field.get("default")
    return f"default `{json.dumps(default)}`" if default not in (None, [], {}) else "optional"


def _later(field: Node) -> str:
    """The methods that are known by name, and refused."""
    later = field.get("later", ())
    return f"; not in this release: {_listed(later, 'and')}" if later else ""


def _scalar(node: Node) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return _listed(node["enum"], "or")
    match node["type"]:
        case "integer" | "number" as kind:
            words = {
                "minimum": "from",
                "exclusiveMinimum": "above",
                "maximum": "up to",
                "exclusiveMaximum": "below",
            }
            limits = [f"{word} {node[key]:,.12g}" for key, word in words.items() if key in node]
            return ("whole number" if kind == "integer" else "number") + f" {', '.join(limits)}".rstrip()
        case "boolean":
            return "`true` or `false`"
    if node.get("format") == "date-time":
        return "time"
    forms = {None: "text", _NAME: "name"}
    return forms.get(node.get("pattern"), "text of the given form")


def _listed(values: Iterable[object], word: str) -> str:
    quoted = [f"`{value}`" for value in values]
    return f" {word} ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def _title(name: str) -> str:
    """A type's name as a heading: `Permuted blocks`."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f" {found[1].lower()}", name)
