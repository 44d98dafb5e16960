"""The CSV file of `fit`: what is read as what, and what is refused with which sentence."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forethought.errors import DataRefused, WrongUsage
from forethought.steps.csv_file import MISSING, read_csv

File = Callable[[str | bytes], Path]

REFUSED: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "the file is empty"),
    "blank lines": ("\n\n", "the file is empty"),
    "no row": ("y,x\n", "there is a header, and no row below it"),
    "no header": ("1,2\n3,4\n", "the first line holds numbers, not names: 1, 2"),
    "tabs": ("y\tx\n1\t2\n", "fields are separated by tabs, not by commas"),
    "semicolons": ("y;x\n1;2\n", "fields are separated by semicolons, not by commas"),
    "same names": ("y,x,y\n1,2,3\n", "more than one column is called y"),
    "decimal commas": ("y,x\n1,5,2\n", "the header has 2 names, and the row below it 3 fields"),
    "a longer row": ("y,x\n1,2\n3,4,5\n", "Expected 2 fields in line 3, saw 3"),
    "an open quotation": ('y,x\n1,"2\n', "EOF inside string"),
    "Latin-1": ("y,x\n1,2\n3,é\n".encode("latin-1"), "not a CSV file in UTF-8 (line 3 is not)"),
    "UTF-16": ("y,x\n1,2\n".encode("utf-16"), "not a CSV file in UTF-8 (line 1 is not)"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_no_csv_file_is_refused_and_says_why(file: File, fault: str) -> None:
    content, what = REFUSED[fault]
    with pytest.raises(DataRefused) as caught:
        read_csv(file(content))
    assert what in caught.value.what


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="there is no such file"):
        read_csv(tmp_path / "data.csv")


def test_a_folder_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="this is a folder"):
        read_csv(tmp_path)


def test_a_compressed_file_that_breaks_off_is_wrong_usage(file: File) -> None:
    with pytest.raises(WrongUsage, match="it cannot be read"):
        read_csv(file(gzip.compress(b"y,x\n1,2\n")[:-9]))


@pytest.mark.parametrize(
    "content",
    [b"y,x\n1,a\n", b"\xef\xbb\xbfy,x\n1,a\n", b"y,x\r\n1,a\r\n", gzip.compress(b"y,x\n1,a\n")],
    ids=["plain", "byte order mark", "Windows lines", "gzip"],
)
def test_a_csv_file_is_read(file: File, content: bytes) -> None:
    assert read_csv(file(content)).to_dict("list") == {"y": [1], "x": ["a"]}


@pytest.mark.parametrize("spelling", MISSING)
def test_a_missing_value_is_missing_in_numbers_and_texts(file: File, spelling: str) -> None:
    found = read_csv(file(f"y,x\n1,a\n{spelling},{spelling}\n2,b\n")).iloc[1]
    assert found.isna().all()


def test_none_is_a_name_that_arms_have(file: File) -> None:
    assert read_csv(file("y,arm\n1,None\n2,drug\n"))["arm"].tolist() == ["None", "drug"]


@pytest.mark.parametrize("first", [10**16, -(10**16), 10**19, 10**25])
def test_long_ids_stay_apart_where_one_is_missing(file: File, first: int) -> None:
    found = read_csv(file(f"id,y\n{first},1\n{first + 1},2\n,3\n"))["id"]
    assert found.dropna().astype(str).tolist() == [str(first), str(first + 1)]
    assert found.isna().tolist() == [False, False, True]


def test_long_ids_are_groups_of_their_own(fit: Callable[..., Any], file: File) -> None:
    rows = [f"{row % 7 + row / 10},{10**16 + row % 6}" for row in range(36)]
    told = fit("--json", data=file("\n".join(["y,g", *rows, "1,"])), formula="y ~ 1 + (1 | g)")
    assert told.json["n_groups"] == {"g": 6}


def test_numbers_are_read_to_their_last_digit(file: File) -> None:
    assert read_csv(file("y\n0.30000000000000004\n"))["y"].item() == 0.1 + 0.2


def test_truth_values_are_factors(fit: Callable[..., Any], file: File) -> None:
    rows = [f"{row % 7 + row / 10},{'TRUE' if row % 2 else 'FALSE'},{row % 5}" for row in range(30)]
    told = fit("--json", data=file("\n".join(["y,treated,g", *rows])), formula="y ~ treated + (1 | g)")
    assert [row["term"] for row in told.json["coefficients"]] == ["Intercept", "treated[T.True]"]


def test_columns_are_as_pandas_reads_them(file: File) -> None:
    text = "n,x,t\n1,0.5,a\n2,1e3,b\n"
    pd.testing.assert_frame_equal(read_csv(file(text)), pd.read_csv(file(text)), check_dtype=False)
