"""What a command shows: sentences for people, or one JSON value."""

import json
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of sentences.")]
Wait = Annotated[float, typer.Option("--wait", help="Seconds to wait for the database.", min=0)]
StudyPath = Annotated[Path, typer.Argument(help="The study's folder.", metavar="STUDY")]


def show(name: str, result: Any, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the lines, or the result as a JSON object with its format's name."""
    if not as_json:
        for line in lines:
            print(line)
        return
    value = {"format": f"forethought-{name}/1"} | _plain(result)
    print(json.dumps(value, ensure_ascii=not _has_all_signs(sys.stdout.encoding), indent=2, allow_nan=False))


def _has_all_signs(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "").startswith("utf")


def _plain(value: Any) -> Any:
    """The value in JSON's own types; a number that is not finite is null."""
    match value:
        case None | bool() | int() | str():
            return value.value if isinstance(value, Enum) else value
        case float():
            return value if math.isfinite(value) else None
        case Path() | datetime():
            return str(value) if isinstance(value, Path) else value.isoformat()
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return _plain(asdict(value))
        case _:
            return [_plain(item) for item in value]


def count(number: int, singular: str, plural: str | None = None) -> str:
    """`1 person`, `1,150 people`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"
