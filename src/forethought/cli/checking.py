"""Commands that check the allocation: replay, for anyone; monitor, for those who are still blinded."""

from pathlib import Path
from typing import Annotated

import typer

from forethought.cli.output import AsJson, StudyPath, Wait, show

Checkable = Annotated[
    Path, typer.Argument(help="The study's folder, or a record that --save wrote.", metavar="STUDY")
]


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (replay, monitor):
        app.command()(command)


def replay(
    study: Checkable,
    save: Annotated[
        Path | None,
        typer.Option("--save", help="Write what a stranger needs to replay it: a zip.", metavar="OUT.zip"),
    ] = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Draw every allocation again from the revealed seeds, and say which rows differ."""
    from forethought.steps.replay import check

    done = check(study, save_to=save, wait=wait)
    show("replay", done, done.lines(), as_json=as_json)
    done.require()


def monitor(
    study: StudyPath,
    wave: Annotated[
        int | None, typer.Option("--wave", help="One wave alone; all of them without it.", min=1)
    ] = None,
    burst: Annotated[
        int | None,
        typer.Option(
            "--burst",
            help="Arrivals in one minute; without it the wave's target, but at least 100.",
            min=1,
            max=100_000,
        ),
    ] = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Watch the allocation, blinded: replay, bounds and sample ratio as yes or no; guesses; a burst of arrivals."""
    from forethought.protocol.folder import StudyFolder
    from forethought.steps.monitor import monitor as monitor_step

    done = monitor_step(StudyFolder.open(study), wave=wave, arrivals=burst, wait=wait)
    show("monitor", done, done.lines(), as_json=as_json)
    done.require()
