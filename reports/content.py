"""What a report says: frozen values of words and formatted numbers, a document for the templates to place.

A `Report` is a list of sections, a section a list of blocks. Only figures hold bare numbers: what they draw.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, Literal

from forethought.analysis.verdicts import Verdict

BadgeKind = Literal[
    "simulated", "blinded", "confirmatory", "registered", "late", "sensitivity", "exploratory", "assumed"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A mark that the study's record gives, never a person; `meaning` is its explanation."""

    kind: BadgeKind
    text: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A published number as printed, and whether ours agrees with it: None where it could not."""

    text: str
    agrees: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell of a table; `href` is the id of the part of the page that it leads to."""

    text: str
    published: Published | None = None
    verdict: Verdict | None = None
    code: bool = False
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's heading; numbers stand to the right."""

    label: str
    numeric: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroup:
    """Rows under a heading of their own, or under none. The first cell of a row is its heading."""

    label: str | None = None
    remark: str | None = None
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its caption; `notes` stand below it."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    groups: tuple[RowGroup, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        widths = {len(row) for group in self.groups for row in group.rows}
        if widths - {len(self.columns)}:
            raise ValueError(f"table `{self.caption}`: rows of {widths} cells, {len(self.columns)} columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestRow:
    """One estimate with its interval; None where it could not be had."""

    group: str | None
    label: str
    estimate: float | None
    low: float | None
    high: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """Estimates with intervals, about zero and the band of effects too small to matter."""

    kind: ClassVar[str] = "figure"
    id: str
    caption: str
    alternative: str
    axis: str
    smallest_effect: float | None
    rows: tuple[ForestRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeansSeries:
    """One arm's means, session by session, each with the half-width of its interval."""

    label: str
    means: tuple[float | None, ...]
    margins: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeansPanel:
    """One outcome's means."""

    title: str
    series: tuple[MeansSeries, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Means by arm and session, a panel for each outcome."""

    kind: ClassVar[str] = "figure"
    id: str
    caption: str
    alternative: str
    sessions: tuple[str, ...]
    panels: tuple[MeansPanel, ...]


Figure = Forest | Means


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph of text; a `small` one explains, and stands back."""

    kind: ClassVar[str] = "paragraph"
    text: str
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A paragraph that must not be overlooked."""

    kind: ClassVar[str] = "notice"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar[str] = "heading"
    text: str
    badges: tuple[Badge, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A list of sentences."""

    kind: ClassVar[str] = "bullets"
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A term and its value; `code` for hashes and formulas."""

    term: str
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A list of terms with their values."""

    kind: ClassVar[str] = "facts"
    items: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowBox:
    """One box of the flow diagram: a stage, what is counted, and the reasons with their counts.

    Those in a box `aside` leave there.
    """

    stage: str
    text: str
    reasons: tuple[str, ...] = ()
    aside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowColumn:
    """What became of one arm, or of all together, from top to bottom."""

    label: str | None
    boxes: tuple[FlowBox, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDiagram:
    """The CONSORT 2025 flow: enrolment, allocation, follow-up, analysis."""

    kind: ClassVar[str] = "flow"
    enrolment: tuple[FlowBox, ...]
    columns: tuple[FlowColumn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HypothesisCard:
    """What the data say of one hypothesis. `verdict` is None where its tests do not all agree.

    `sentences` say the result in words, where there is but one; `details` what was predicted and adjusted.
    """

    kind: ClassVar[str] = "hypothesis"
    id: str
    statement: str
    badges: tuple[Badge, ...]
    verdict: Verdict | None
    answer: str
    sentences: tuple[str, ...]
    details: tuple[str, ...]
    forest: Forest | None
    table: Table


Block = Paragraph | Notice | Heading | Bullets | Facts | Table | Forest | Means | FlowDiagram | HypothesisCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the report under its heading."""

    id: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The section's figures, those within cards among them."""
        cards = [block.forest for block in self.blocks if isinstance(block, HypothesisCard) and block.forest]
        return (*cards, *(block for block in self.blocks if isinstance(block, Forest | Means)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole report. `banner` repeats on every printed page; `run` alone differs from run to run."""

    format: str
    document_title: str
    title: str
    summary: str
    byline: str
    badges: tuple[Badge, ...]
    banner: str | None
    sections: tuple[Section, ...]
    run: Section


def as_json(value: object) -> Any:
    """Content as JSON values, each block with its kind: for golden files, and for other programs to read."""
    if is_dataclass(value) and not isinstance(value, type):
        kind = {"kind": value.kind} if hasattr(value, "kind") else {}
        return kind | {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    return value
