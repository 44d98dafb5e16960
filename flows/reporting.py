"""Reporting: the study as it stands, as one HTML file."""

from pathlib import Path

from prefect import flow, task

from forethought.steps.report import report
from forethought.steps.setting import setting


@task(persist_result=False)
def write_report(study: str) -> str:
    """Write the report; its path."""
    here = setting(Path(study))
    return str(report(here.folder, now=here.now, actor=here.actor).report)


@flow(name="reporting", persist_result=False, log_prints=False)
def reporting(study: str) -> str:
    """Write the study's report."""
    return write_report(study)
