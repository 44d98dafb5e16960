"""YAML read as plain data, with the line of every key and list item. Nothing but data can be built from it.

Anchors, aliases, merge keys, tags, duplicate keys, several documents, tabs and words of doubtful meaning are refused,
each with its line, so that every program and every reader takes the same from the file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from forethought.protocol.problems import MOST, KeyPath, Problem
from forethought.protocol.scalars import Ambiguous, resolve

LARGEST_FILE = 1_000_000
"""Bytes of a file that is still read."""
DEEPEST = 50
"""Levels of nesting that are still read."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_PRINTABLE = yaml.reader.Reader.NON_PRINTABLE
_LINE_END = re.compile(r"\r\n?|\n")
_DOUBTFUL_LINE_END = re.compile("[\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and on which line each of its parts begins."""

    data: object
    lines: Mapping[KeyPath, int]

    def line(self, at: KeyPath) -> int:
        """The line of this value's key, or of the nearest part around it."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 1)


class NotPlain(Exception):
    """The text is no plain YAML; `problems` says why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


def parse(raw: bytes) -> Document:
    """The data of a YAML text in UTF-8; NotPlain with every problem of its syntax."""
    text = _text(raw)
    reading = _Reading(_found(text))
    data = None
    try:
        data = reading.document(yaml.parse(text, Loader=_LOADER))
    except _Enough:
        pass
    except yaml.YAMLError as error:
        reading.problems.append(_in_words(error, text))
    except ValueError:  # PyYAML's own scanner, on an escape for a character that Unicode does not have
        reading.problems.append(Problem(1, "an escape in quotes names no character", "Correct it"))
    if reading.problems:
        raise NotPlain(tuple(sorted(set(reading.problems))))
    return Document(data, reading.lines)


def _text(raw: bytes) -> str:
    if len(raw) > LARGEST_FILE:
        raise NotPlain(
            (Problem(1, "the file is larger than 1 MB", "Move long texts to files in materials/"),)
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        problem = Problem(
            _line_at(before, len(before)), "this is not text in UTF-8", "Save the file as UTF-8"
        )
        raise NotPlain((problem,)) from None
    if (odd := _DOUBTFUL_LINE_END.search(text)) is not None:  # no line after it could be named
        what = f"the character U+{ord(odd.group()):04X} ends a line for some programs and not for others"
        problem = Problem(
            _line_at(text, odd.start()), what, "Put a plain line end there; in quotes, an escape"
        )
        raise NotPlain((problem,))
    return text


def _found(text: str) -> list[Problem]:
    """Tabs and characters that do not print, the first of each kind on its line."""
    found = []
    if (odd := _NOT_PRINTABLE.search(text)) is not None:
        what = f"the character U+{ord(odd.group()):04X} does not print"
        found.append(Problem(_line_at(text, odd.start()), what, "Remove it"))
    if (tab := text.find("\t")) >= 0:
        found.append(Problem(_line_at(text, tab), "there is a tab", "Use spaces; within quotes, write \\t"))
    return found


def _line_at(text: str, position: int) -> int:
    return sum(1 for _ in _LINE_END.finditer(text, 0, position)) + 1


def _in_words(error: yaml.YAMLError, text: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    position = getattr(error, "position", 0)
    line = mark.line + 1 if mark is not None else _line_at(text, position)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return Problem(line, f"this is not YAML: {said}", "Look at the indentation, colons and quotes there")


class _Enough(Exception):
    """Reading on would take long, and tell nothing that is needed to begin with the corrections."""


@dataclass(slots=True)
class _Reading:
    """Composes plain data from the parser's events, noting lines and problems on the way."""

    problems: list[Problem]
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def document(self, events: Iterator[Any]) -> object:
        """The one document of the stream; None where it is empty."""
        data: object = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    self._refuse(event, "a second document begins here", "Keep one document in a file")
                    raise _Enough
            elif isinstance(event, yaml.NodeEvent):
                value = self._value(event, events, ())
                data = value if documents == 1 else data
        return data

    def _refuse(self, event: Any, what: str, remedy: str) -> None:
        self.problems.append(Problem(event.start_mark.line + 1, what, remedy))
        if len(self.problems) > MOST:
            raise _Enough

    def _value(self, event: Any, events: Iterator[Any], at: KeyPath) -> object:
        self.lines.setdefault(at, event.start_mark.line + 1)
        if len(at) > DEEPEST:
            self._refuse(event, f"nesting goes deeper than {DEEPEST} levels", "Flatten it")
            raise _Enough
        self._refuse_cleverness(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(events, at)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, at)
        return None

    def _refuse_cleverness(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"`*{event.anchor}` repeats another part of the file", "Write it out here")
        elif event.anchor is not None:
            self._refuse(event, f"`&{event.anchor}` marks this part for repetition", "Remove the mark")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._refuse(event, f"the tag `{tag}` asks for a type or an object", "Remove it; quote text")

    def _list(self, events: Iterator[Any], at: KeyPath) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._value(event, events, (*at, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], at: KeyPath) -> dict[str, object]:
        pairs: dict[str, object] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, events, at)
            if key is None:
                self._value(next(events), events, (*at, "?"))
                continue
            inner = (*at, key)
            if key in pairs:
                first = self.lines[inner]
                self._refuse(event, f"`{key}` was given on line {first} already", "Keep one of the two")
            self.lines.setdefault(inner, event.start_mark.line + 1)
            pairs[key] = self._value(next(events), events, inner)
        return pairs

    def _key(self, event: Any, events: Iterator[Any], at: KeyPath) -> str | None:
        """The key's text; None, with a problem noted, where it is no text."""
        if not isinstance(event, yaml.ScalarEvent):
            self._value(event, events, (*at, "?"))
            self._refuse(event, "a key is a list, a mapping or a repetition", "Give the key as text")
            return None
        before = len(self.problems)
        self._refuse_cleverness(event)
        key = self._scalar(event)
        if isinstance(key, str):
            return key
        if len(self.problems) == before:
            self._refuse(event, f"the key `{event.value}` is not text", "Put it in quotes")
        return None

    def _scalar(self, event: Any) -> object:
        if event.style is not None and event.style != "":
            return self._quoted(event)
        value = resolve(event.value)
        if isinstance(value, Ambiguous):
            self._refuse(event, value.what, value.remedy)
            return None
        return value

    def _quoted(self, event: Any) -> str:
        text: str = event.value
        if (odd := _NOT_PRINTABLE.search(text)) is not None:
            self._refuse(
                event, f"an escape stands for U+{ord(odd.group()):04X}, which does not print", "Remove it"
            )
        return text
