"""Commands that fix the plan, and show what became of it: lock, amend, diff."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forethought.cli.output import AsJson, StudyPath, Wait, count, show

if TYPE_CHECKING:
    from forethought.steps.amend import Amended
    from forethought.steps.lock import Locked

SeedFile = Annotated[
    Path | None,
    typer.Option("--seed-file", help="One line of 64 hex digits for each new wave; kept secret."),
]
BlocksFile = Annotated[
    Path | None,
    typer.Option(
        "--blocks",
        help="For `block_sizes: sealed`: one line of block sizes for each new wave; kept secret. "
        "Without it they are drawn by chance.",
    ),
]
TimestampService = Annotated[
    str | None,
    typer.Option("--timestamp", help="Address of an RFC 3161 service that stamps the record.", metavar="URL"),
]
TimestampRoot = Annotated[
    Path | None,
    typer.Option("--timestamp-root", help="The service's root certificate, as PEM."),
]
Plan = Annotated[Path, typer.Argument(help="A protocol.yaml, a study's folder or a registration.json.")]


KINDS = (
    "A kind is one of the report's: sample size, windows, exclusions, outcome, scorer, material, formula, pruning, "
    "alpha, extra tests, not done, seed, software, frozen data, "
    "registration, emergency unblinding, correction after unblinding."
)


def add_to(app: typer.Typer) -> None:
    """Add this group's commands."""
    for command in (lock, amend, diff):
        app.command()(command)


def lock(
    study: StudyPath,
    seed_file: SeedFile = None,
    blocks: BlocksFile = None,
    timestamp: TimestampService = None,
    timestamp_root: TimestampRoot = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Register the protocol as it stands: its fingerprint, materials, and the commitment to each seed."""
    from forethought.steps.lock import lock as lock_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    locked = lock_step(
        here.folder,
        now=here.now,
        actor=here.actor,
        seed_file=seed_file,
        blocks_file=blocks,
        timestamp=timestamp,
        timestamp_root=timestamp_root,
        wait=wait,
    )
    show("lock", locked, _of_lock(locked), as_json=as_json)


def amend(
    study: StudyPath,
    reason: Annotated[str, typer.Option("--reason", help="Why the plan is changed.")],
    declare: Annotated[
        list[str] | None,
        typer.Option(
            "--declare", help="What was done otherwise, as `kind: statement`; may be repeated. " + KINDS
        ),
    ] = None,
    seed_file: SeedFile = None,
    blocks: BlocksFile = None,
    timestamp: TimestampService = None,
    timestamp_root: TimestampRoot = None,
    wait: Wait = 10.0,
    as_json: AsJson = False,
) -> None:
    """Register a change of the locked protocol: what changed, why, and what had happened by then."""
    from forethought.steps.amend import amend as amend_step
    from forethought.steps.setting import setting

    here = setting(study, wait=wait)
    amended = amend_step(
        here.folder,
        reason=reason,
        declare=declare or (),
        now=here.now,
        actor=here.actor,
        seed_file=seed_file,
        blocks_file=blocks,
        timestamp=timestamp,
        timestamp_root=timestamp_root,
        wait=wait,
    )
    show("amend", amended, _of_amendment(amended), as_json=as_json)


def diff(a: Plan, b: Plan, as_json: AsJson = False) -> None:
    """Say in words what differs between two protocols."""
    from forethought.steps.diff import diff as diff_step

    compared = diff_step(a, b)
    lines = [one.words for one in compared.differences] or ["no difference"]
    show("diff", compared, lines, as_json=as_json)


def _of_lock(locked: "Locked") -> Iterator[str]:
    yield str(locked.registration)
    word = "Already locked" if locked.already else "Locked"
    amended = f", amended {count(locked.amendments, 'time')}" if locked.amendments else ""
    held = f"{count(locked.materials, 'material')} and {count(locked.seeds, 'committed seed')}"
    yield f"{word} with {held}{amended}."
    for at in locked.timestamps:
        yield f"Timestamped {at:%Y-%m-%d %H:%M:%S} UTC."
    yield f"fingerprint {locked.fingerprint}"


def _of_amendment(amended: "Amended") -> Iterator[str]:
    yield str(amended.registration)
    if amended.number is None:
        yield "Nothing was changed or declared: there is nothing to amend."
    else:
        there = " was there already" if amended.already else ""
        when = f"after {' and '.join(amended.after)}" if amended.after else "before any data"
        yield f"Amendment {amended.number}{there}, {when}:"
        yield from (str(one["words"]) for one in amended.differences)
        for said in amended.declared:
            kind = f" ({said['kind']})" if said["kind"] else ""
            yield f"declared{kind}: {said['statement']}"
    if amended.new_seeds and not amended.already:
        yield f"{count(amended.new_seeds, 'new seed is', 'new seeds are')} committed."
    for at in amended.timestamps:
        yield f"Timestamped {at:%Y-%m-%d %H:%M:%S} UTC."
    yield f"fingerprint {amended.fingerprint}"
