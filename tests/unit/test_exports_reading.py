"""Bytes become rows wholly or not at all, and a refusal says where in the file."""

import pytest

from forethought.errors import DataRefused
from forethought.schemas.exports.reading import Export, read


def rows(export: Export) -> list[list[str]]:
    return export.cells.to_numpy().tolist()


def refusal(data: bytes) -> str:
    with pytest.raises(DataRefused) as refused:
        read(data, "e.csv")
    return str(refused.value)


def test_cells_are_text_and_rows_are_numbered_from_one() -> None:
    export = read(b"id,age\na,007\nb,\n", "e.csv")
    assert export.header == ("id", "age")
    assert rows(export) == [["a", "007"], ["b", ""]]
    assert list(export.cells.index) == [1, 2]


@pytest.mark.parametrize(
    "data",
    [
        b"id,text\na,x\nb,y\n",
        b"\xef\xbb\xbfid,text\r\na,x\r\nb,y\r\n",
        b"id,text\ra,x\rb,y",
        b'"id","text"\n\n"a","x"\n\n"b","y"\n\n',
    ],
    ids=["plain", "BOM and CRLF", "CR and no end of line", "quoted, with blank lines"],
)
def test_marks_line_ends_and_blank_lines_do_not_matter(data: bytes) -> None:
    export = read(data, "e.csv")
    assert export.header == ("id", "text")
    assert rows(export) == [["a", "x"], ["b", "y"]]


def test_a_quoted_cell_may_hold_commas_quotes_and_line_breaks() -> None:
    export = read(b'id,text\r\na,"one, ""two""\r\nthree"\r\nb,y\r\n', "e.csv")
    assert rows(export) == [["a", 'one, "two"\r\nthree'], ["b", "y"]]
    assert export.lines.tolist() == [2, 4]


def test_text_that_looks_like_a_missing_value_stays_text() -> None:
    assert rows(read(b"a,b\nNA,nan\nnull,None\n", "e.csv")) == [["NA", "nan"], ["null", "None"]]


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        (b"", "e.csv:", "the file is empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "e.csv:", "the file is empty"),
        (b"id,age\n", "e.csv:", "there is a header and no row of data"),
        (b"id,age\na,1\nJos\xe9,2\n", "e.csv:3:", "byte 15 of the file (0xE9) is not UTF-8"),
        (b"\xef\xbb\xbfid\n\xff\n", "e.csv:2:", "byte 7 of the file (0xFF) is not UTF-8"),
        ("id,age\na,1\n".encode("utf-16"), "e.csv:1:", "the file is in UTF-16"),
        (b"id,age\na\x00,1\n", "e.csv:2:", "byte 9 of the file is zero"),
        (b"PK\x03\x04rest", "e.csv:", "this is a spreadsheet or an archive"),
        (b"id;age\na;1\n", "e.csv:1:", "parted by semicolons"),
        (b"id\tage\na\t1\n", "e.csv:1:", "parted by tabs"),
        (b"id|age\na|1\n", "e.csv:1:", "parted by bars"),
        (b"id,age,id,age,x\n1,2,3,4,5\n", "e.csv:1:", "more than one column called id, age"),
        (b"id,,\n1,2,3\n", "e.csv:1:", "more than one column called (no name)"),
        (b'id,age\n"a\nb",1\nc\n', "e.csv:4:", "cells in row 2: 1, in the header: 2"),
        (
            b"id,age\na,1,2\nb\nc,1\n",
            "e.csv:2:",
            "cells in row 1: 3, in the header: 2; so many other rows do not fit either: 1",
        ),
        (b'id,age\na,1\nb,"2\nc,3\n', "e.csv:3:", "row 2 opens a quotation mark that is never closed"),
        (b'id,"age\n', "e.csv:1:", "the header opens a quotation mark that is never closed"),
        (b'id,age\na,"1"2\n', "e.csv:2:", "row 1 has text after a closing quotation mark"),
        (b'id,age\na,"' + b"x" * 140_000, "e.csv:2:", "row 1 has a cell of more than 131,072 characters"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(data: bytes, where: str, what: str) -> None:
    message = refusal(data)
    assert message.startswith(where)
    assert what in message


def test_a_file_cut_off_in_the_middle_of_a_row_is_refused() -> None:
    whole = b"id,age,sex\na,1,F\nb,2,M\n"
    assert "cells in row 2: 2, in the header: 3" in refusal(whole[:-4])


def test_a_refusal_says_what_to_do() -> None:
    assert refusal(b"id;age\na;1\n").endswith("Export it with commas.")
