"""Recruitment: the people whom the recruitment service lists."""

from pathlib import Path

from prefect import flow, task

from forethought.steps.inbox import import_waiting
from forethought.steps.setting import setting


@task(persist_result=False)
def import_recruits(study: str, wave: int) -> dict[str, int]:
    """Import the recruits' exports that wait in the inbox; new rows by file."""
    here = setting(Path(study))
    return import_waiting(here.folder, ("recruits",), now=here.now, actor=here.actor, wave=wave)


@flow(name="recruitment", persist_result=False, log_prints=False)
def recruitment(study: str, wave: int = 1) -> dict[str, int]:
    """Bring the wave's recruits into the study."""
    return import_recruits(study, wave)
