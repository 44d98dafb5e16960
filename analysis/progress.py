"""A progress bar for long work in a notebook or a script: on stderr, and only where that is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Progress = Callable[[int, int], None]
"""Called with how much is done, and how much there is."""


@contextmanager
def progress_bar(what: str, file: TextIO | None = None) -> Iterator[Progress]:
    """What long work calls as it goes on; it draws a bar on `file` (stderr), and nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress as Bars

    console = Console(stderr=True) if file is None else Console(file=file)
    with Bars(console=console, disable=not console.is_terminal, transient=True) as bars:
        task = bars.add_task(what, total=None)

        def advanced(done: int, of: int) -> None:
            bars.update(task, completed=done, total=of)

        yield advanced
