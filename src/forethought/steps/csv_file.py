"""Read the CSV file of a single model, or say what is wrong with it."""

import csv
import gzip
from collections import Counter
from io import StringIO
from itertools import islice
from pathlib import Path

import pandas as pd

from forethought.errors import DataRefused, WrongUsage

MISSING = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null")
"""How a missing value may be spelled. `None` is not among them: it is a name that arms have."""

OTHER_SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "bars"}
SAVE_AS_CSV = "Save it as CSV in UTF-8: commas between fields, a header in the first line"


def read_csv(path: Path) -> pd.DataFrame:
    """The rows of a CSV file in UTF-8, also compressed by gzip: whole columns of numbers or truth values, else texts.

    WrongUsage: there is no such file, or it cannot be opened. DataRefused: it is no CSV file with a header and rows.
    """
    text = _text(path, _bytes(path))
    _check_header(path, text)
    try:
        return _parsed(text)
    except (ValueError, OverflowError) as error:  # pandas' parser errors are among them
        reason = str(error).strip().splitlines()[-1].removeprefix("Error tokenizing data. C error: ")
        raise _refusal(path, f"this is not a CSV file ({reason.rstrip('.')})") from error


def _bytes(path: Path) -> bytes:
    if not path.exists():
        raise WrongUsage(str(path), "there is no such file", "Give a CSV file with a header")
    if path.is_dir():
        raise WrongUsage(str(path), "this is a folder", "Give a CSV file with a header")
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise WrongUsage(str(path), f"it cannot be read ({reason})", "Check the file") from error


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _refusal(path, f"this is not a CSV file in UTF-8 (line {line} is not)") from error


def _check_header(path: Path, text: str) -> None:
    """The first two lines, since what is wrong with a file mostly shows in them."""
    try:
        lines = list(islice((line for line in csv.reader(StringIO(text)) if line), 2))
    except csv.Error as error:
        raise _refusal(path, f"this is not a CSV file ({error})") from error
    if not lines:
        raise _refusal(path, "the file is empty")
    header, *rows = lines
    _check_names(path, header)
    if not rows:
        raise _refusal(path, "there is a header, and no row below it", "Give a file with data")
    if len(rows[0]) > len(header):
        what = f"the header has {len(header)} names, and the row below it {len(rows[0])} fields"
        remedy = (
            "Name every column; write decimals with a point, and texts with commas between quotation marks"
        )
        raise _refusal(path, what, remedy)


def _check_names(path: Path, header: list[str]) -> None:
    if len(header) == 1 and (separators := [sign for sign in OTHER_SEPARATORS if sign in header[0]]):
        raise _refusal(path, f"fields are separated by {OTHER_SEPARATORS[separators[0]]}, not by commas")
    if all(map(_is_number, header)):
        raise _refusal(
            path, f"the first line holds numbers, not names: {', '.join(header)}", "Give it a header"
        )
    twice = [name for name, times in Counter(header).items() if name and times > 1]
    if twice:
        what = f"more than one column is called {', '.join(twice)}"
        raise _refusal(path, what, "Give each column a name of its own")


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def _parsed(text: str) -> pd.DataFrame:
    """The columns as numbers, truth values or texts; whole numbers stay whole beside missing ones, however long."""
    frame = pd.read_csv(
        StringIO(text),
        keep_default_na=False,
        na_values=list(MISSING),
        low_memory=False,
        dtype_backend="numpy_nullable",
    )
    texts: pd.DataFrame = frame.select_dtypes("string")
    return frame.assign(**texts.mask(texts.isin(MISSING)))  # pandas overlooks them beside very long numbers


def _refusal(path: Path, what: str, remedy: str = SAVE_AS_CSV) -> DataRefused:
    return DataRefused(str(path), what, remedy)
