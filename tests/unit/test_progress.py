"""The bar that long work draws."""

import io

import pytest

from forethought.analysis.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(file: io.StringIO) -> str:
    with progress_bar("redraws", file) as told:
        told(2_500, 10_000)
        told(10_000, 10_000)
    return file.getvalue()


def test_a_terminal_sees_what_is_done_and_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = drawn(Terminal())
    assert "redraws" in text
    assert "100%" in text


def test_a_file_sees_nothing() -> None:
    assert drawn(io.StringIO()) == ""
