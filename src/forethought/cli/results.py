"""Commands that say what was found: analyze, report, status, log, explain."""

from typing import Annotated

import typer

from forethought.cli.output import AsJson, StudyPath, Wait, count, show


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (analyze, report, status, log, explain):
        app.command()(command)


def analyze(study: StudyPath, wait: Wait = 10.0, as_json: AsJson = False) -> None:
    """Run the registered analysis; before unblinding, on a placebo allocation."""
    import json

    from forethought.steps.analyze import analyze as analyze_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    done = analyze_step(here.folder, now=here.now, actor=here.actor, wait=wait)
    if as_json:
        show("results", json.loads(done.results.read_text("utf-8")), [], as_json=True)
        return
    kind = " on a placebo allocation: the study is blinded" if done.blinded else ""
    show(
        "results",
        done,
        [
            str(done.results),
            f"{count(done.findings, 'finding')} of {count(done.models, 'fitted model')}{kind}.",
        ],
        as_json=False,
    )


def report(study: StudyPath, wait: Wait = 10.0, as_json: AsJson = False) -> None:
    """Write the report: one HTML file that holds everything."""
    from forethought.steps.report import report as report_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    done = report_step(here.folder, now=here.now, actor=here.actor, wait=wait)
    show("report", done, [str(done.report)], as_json=as_json)


def status(study: StudyPath, wait: Wait = 10.0, as_json: AsJson = False) -> None:
    """Say where the study stands; never with an arm before unblinding."""
    from forethought.protocol.folder import StudyFolder
    from forethought.steps.status import status as status_step

    done = status_step(StudyFolder.open(study), wait=wait)
    show("status", done, done.lines(), as_json=as_json)


def log(
    study: StudyPath,
    last: Annotated[int | None, typer.Option("--last", help="Only the last so many events.", min=1)] = None,
    full: Annotated[
        bool, typer.Option("--full", help="With the allocations of unblinded waves: not for the blinded.")
    ] = False,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Print the ledger, after checking its chain; nothing in it tells an arm, but with --full."""
    from forethought.protocol.folder import StudyFolder
    from forethought.steps.log import log as log_step

    done = log_step(StudyFolder.open(study), full=full, wait=wait)
    show("log", done.as_json(last), done.lines(last), as_json=as_json)


def explain(
    study: StudyPath,
    participant: Annotated[str, typer.Argument(help="The person's pseudonym, or the service's id.")],
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Say how a person's arm was drawn, once the wave is unblinded: every number from seed to arm."""
    from forethought.protocol.folder import StudyFolder
    from forethought.steps.explain import as_json as told
    from forethought.steps.explain import explain as explain_step
    from forethought.steps.explain import lines

    found = explain_step(StudyFolder.open(study), participant, wait=wait)
    show("explanation", told(found), lines(found), as_json=as_json)
