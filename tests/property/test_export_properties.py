"""Whatever happens to an export, it is read as it is or refused with a sentence: nothing in between."""

import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from forethought.errors import ForethoughtError
from forethought.protocol.imports import Imports, Recruits, Variable
from forethought.schemas.exports.checking import Parsed
from forethought.schemas.exports.parsing import parse
from forethought.schemas.exports.reading import read
from forethought.schemas.exports.recognition import recognise

HEADER = ["Submission id", "Participant id", "Status", "Started at", "Age", "Sex"]
ROWS = [
    ["s1", "5f0000000000000000000001", "APPROVED", "2026-03-02T09:00:00.000001Z", "31", "Female"],
    ["s2", "5f0000000000000000000002", "RETURNED", "2026-03-02 09:05:00", "CONSENT_REVOKED", "DATA_EXPIRED"],
    ["s3", "5f0000000000000000000003", "TIMED-OUT", "2026-03-02T09:10:00Z", "64", "Male"],
]
IMPORTS = Imports(
    recruits=Recruits(
        source="prolific",
        participant="Participant id",
        status="Status",
        arrived="Started at",
        variables=(
            Variable(name="age", column="Age", type="number", minimum=18, maximum=100),
            Variable(name="sex", column="Sex", type="category", levels=("Female", "Male")),
        ),
    )
)
CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def written(rows: list[list[str]], *, quoting: int = csv.QUOTE_MINIMAL, end: str = "\r\n") -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=quoting, lineterminator=end).writerows(rows)
    return out.getvalue().encode()


def parsed(data: bytes) -> tuple[int, Parsed]:
    export = read(data, "e.csv")
    return len(export.cells), parse(recognise(export, IMPORTS), {})


def accounts_for_every_row(data: bytes) -> None:
    """The file is refused with a sentence, or each of its rows is accepted or refused."""
    try:
        count, result = parsed(data)
    except ForethoughtError as error:
        refusal = str(error)
    else:
        each_row_once(count, result)
        return
    assert refusal.startswith("e.csv")


def each_row_once(count: int, result: Parsed) -> None:
    accepted, refused = set(result.rows.index), set(result.refused["row_number"])
    assert accepted | refused == set(range(1, count + 1))
    assert accepted.isdisjoint(refused)
    assert list(result.answers.index) == list(result.rows.index)


WIDE_TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)
# a writer that quotes only where it must leaves a lone carriage return bare, unless lines end with one
WRITERS = st.sampled_from(
    [(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r")]
)


@given(rows=WIDE_TABLES, writer=WRITERS, mark=st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_every_text_comes_back_as_it_was_written(
    rows: list[list[str]], writer: tuple[int, str], mark: bytes
) -> None:
    header = [f"c{number}" for number in range(len(rows[0]))]
    quoting, end = writer
    export = read(mark + written([header, *rows], quoting=quoting, end=end), "e.csv")
    assert export.cells.to_numpy().tolist() == rows


@given(order=st.permutations(range(len(HEADER))))
def test_the_order_of_columns_changes_nothing(order: list[int]) -> None:
    shuffled = [[row[place] for place in order] for row in [HEADER, *ROWS]]
    _, plain = parsed(written([HEADER, *ROWS]))
    _, moved = parsed(written(shuffled))
    assert plain.rows.equals(moved.rows)
    assert plain.answers.equals(moved.answers)
    assert moved.refused.empty


@given(row=st.integers(0, 2), column=st.integers(0, len(HEADER) - 1), cell=CELLS)
def test_one_changed_cell_touches_no_other_row(row: int, column: int, cell: str) -> None:
    changed = [list(one) for one in ROWS]
    changed[row][column] = cell
    _, result = parsed(written([HEADER, *changed]))
    others = {1, 2, 3} - {row + 1}
    twins = cell.strip() in {ROWS[other - 1][1] for other in others}
    assert others <= set(result.rows.index) or (column == 1 and twins)


@settings(max_examples=300)
@given(
    place=st.integers(0, len(written([HEADER, *ROWS]))),
    cut=st.integers(0, 40),
    insert=st.binary(max_size=6) | st.sampled_from([b'"', b",", b"\n", b";", b"\r", b'""', b"\xff\xfe"]),
)
def test_any_edit_of_the_bytes_is_read_or_refused(place: int, cut: int, insert: bytes) -> None:
    whole = written([HEADER, *ROWS])
    accounts_for_every_row(whole[:place] + insert + whole[place + cut :])


@given(length=st.integers(0, len(written([HEADER, *ROWS]))))
def test_any_beginning_of_a_file_is_read_or_refused(length: int) -> None:
    accounts_for_every_row(written([HEADER, *ROWS])[:length])


@given(
    dropped=st.sets(st.integers(0, len(HEADER) - 1), max_size=4),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_dropped_columns_and_other_delimiters_are_read_or_refused(dropped: set[int], delimiter: str) -> None:
    kept = [[cell for place, cell in enumerate(row) if place not in dropped] for row in [HEADER, *ROWS]]
    accounts_for_every_row("\n".join(delimiter.join(row) for row in kept).encode())


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_read_or_refused(data: bytes) -> None:
    accounts_for_every_row(data)
