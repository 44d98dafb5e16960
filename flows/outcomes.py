"""Outcomes: what participants did and how it was rated, imported and scored."""

from pathlib import Path

from prefect import flow, task

from forethought.protocol.imports import ImportKind
from forethought.steps.inbox import import_waiting
from forethought.steps.score import score
from forethought.steps.setting import setting

KINDS: tuple[ImportKind, ...] = ("responses", "conversations", "ratings")


@task(persist_result=False)
def import_outcomes(study: str, wave: int) -> dict[str, int]:
    """Import the exports of answers, conversations and ratings that wait; new rows by file."""
    here = setting(Path(study))
    return import_waiting(here.folder, KINDS, now=here.now, actor=here.actor, wave=wave)


@task(persist_result=False)
def score_outcomes(study: str) -> int:
    """Score what is not scored yet; how many scores are new."""
    here = setting(Path(study))
    return score(here.folder, now=here.now, actor=here.actor).new


@flow(name="outcomes", persist_result=False, log_prints=False)
def outcomes(study: str, wave: int = 1) -> dict[str, int]:
    """Import and score the wave's outcomes."""
    imported = import_outcomes(study, wave)
    return imported | {"scores": score_outcomes(study)}
