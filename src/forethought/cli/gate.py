"""Commands of the gate: freeze, unblind."""

from typing import Annotated

import typer

from forethought.cli.output import AsJson, StudyPath, Wait, count, show


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (freeze, unblind):
        app.command()(command)


def freeze(study: StudyPath, wait: Wait = 10.0, as_json: AsJson = False) -> None:
    """Close enrolment and hash every table: what changes later is a deviation."""
    from forethought.steps.freeze import freeze as freeze_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    done = freeze_step(here.folder, now=here.now, actor=here.actor, wait=wait)
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
    from forethought.steps.setting import setting
    from forethought.steps.unblind import unblind as unblind_step

    here = setting(study, wait=wait)
    done = unblind_step(
        here.folder,
        now=here.now,
        actor=here.actor,
        by=by,
        reason=reason,
        scope=scope,
        wait=wait,
    )
    word = "Already unblinded" if done.already else "Unblinded"
    show("unblind", done, [f"{word} by {done.by}."], as_json=as_json)
