"""Inference: the registered analysis, blinded until the gate is open."""

from pathlib import Path

from prefect import flow, task

from forethought.steps.analyze import analyze
from forethought.steps.setting import setting


@task(persist_result=False)
def analyse(study: str) -> int:
    """Run the registered analysis; how many findings it has."""
    here = setting(Path(study))
    return analyze(here.folder, now=here.now, actor=here.actor).findings


@flow(name="inference", persist_result=False, log_prints=False)
def inference(study: str) -> int:
    """Run the registered analysis on the data there are."""
    return analyse(study)
