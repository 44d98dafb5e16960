"""Sessions: each allocated person's sessions are planned, and those held are marked."""

from pathlib import Path

from prefect import flow, task

from forethought.steps.schedule import schedule
from forethought.steps.setting import setting


@task(persist_result=False)
def plan_sessions(study: str) -> int:
    """Plan what is not planned yet and mark what was held; how many sessions were planned now."""
    here = setting(Path(study))
    return schedule(here.folder, now=here.now, actor=here.actor).planned


@flow(name="sessions", persist_result=False, log_prints=False)
def sessions(study: str) -> int:
    """Bring the schedule up to date."""
    return plan_sessions(study)
