"""How the study was run: registration, allocation, sessions, preparation, deviations."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from forethought.protocol.design import PermutedBlocks
from forethought.protocol.protocol import Protocol
from forethought.registration import Registration
from forethought.reports import formatting, standing
from forethought.reports.content import (
    Block,
    Bullets,
    Cell,
    Column,
    Fact,
    Facts,
    Paragraph,
    RowGroup,
    Section,
    Table,
)
from forethought.reports.names import Names
from forethought.reports.record import BalanceRow, Moments, Record, Replay, SessionCount
from forethought.reports.results import Results, Values

NOT_RANDOMISED = "This study is not randomised: its design allocates nobody to an arm."
NO_EFFECTS = (
    "Nobody was allocated at random: a difference between groups need not be an effect of what they got."
)
SIMULATION = "The data are simulated: no conclusion about people follows from them."


def registration_section(record: Record) -> Section:
    """What was locked, when, and how that stands to allocation, outcomes and unblinding."""
    registration = record.registration
    badge = standing.of_registration(record)
    blocks: list[Block] = [Paragraph(text=f"{badge.text}. {badge.meaning}")]
    if registration is not None:
        blocks.append(Facts(items=tuple(_registration_facts(registration))))
        blocks.append(Bullets(items=tuple(_times(registration.locked_at, record.moments))))
        if registration.seeds:
            blocks.append(_seeds(registration))
        if registration.materials:
            blocks.append(_hashes("Materials locked with the protocol", "File", registration.materials))
    return Section(id="registration", title="Registration", blocks=tuple(blocks))


def _registration_facts(registration: Registration) -> Iterator[Fact]:
    yield Fact(term="Fingerprint", value=registration.fingerprint, code=True)
    yield Fact(
        term="Locked", value=f"{formatting.moment(registration.locked_at)}, by {registration.locked_by}"
    )
    yield Fact(term="SHA-256 of protocol.yaml", value=registration.protocol_sha256, code=True)
    if registration.git_commit is not None:
        yield Fact(term="Commit of the study's repository", value=registration.git_commit, code=True)
    if registration.allocation_algorithm is not None:
        yield Fact(term="Allocation algorithm", value=registration.allocation_algorithm, code=True)


def _times(locked: datetime, moments: Moments) -> Iterator[str]:
    events = (
        ("The first allocation", moments.first_allocation),
        ("The first outcome", moments.first_outcome),
        ("The unblinding", moments.unblinded),
    )
    for name, when in events:
        if when is None:
            yield f"{name} has not happened."
        elif when >= locked:
            yield f"{name} was {formatting.between(locked, when)} after the lock, {formatting.moment(when)}."
        else:
            yield f"{name} was {formatting.between(when, locked)} before the lock, {formatting.moment(when)}."


def _seeds(registration: Registration) -> Table:
    return Table(
        caption="Commitments to the secret seeds, published before the first allocation",
        columns=(
            Column(label="Wave"),
            Column(label="SHA-256 of nonce, seed and wave"),
            Column(label="Origin"),
        ),
        groups=(
            RowGroup(
                rows=tuple(
                    (
                        Cell(text=str(seed.wave)),
                        Cell(text=seed.commitment, code=True),
                        Cell(text="supplied by a person" if seed.supplied else "drawn at the lock"),
                    )
                    for seed in registration.seeds
                )
            ),
        ),
    )


def _hashes(caption: str, heading: str, hashes: dict[str, str]) -> Table:
    rows = tuple((Cell(text=name), Cell(text=digest, code=True)) for name, digest in sorted(hashes.items()))
    columns = (Column(label=heading), Column(label="SHA-256"))
    return Table(caption=caption, columns=columns, groups=(RowGroup(rows=rows),))


def allocation_section(protocol: Protocol, results: Results, record: Record, names: Names) -> Section:
    """The method in words, the balance it gave, and whether a replay gives the same arms."""
    blocks: list[Block] = []
    if isinstance(protocol.allocation, PermutedBlocks):
        blocks.append(Paragraph(text=_method(protocol.allocation, names, blinded=results.blinded)))
        blocks.append(Paragraph(text=_replay(record.replay, results)))
        if results.blinded:
            blocks.append(Paragraph(text="Counts by arm are shown after unblinding."))
        if record.balance:
            blocks.append(_balance(protocol, record.balance, results, names))
    else:
        blocks.append(Paragraph(text=NOT_RANDOMISED))
    return Section(id="allocation", title="Allocation", blocks=tuple(blocks))


def _method(design: PermutedBlocks, names: Names, *, blinded: bool) -> str:
    """The method in words; who enrols reads the blinded report, and must not learn when a block ends."""
    shares = ", ".join(f"{names.arm(arm)} {share}" for arm, share in design.ratio.items())
    sizes = " or ".join(str(size) for size in design.block_sizes)
    strata = f"within strata of {' and '.join(design.strata)}" if design.strata else "without strata"
    drawn = "each block's size drawn by chance" if len(design.block_sizes) > 1 else "of one size"
    of_sizes = " (their sizes are withheld until unblinding)" if blinded else f" of {sizes} ({drawn})"
    return (
        f"Permuted blocks{of_sizes}, {strata}, in the ratio {shares}, in the order of arrival, "
        "from the wave's committed secret seed."
    )


def _replay(replay: Replay | None, results: Results) -> str:
    if replay is None:
        when = "once the study is unblinded" if results.blinded else "by whoever holds the seed"
        return f"The allocations have not been replayed for this report. The seed lets them be, {when}."
    result = f"{formatting.count(replay.agreed)} of {formatting.counted(replay.replayed, 'allocation')}"
    verdict = (
        "all agree." if replay.agreed == replay.replayed else "the others DIFFER from what the seed gives."
    )
    return f"Replayed from the revealed seed: {result} come out with the same arm; {verdict}"


def _balance(protocol: Protocol, rows: Sequence[BalanceRow], results: Results, names: Names) -> Table:
    arms = () if results.blinded else tuple(arm.id for arm in protocol.arms)
    waves = dict.fromkeys(row.wave for row in rows)
    columns = (
        Column(label="Stratum"),
        *(Column(label=names.arm(arm), numeric=True) for arm in arms),
        Column(label="Allocated", numeric=True),
    )
    return Table(
        caption="Allocated, by stratum" if results.blinded else "Allocated, by stratum and arm",
        columns=columns,
        groups=tuple(
            RowGroup(
                label=f"Wave {wave}" if len(waves) > 1 else None,
                rows=_with_sum([row for row in rows if row.wave == wave], arms),
            )
            for wave in waves
        ),
    )


def _with_sum(rows: Sequence[BalanceRow], arms: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    by_arm = {arm: sum(row.by_arm.get(arm, 0) for row in rows) for arm in arms}
    everyone = BalanceRow(
        wave=rows[0].wave, stratum="All strata", allocated=sum(row.allocated for row in rows), by_arm=by_arm
    )
    return tuple(
        (
            Cell(text=_stratum(row.stratum)),
            *(Cell(text=formatting.count(row.by_arm.get(arm, 0))) for arm in arms),
            Cell(text=formatting.count(row.allocated)),
        )
        for row in (*rows, *((everyone,) if len(rows) > 1 else ()))
    )


def _stratum(label: str) -> str:
    """`sex=Female|age=old` as `sex Female, age old`."""
    return label.replace("=", " ").replace("|", ", ") if label != "all" else "no strata"


def sessions_section(sessions: Sequence[SessionCount], names: Names) -> Section:
    """How the planned sessions went, all arms together."""
    counts = ("done", "out_of_window", "missed", "still_open")
    labels = ("Done in its window", "Done outside it", "Missed", "Still open")
    rows = tuple(
        (
            Cell(text=names.session(one.session)),
            Cell(text=formatting.count(one.planned)),
            *(
                Cell(text=f"{formatting.count(number)} ({formatting.share(number, one.planned)})")
                for number in (getattr(one, name) for name in counts)
            ),
        )
        for one in sessions
    )
    table = Table(
        caption="Sessions of those allocated, all arms together",
        columns=(
            Column(label="Session"),
            *(Column(label=label, numeric=True) for label in ("Planned", *labels)),
        ),
        groups=(RowGroup(rows=rows),),
    )
    blocks: tuple[Block, ...] = (table,) if sessions else (Paragraph(text="This study plans no sessions."),)
    return Section(id="sessions", title="Sessions", blocks=blocks)


def preparation_section(protocol: Protocol, results: Results) -> Section:
    """Each derivation and exclusion with its counts, and the rule for missing data."""
    blocks: list[Block] = [Paragraph(text=f"Missing data. {protocol.analysis.missing_data}")]
    if results.preparation:
        blocks.append(_preparation_table(results.preparation))
    else:
        blocks.append(
            Paragraph(text="The records are analysed as they came: nothing is derived or excluded.")
        )
    return Section(id="preparation", title="Preparation of the data", blocks=tuple(blocks))


def _preparation_table(steps: Sequence[Values]) -> Table:
    rows = tuple(
        (
            Cell(text=str(position)),
            Cell(text="excluded" if step["step"] == "exclude" else "derived"),
            Cell(text=step["reason"]),
            Cell(text=_taken(step)),
            Cell(text=formatting.count(step["records_after"])),
            Cell(text=formatting.count(step["participants_after"])),
        )
        for position, step in enumerate(steps, start=1)
    )
    return Table(
        caption="Steps from the records as they came to the analysis data set",
        columns=(
            Column(label="Step"),
            Column(label="Kind"),
            Column(label="What"),
            Column(label="Records excluded", numeric=True),
            Column(label="Records left", numeric=True),
            Column(label="Participants left", numeric=True),
        ),
        groups=(RowGroup(rows=rows),),
        notes=(f"Records at the start: {formatting.count(steps[0]['records_before'])}.",),
    )


def _taken(step: Values) -> str:
    if step["step"] != "exclude":
        return formatting.ABSENT
    return formatting.count(step["records_before"] - step["records_after"])


def deviations_section(record: Record) -> Section:
    """Every difference between plan and deed that the machine found."""
    if not record.deviations:
        found = "None found: registration, sample size, sessions, frozen data and software are as planned."
        nothing = (
            "Without a registration there is no plan to hold the deeds against, but for the protocol's own."
        )
        text = found if record.registration is not None else f"None found. {nothing}"
        return Section(id="deviations", title="Deviations", blocks=(Paragraph(text=text),))
    rows = tuple(
        (
            Cell(text=one.kind),
            Cell(text=one.planned),
            Cell(text=one.done),
            Cell(text=one.declared),
            Cell(text=formatting.moment(one.detected_at)),
        )
        for one in record.deviations
    )
    labels = ("Kind", "Planned", "Done", "Declared", "Found")
    table: Block = Table(
        caption="Differences between plan and deed",
        columns=tuple(Column(label=label) for label in labels),
        groups=(RowGroup(rows=rows),),
    )
    return Section(id="deviations", title="Deviations", blocks=(table,))


def limitations_section(protocol: Protocol, results: Results) -> Section:
    """What the study cannot show: in the protocol's words, and what its design and data add."""
    own = protocol.study.limitations or ("The protocol states no limitations of its own.",)
    added = (
        *((NO_EFFECTS,) if not protocol.randomised else ()),
        *((SIMULATION,) if results.simulated else ()),
    )
    return Section(id="limitations", title="Limitations", blocks=(Bullets(items=(*own, *added)),))
