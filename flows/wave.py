"""The wave: every flow in its order, as far as the data allow."""

from pathlib import Path

from prefect import flow
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from forethought.flows.allocation import allocation
from forethought.flows.inference import inference
from forethought.flows.outcomes import outcomes
from forethought.flows.recruitment import recruitment
from forethought.flows.reporting import reporting
from forethought.flows.sessions import sessions
from forethought.steps.setting import setting
from forethought.steps.status import status


@flow(name="wave", persist_result=False, log_prints=False)
def launch_wave(study: str, wave: int = 1) -> str:
    """Advance the wave as far as the data allow; safe to run again. Returns the report's path."""
    recruitment(study, wave)
    if status(setting(Path(study)).folder).can_allocate_in(wave):
        allocation(study, wave)
    outcomes(study, wave)
    now = status(setting(Path(study)).folder)
    if now.allocated:
        sessions(study)
    if now.can_analyse:
        inference(study)
    return reporting(study)


def launch(study: str, wave: int = 1) -> str:
    """Run the wave in this process; a server of one's own is used where its address is set.

    Without the heartbeat thread: it is joined while it sleeps, a second for each flow.
    """
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        return launch_wave(study, wave)
