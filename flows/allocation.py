"""Allocation: every eligible person gets an arm, once."""

from prefect import flow, task

from forethought.flows.setting import setting
from forethought.steps.randomize import randomize


@task(persist_result=False)
def allocate(study: str, wave: int) -> int:
    """Allocate those who wait; how many were allocated now."""
    here = setting(study)
    return randomize(here.folder, now=here.now, actor=here.actor, wave=wave).allocated


@flow(name="allocation", persist_result=False, log_prints=False)
def allocation(study: str, wave: int = 1) -> int:
    """Allocate the wave's eligible participants."""
    return allocate(study, wave)
