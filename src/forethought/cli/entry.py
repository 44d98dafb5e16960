"""The entry point: commands in their order, errors as sentences, exit codes by kind."""

import os
import sys
import traceback

from forethought.cli.application import application
from forethought.errors import ForethoughtError

OUR_FAULT = 1
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """One command's exit code. A user's mistake prints lines on stderr; ours prints a traceback."""
    try:
        result = application()(args=arguments, prog_name="forethought", standalone_mode=True)
    except ForethoughtError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("forethought: interrupted. Every step is safe to repeat: run it again.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 0
    except Exception:
        traceback.print_exc()
        print(
            "forethought: this is a fault of the program, not yours. Please report it with the lines above.",
            file=sys.stderr,
        )
        return OUR_FAULT
    return result if isinstance(result, int) else 0
