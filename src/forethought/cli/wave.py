"""Commands that run a wave: simulate, import, randomize, schedule, score, assignments, launch."""

import logging
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from forethought.cli.output import AsJson, StudyPath, Wait, count, show

Wave = Annotated[int, typer.Option("--wave", help="The wave's number.", min=1)]


class Source(StrEnum):
    """Services whose exports this release reads."""

    PROLIFIC = "prolific"
    QUALTRICS = "qualtrics"
    CSV = "csv"


class Kind(StrEnum):
    """What an export holds."""

    RECRUITS = "recruits"
    RESPONSES = "responses"
    CONVERSATIONS = "conversations"
    RATINGS = "ratings"


class Platform(StrEnum):
    """Who delivers the conditions."""

    CSV = "csv"
    QUALTRICS = "qualtrics"
    PROLIFIC = "prolific"


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(simulate)
    app.command(name="import")(import_)
    for command in (randomize, schedule, score, assignments, launch):
        app.command()(command)


def simulate(
    study: StudyPath,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same files.", min=0)],
    participants: Annotated[int | None, typer.Option("--participants", help="How many enrol.", min=1)] = None,
    now: Annotated[datetime | None, typer.Option("--now", help="Set the study clock first (UTC).")] = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Play the participants: write the exports that the services would give next. For practice and power."""
    from forethought.protocol.folder import StudyFolder
    from forethought.steps.setting import actor
    from forethought.steps.simulate import simulate as simulate_step

    folder = StudyFolder.open(study)
    clock = None if now is None else now.replace(tzinfo=now.tzinfo or UTC)
    played = simulate_step(folder, seed=seed, now=clock, actor=actor(), participants=participants, wait=wait)
    files = [str(file) for file in played.files]
    closing = "Nothing is left to simulate." if not files else f"Simulated: {played.phase}."
    show("simulate", played, [*files, closing], as_json=as_json)


def import_(
    study: StudyPath,
    file: Annotated[Path, typer.Argument(help="The export to import.", metavar="FILE")],
    source: Annotated[
        Source | None, typer.Option("--source", help="Guessed from the header if not given.")
    ] = None,
    kind: Annotated[Kind | None, typer.Option("--as", help="Guessed from the header if not given.")] = None,
    wave: Annotated[
        int | None, typer.Option("--wave", help="The recruits' wave, where there are several.", min=1)
    ] = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Import one export: good rows land together, refused rows are quarantined with their reason."""
    from forethought.steps.import_file import import_file
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    imported = import_file(
        here.folder,
        file,
        now=here.now,
        actor=here.actor,
        source=source.value if source else None,
        kind=kind.value if kind else None,
        wave=wave,
        wait=wait,
    )
    if imported.already:
        line = f"{file.name} was imported before: nothing added."
    else:
        line = (
            f"{file.name}: {count(imported.rows, 'row')} of {imported.kind}, {imported.new:,} new, "
            f"{imported.quarantined:,} quarantined."
        )
    show("import", imported, [line], as_json=as_json)


def randomize(
    study: StudyPath,
    wave: Wave = 1,
    participant: Annotated[
        list[str] | None,
        typer.Option(
            "--participant", help="Only this person, by pseudonym or the service's id; may be given again."
        ),
    ] = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Allocate every eligible person who has no arm yet. Run twice, it changes nothing.

    Of people who are named with --participant, one who is refused gives exit code 12; the others are allocated.
    """
    from forethought.errors import DataRefused
    from forethought.steps.randomize import randomize as randomize_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    done = randomize_step(
        here.folder,
        now=here.now,
        actor=here.actor,
        wave=wave,
        participants=participant or None,
        wait=wait,
    )
    lines = [f"{count(done.allocated, 'person', 'people')} allocated, {done.already:,} before."]
    lines += [f"{person}: not allocated, {reason}." for person, reason in done.refused]
    show("randomize", done, lines, as_json=as_json)
    if participant and done.refused:
        raise typer.Exit(DataRefused.exit_code)


def schedule(study: StudyPath, wait: Wait = 10.0, as_json: AsJson = False) -> None:
    """Plan the sessions of everyone who is allocated, and mark those held."""
    from forethought.steps.schedule import schedule as schedule_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    done = schedule_step(here.folder, now=here.now, actor=here.actor, wait=wait)
    show(
        "schedule",
        done,
        [f"{count(done.planned, 'session')} planned, {done.updated:,} brought up to date."],
        as_json=as_json,
    )


def score(study: StudyPath, wait: Wait = 10.0, as_json: AsJson = False) -> None:
    """Score ratings and scales. Scores are added, never overwritten."""
    from forethought.steps.score import score as score_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    done = score_step(here.folder, now=here.now, actor=here.actor, wait=wait)
    show("score", done, [f"{count(done.new, 'new score')}, {done.already:,} before."], as_json=as_json)


def assignments(
    study: StudyPath,
    out: Annotated[Path, typer.Argument(help="The file to write.", metavar="OUT")],
    platform: Annotated[Platform, typer.Option("--for", help="Who delivers.")] = Platform.CSV,
    again: Annotated[bool, typer.Option("--again", help="Hand over everyone once more.")] = False,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Hand each person's condition to the platform that delivers it; each handover is logged."""
    from forethought.steps.assignments import assignments as assignments_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    done = assignments_step(
        here.folder,
        out,
        now=here.now,
        actor=here.actor,
        platform=platform.value,
        again=again,
        wait=wait,
    )
    people = count(done.handed_over, "person", "people")
    show(
        "assignments",
        done,
        [str(done.file), f"{people} handed over, {done.already:,} before."],
        as_json=as_json,
    )


def launch(study: StudyPath, wave: Wave = 1, as_json: AsJson = False) -> None:
    """Advance the wave as one Prefect flow, as far as the data allow; run it again when more has come."""
    from forethought.flows.environment import prepare_environment
    from forethought.protocol.folder import StudyFolder

    folder = StudyFolder.open(study)
    logger = logging.getLogger("forethought")
    logger.setLevel(min(logger.level or logging.INFO, logging.INFO))
    logger.info("Starting Prefect: a few seconds with a server of your own, up to half a minute without.")
    prepare_environment()
    from forethought.flows.wave import launch as launch_flow

    report = launch_flow(str(folder.path), wave)
    show("launch", {"report": report}, [report], as_json=as_json)
