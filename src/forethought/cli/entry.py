"""The entry point: commands in their order, errors as sentences, exit codes by kind."""

import gc
import os
import sys
import traceback
from io import TextIOWrapper

import typer
from typer.main import get_command

from forethought.cli.application import application
from forethought.errors import ForethoughtError

OUR_FAULT = 1
INTERRUPTED = 130

LEAN = {
    "OMP_NUM_THREADS": "1",  # the models' matrices are small: on a busy machine two threads are ten times slower
    "PYDANTIC_DISABLE_PLUGINS": "true",  # it would look for them in every installed package
}
"""What the libraries read when they are first used; a setting that is already in the environment stays."""


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    for name, value in LEAN.items():
        os.environ.setdefault(name, value)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a file on Windows, a terminal in C: neither has all signs
            stream.reconfigure(errors="backslashreplace")
    exit_code = run(arguments)
    gc.freeze()  # the process ends: looking for what nobody uses any more would take up to a second
    sys.exit(exit_code)


def run(arguments: list[str] | None = None) -> int:
    """One command's exit code. A user's mistake prints lines on stderr; ours prints a traceback.

    Typer's own way of running would answer an interruption and a closed pipe before us.
    """
    command = get_command(application())
    try:
        with command.make_context(
            "forethought", sys.argv[1:] if arguments is None else list(arguments)
        ) as context:
            command.invoke(context)
        sys.stdout.flush()
    except ForethoughtError as error:
        _complain(str(error))
        return error.exit_code
    except typer.TyperException as error:
        _complain(_in_our_words(error))
        return error.exit_code
    except typer.Exit as leaving:
        return leaving.exit_code
    except KeyboardInterrupt:
        print("forethought: interrupted. Every step is safe to repeat: run it again.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:
        traceback.print_exc()
        print(
            "forethought: this is a fault of the program, not yours. Please report it with the lines above.",
            file=sys.stderr,
        )
        return OUR_FAULT
    return 0


def _complain(what: str) -> None:
    """The lines on stderr; where nobody reads them to their end, the exit code still says what they said."""
    try:
        print(what, file=sys.stderr, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _in_our_words(error: typer.TyperException) -> str:
    """Typer's complaint as `where: what. What to do.`; the help, which has many lines, as it is."""
    what = error.format_message().replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "forethought"
    return what if "\n" in what else f"{command}: {what.rstrip('.')}. See `{command} --help`."
