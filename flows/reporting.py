"""Reporting: the study as it stands, as one HTML file."""

from prefect import flow, task

from forethought.flows.setting import setting
from forethought.steps.report import report


@task(persist_result=False)
def write_report(study: str) -> str:
    """Write the report; its path."""
    here = setting(study)
    return str(report(here.folder, now=here.now, actor=here.actor).report)


@flow(name="reporting", persist_result=False, log_prints=False)
def reporting(study: str) -> str:
    """Write the study's report."""
    return write_report(study)
