"""What the machine checked of the allocation: its replay, its balance, who stopped counting and who was replaced."""

from collections.abc import Iterator

from forethought.reports import formatting
from forethought.reports.content import (
    Block,
    Bullets,
    Cell,
    Column,
    Notice,
    Paragraph,
    RowGroup,
    Section,
    Table,
)
from forethought.reports.record import (
    AllocationChecks,
    Predictability,
    Replay,
    SampleRatio,
    WaveAllocation,
    total,
)

_AUTOMATIC = (
    "Until a wave is unblinded, the program that holds its seed draws every allocation again and answers yes or no, "
    "nothing more. Afterwards anyone can do so from the revealed seed, with the command forethought replay."
)
_RATIO = (
    "The sample ratio is tested by chi-square on the numbers of the arms, which are not shown here, with an alarm at "
    "p < .001: who vanishes from one arm more than from another makes the arms unlike."
)


def checks_section(checks: AllocationChecks) -> Section:
    """Each wave's replay and balance, the sample ratio, how well the next arm could be guessed, and who was replaced."""
    blocks: list[Block] = [Notice(text=problem) for problem in _problems(checks)]
    if checks.waves:
        blocks += [_waves(checks), Paragraph(text=_AUTOMATIC, small=True)]
    if checks.ratios:
        blocks += [Bullets(items=tuple(map(_ratio, checks.ratios))), Paragraph(text=_RATIO, small=True)]
    if checks.predictability:
        blocks.append(Bullets(items=tuple(map(_guessed, checks.predictability))))
    if sentences := tuple(_replacements(checks)):
        blocks.append(Bullets(items=sentences))
    return Section(id="allocation-checks", title="Checks of the allocation", blocks=tuple(blocks))


def _problems(checks: AllocationChecks) -> Iterator[str]:
    for problem in (*checks.problems, *(each for wave in checks.waves for each in wave.problems)):
        yield f"{problem[0].upper()}{problem[1:]}."
    for wave in checks.waves:
        if wave.seed_agrees is False:
            yield f"Wave {wave.wave}: at least one allocation is NOT what the wave's seed gives."
    for ratio in checks.ratios:
        if ratio.mismatch:
            yield f"SAMPLE RATIO MISMATCH among those {ratio.counted}: the arms' numbers are not what the ratio gives."


def _waves(checks: AllocationChecks) -> Table:
    labels = (
        "Replay from the revealed seed",
        "All as the seed gives",
        "Within the design's bounds",
        "Places that stopped counting",
        "Places filled again",
    )
    return Table(
        caption="The allocation of each wave, checked",
        columns=(
            Column(label="Wave"),
            Column(label="Allocated", numeric=True),
            *(Column(label=label) for label in labels),
        ),
        groups=(RowGroup(rows=tuple(map(_wave, checks.waves))),),
    )


def _wave(wave: WaveAllocation) -> tuple[Cell, ...]:
    stopped = "; ".join(
        f"{one.reason.replace('_', ' ')} ({formatting.count(one.count)})" for one in wave.stopped
    )
    number = formatting.count(total(wave.stopped))
    return tuple(
        Cell(text=text)
        for text in (
            str(wave.wave),
            formatting.count(wave.allocated),
            _replay(wave.replay),
            _yes_or_no(wave.seed_agrees, unknown="no seed here"),
            _yes_or_no(wave.within_bounds, unknown="it makes none"),
            f"{number}: {stopped}" if wave.stopped else number,
            formatting.count(wave.replaced),
        )
    )


def _replay(replay: Replay | None) -> str:
    if replay is None:
        return "not revealed yet"
    if replay.agreed == replay.replayed:
        return "all agree"
    differing = formatting.count(replay.replayed - replay.agreed)
    return f"{differing} of {formatting.count(replay.replayed)} DIFFER"


def _yes_or_no(answer: bool | None, *, unknown: str) -> str:
    return {True: "yes", False: "NO", None: unknown}[answer]


def _ratio(ratio: SampleRatio) -> str:
    people = formatting.counted(ratio.people, "person", "people")
    if ratio.mismatch is None:
        return f"Sample ratio of those {ratio.counted} ({people}): not tested, {ratio.why_not}."
    answer = "MISMATCH" if ratio.mismatch else "no mismatch"
    return f"Sample ratio of those {ratio.counted} ({people}): {answer}."


def _guessed(one: Predictability) -> str:
    blocks = (
        ", the block sizes being sealed and the shortest standing for them" if one.shortest_blocks else ""
    )
    return (
        f"Wave {one.wave}: whoever knew all arms so far and guessed the one furthest behind would be right in "
        f"{100 * one.guessed:.1f}% of {formatting.counted(one.units, 'allocation')}{blocks}; "
        f"whoever knew the ratio alone, in {100 * one.by_chance:.1f}%."
    )


def _replacements(checks: AllocationChecks) -> Iterator[str]:
    for wave in checks.waves:
        for newcomer, left in wave.replacements:
            yield f"Wave {wave.wave}: {newcomer} has the place that {left} left."
