"""Commands that fix the plan: lock."""

from pathlib import Path
from typing import Annotated

import typer

from forethought.cli.output import AsJson, StudyPath, Wait, count, show


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (lock,):
        app.command()(command)


def lock(
    study: StudyPath,
    seed_file: Annotated[
        Path | None, typer.Option("--seed-file", help="One line of 64 hex digits for each wave; kept secret.")
    ] = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Register the protocol as it stands: its fingerprint, materials, and the commitment to each seed."""
    from forethought.steps.lock import lock as lock_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    locked = lock_step(here.folder, now=here.now, actor=here.actor, seed_file=seed_file, wait=wait)
    word = "Already locked" if locked.already else "Locked"
    show(
        "lock",
        locked,
        [
            str(here.folder.registration),
            f"{word} with {count(locked.materials, 'material')} and {count(locked.seeds, 'committed seed')}.",
            f"fingerprint {locked.fingerprint}",
        ],
        as_json=as_json,
    )
