"""Commands of the gate: freeze, unblind; and correct, which mends what is behind it without hiding it."""

from typing import Annotated

import typer

from forethought.cli.output import AsJson, StudyPath, Wait, count, show


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (freeze, unblind, correct):
        app.command()(command)


def freeze(
    study: StudyPath,
    wave: Annotated[
        int | None, typer.Option("--wave", help="Close this wave alone; the others go on.", min=1)
    ] = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Close enrolment and hash every table: what changes later is a deviation."""
    from forethought.steps.freeze import freeze as freeze_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    done = freeze_step(here.folder, now=here.now, actor=here.actor, wave=wave, wait=wait)
    what = "Frozen" if done.wave is None else f"Wave {done.wave} is closed"
    word = f"{what} already" if done.already else what
    show("freeze", done, [f"{word}: {count(len(done.tables), 'table')} hashed."], as_json=as_json)


def unblind(
    study: StudyPath,
    by: Annotated[str, typer.Option("--by", help="Who decides it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why now.")],
    which: Annotated[str | None, typer.Argument(help="The N of `--scope wave N`.", hidden=True)] = None,
    scope: Annotated[
        str, typer.Option("--scope", help="study, wave:N, or in an emergency participant:ID.")
    ] = "study",
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Open the gate: arms may meet outcomes, and the allocation seeds are revealed.

    With `--scope participant:ID` one person's arm is shown, in an emergency, and everyone else stays blinded.
    """
    from forethought.steps.setting import setting
    from forethought.steps.unblind import unblind as unblind_step

    here = setting(study, wait=wait)
    done = unblind_step(
        here.folder,
        now=here.now,
        actor=here.actor,
        by=by,
        reason=reason,
        scope=scope if which is None else f"{scope} {which}",
        wait=wait,
    )
    show("unblind", done, done.lines(), as_json=as_json)


def correct(
    study: StudyPath,
    participant: Annotated[str, typer.Argument(help="The person's pseudonym, or the service's id.")],
    kind: Annotated[
        str,
        typer.Option(
            "--kind", help="randomised-in-error, wrong-value, randomised-twice or not-counted (a test run)."
        ),
    ],
    by: Annotated[str, typer.Option("--by", help="Who corrects it.")],
    reason: Annotated[str, typer.Option("--reason", help="What happened.")],
    item: Annotated[str | None, typer.Option("--item", help="wrong-value: the variable.")] = None,
    value: Annotated[str | None, typer.Option("--value", help="wrong-value: the true one.")] = None,
    first: Annotated[str | None, typer.Option("--first", help="randomised-twice: the first record.")] = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with somebody's record: told beside it, nothing deleted, the allocation kept.

    People randomised in error or twice and test runs count towards balance no longer. All stay in the analysis but the
    second record of somebody who was randomised twice; a wrong value is analysed as the true one.
    """
    from forethought.steps.correct import correct as correct_step
    from forethought.steps.correctable import wrong
    from forethought.steps.setting import setting

    said = wrong(kind, item=item, value=value, first=first)
    here = setting(study, wait=wait)
    done = correct_step(
        here.folder, participant, said, now=here.now, actor=here.actor, by=by, reason=reason, wait=wait
    )
    word = "Corrected before" if done.already else "Corrected"
    show("correct", done, [f"{word}: {done.participant}, {kind}."], as_json=as_json)
