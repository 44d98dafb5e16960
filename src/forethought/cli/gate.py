"""Commands of the gate: freeze, unblind."""

from typing import Annotated

import typer

from forethought.cli.actor import actor, wall_clock
from forethought.cli.output import AsJson, StudyPath, Wait, count, show


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (freeze, unblind):
        app.command()(command)


def freeze(study: StudyPath, wait: Wait = 10.0, as_json: AsJson = False) -> None:
    """Close enrolment and hash every table: what changes later is a deviation."""
    from forethought.protocol.folder import StudyFolder
    from forethought.steps.clock import study_time
    from forethought.steps.freeze import freeze as freeze_step

    folder = StudyFolder.open(study)
    done = freeze_step(folder, now=study_time(folder, wall_clock(), wait=wait), actor=actor(), wait=wait)
    word = "Already frozen" if done.already else "Frozen"
    show("freeze", done, [f"{word}: {count(len(done.tables), 'table')} hashed."], as_json=as_json)


def unblind(
    study: StudyPath,
    by: Annotated[str, typer.Option("--by", help="Who decides it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why now.")],
    scope: Annotated[str, typer.Option("--scope", help="study.")] = "study",
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Open the gate: arms may meet outcomes, and the allocation seeds are revealed."""
    from forethought.protocol.folder import StudyFolder
    from forethought.steps.clock import study_time
    from forethought.steps.unblind import unblind as unblind_step

    folder = StudyFolder.open(study)
    done = unblind_step(
        folder,
        now=study_time(folder, wall_clock(), wait=wait),
        actor=actor(),
        by=by,
        reason=reason,
        scope=scope,
        wait=wait,
    )
    word = "Already unblinded" if done.already else "Unblinded"
    show("unblind", done, [f"{word} by {done.by}."], as_json=as_json)
