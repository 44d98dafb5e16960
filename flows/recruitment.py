"""Recruitment: the people whom the recruitment service lists."""

from prefect import flow, task

from forethought.flows.setting import setting
from forethought.steps.inbox import import_waiting


@task(persist_result=False)
def import_recruits(study: str, wave: int) -> dict[str, int]:
    """Import the recruits' exports that wait in the inbox; new rows by file."""
    here = setting(study)
    return import_waiting(here.folder, ("recruits",), now=here.now, actor=here.actor, wave=wave)


@flow(name="recruitment", persist_result=False, log_prints=False)
def recruitment(study: str, wave: int = 1) -> dict[str, int]:
    """Bring the wave's recruits into the study."""
    return import_recruits(study, wave)
