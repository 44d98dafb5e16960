"""All commands of the command line, in the order in which a study uses them."""

import logging
from typing import Annotated

import typer

from forethought import __version__
from forethought.cli import checking, forms, gate, plan, registering, results, single, wave

LEVELS = ("debug", "info", "warning", "error")
EXIT_CODES = (
    "Exit codes: 0 done; 1 a fault of the program; 2 wrong usage; 10 protocol invalid; 11 not locked, or the registration "
    "does not fit; 12 data refused; 13 gate closed; 14 database in use; 15 model not fitted; 20 verification failed."
)


def application() -> typer.Typer:
    """The command line as Typer runs it."""
    app = typer.Typer(
        name="forethought",
        help="Run a pre-registered experiment from its protocol to a report that a stranger can verify.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        add_completion=False,
    )
    app.callback()(_options)
    for commands in (plan, registering, forms, wave, results, gate, checking, single):
        commands.add_to(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        print(f"forethought {__version__}")
        raise typer.Exit


def _options(
    log_level: Annotated[
        str, typer.Option("--log-level", help="debug, info, warning or error: how much is told on stderr.")
    ] = "warning",
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    if log_level not in LEVELS:
        raise typer.BadParameter(f"`{log_level}` is none of {', '.join(LEVELS)}", param_hint="--log-level")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("forethought")
    logger.handlers = [handler]
    logger.propagate = False
    logger.setLevel(log_level.upper())
