"""Commands that begin a study: init, check."""

from pathlib import Path
from typing import Annotated

import typer

from forethought.cli.output import AsJson, show


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (init, check):
        app.command()(command)


def init(
    folder: Annotated[Path | None, typer.Argument(help="The new study's folder.", metavar="DIR")] = None,
    template: Annotated[
        str | None, typer.Option("--from", help="A shipped protocol's name, or the path of one of your own.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name the shipped protocols.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a study folder from a shipped protocol, or from one of your own."""
    from forethought.steps.init_study import init_study, shipped_studies
    from forethought.steps.setting import actor, wall_clock

    if list_:
        studies = shipped_studies()
        show("studies", {"studies": studies}, (f"{s.name}  {s.title}" for s in studies), as_json=as_json)
        return
    if folder is None or template is None:
        raise typer.BadParameter("give a folder and --from NAME or PATH, or --list for the names")
    made = init_study(folder, template, now=wall_clock(), actor=actor())
    show(
        "init",
        made,
        [
            str(made.folder),
            f"A study from `{template}`. Read protocol.yaml, then `forethought check {folder}`.",
        ],
        as_json=as_json,
    )


def check(
    path: Annotated[Path, typer.Argument(help="A protocol.yaml, or a study's folder.", metavar="PATH")],
    as_json: AsJson = False,
) -> None:
    """Name every problem of a protocol at once, each with its line; of a sound one, what is seldom wise."""
    from forethought.steps.check import check as check_step

    checked = check_step(path)
    show(
        "check",
        checked,
        [
            f"{checked.path}: no problem found.",
            *checked.warnings,
            f"fingerprint {checked.fingerprint}",
        ],
        as_json=as_json,
    )
