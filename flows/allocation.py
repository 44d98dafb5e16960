"""Allocation: every eligible person gets an arm, once."""

from pathlib import Path

from prefect import flow, task

from forethought.steps.randomize import randomize
from forethought.steps.setting import setting


@task(persist_result=False)
def allocate(study: str, wave: int) -> int:
    """Allocate those who wait; how many were allocated now."""
    here = setting(Path(study))
    return randomize(here.folder, now=here.now, actor=here.actor, wave=wave).allocated


@flow(name="allocation", persist_result=False, log_prints=False)
def allocation(study: str, wave: int = 1) -> int:
    """Allocate the wave's eligible participants."""
    return allocate(study, wave)
