"""How the study was run: allocation, sessions, preparation; and what it cannot show."""

from collections.abc import Sequence

from forethought.protocol import allocation_words
from forethought.protocol.allocation import Design, NoAllocation, PermutedBlocks
from forethought.protocol.design import Arm
from forethought.protocol.protocol import Protocol
from forethought.reports import formatting
from forethought.reports.content import (
    Block,
    Bullets,
    Cell,
    Column,
    Paragraph,
    RowGroup,
    Section,
    Table,
)
from forethought.reports.names import Names, missing_data_in_words
from forethought.reports.record import BalanceRow, Record, Replay, SessionCount
from forethought.reports.results import Results, Values

NOT_RANDOMISED = "This study is not randomised: its design allocates nobody to an arm."
NO_EFFECTS = (
    "Nobody was allocated at random: a difference between groups need not be an effect of what they got."
)
SIMULATION = "The data are simulated: no conclusion about people follows from them."


def allocation_section(protocol: Protocol, results: Results, record: Record, names: Names) -> Section:
    """The method in words, the balance it gave, and whether a replay gives the same arms."""
    blocks: list[Block] = []
    design = protocol.allocation
    if isinstance(design, NoAllocation):
        blocks.append(Paragraph(text=NOT_RANDOMISED))
    else:
        blocks.append(Paragraph(text=_method(design, protocol.arms, names, blinded=results.blinded)))
        blocks.append(Paragraph(text=_replay(record.replay, results)))
        if results.blinded:
            blocks.append(Paragraph(text="Counts by arm are shown after unblinding."))
        if record.balance:
            blocks.append(_balance(protocol, record.balance, results, names))
    return Section(id="allocation", title="Allocation", blocks=tuple(blocks))


def _method(design: Design, arms: Sequence[Arm], names: Names, *, blinded: bool) -> str:
    """The method in words; who enrols reads the blinded report, and must not learn when a block ends."""
    shares = ", ".join(f"{names.arm(arm.id)} {design.ratio[arm.id]}" for arm in arms)
    within = allocation_words.looked_at(design)
    unit = f"by {allocation_words.unit(design)}" if design.cluster else ""
    parts = (
        f"{allocation_words.method(design)}{_sizes(design, blinded=blinded)}",
        *(part for part in (within, unit) if part),
        f"in the ratio {shares}",
        allocation_words.course(design),
        "from the wave's committed secret seed.",
    )
    said = ", ".join(parts)
    more = (allocation_words.how(design), *allocation_words.rules(design, names.arm), _who_counts(design))
    return " ".join([f"{said[:1].upper()}{said[1:]}", *(f"{one}." for one in more if one)])


def _sizes(design: Design, *, blinded: bool) -> str:
    """The numbers that tell when an arm is due, or that they are not told."""
    sizes = allocation_words.sizes(design)
    if sizes is None:
        return ""
    if not blinded or allocation_words.SEALED in sizes:
        return f" {sizes}"
    whose = "their sizes" if isinstance(design, PermutedBlocks) else "its numbers"
    return f" ({whose} are withheld until unblinding)"


def _who_counts(design: Design) -> str | None:
    """The rule for those who leave, where it is another than that everyone counts."""
    counted = design.dropouts.count != "everyone_allocated"
    return allocation_words.dropouts(design) if counted else None


def _replay(replay: Replay | None, results: Results) -> str:
    if replay is None:
        if results.blinded:
            return "Anyone can draw every allocation again once the study is unblinded, and its seeds are revealed."
        return "The allocations have not been replayed for this report. The seed lets them be, by whoever holds it."
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


def sessions_section(protocol: Protocol, sessions: Sequence[SessionCount], names: Names) -> Section:
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
    none = "No session has been scheduled yet." if protocol.sessions else "This study plans no sessions."
    blocks: tuple[Block, ...] = (table,) if sessions else (Paragraph(text=none),)
    return Section(id="sessions", title="Sessions", blocks=blocks)


def preparation_section(protocol: Protocol, results: Results) -> Section:
    """Each derivation and exclusion with its counts, and the rule for missing data."""
    blocks: list[Block] = [Paragraph(text=missing_data_in_words(protocol.analysis.missing_data))]
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


def limitations_section(protocol: Protocol, results: Results) -> Section:
    """What the study cannot show: in the protocol's words, and what its design and data add."""
    own = protocol.study.limitations or ("The protocol states no limitations of its own.",)
    added = (
        *((NO_EFFECTS,) if not protocol.randomised else ()),
        *((SIMULATION,) if results.simulated else ()),
    )
    return Section(id="limitations", title="Limitations", blocks=(Bullets(items=(*own, *added)),))
