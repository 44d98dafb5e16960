"""How the study was run, against the plan: the lock, the seeds, the sample, the sessions, the gate, software."""

from collections.abc import Iterator

from forethought.deviations.computed import Computed
from forethought.deviations.records import Deed, Plan, WaveDone
from forethought.protocol.allocation import Randomization
from forethought.registration import SeedCommitment


def of_conduct(plan: Plan, deed: Deed) -> Iterator[Computed]:
    """Every difference in how the study was run, in a fixed order."""
    yield from _registration(plan, deed)
    yield from _seeds(plan)
    yield from _sample_size(plan, deed)
    yield from _windows(deed)
    yield from _changed_tables(deed)
    yield from _gate(deed)
    yield from _software(plan, deed)


def _registration(plan: Plan, deed: Deed) -> Iterator[Computed]:
    if deed.first_outcome_at and deed.first_outcome_at < plan.registration.locked_at:
        yield Computed(
            kind="registration",
            planned="locked before the first outcome",
            done="locked after the first outcome was imported",
        )


def _seeds(plan: Plan) -> Iterator[Computed]:
    design, now = plan.protocol.allocation, plan.now.allocation
    if not isinstance(design, Randomization):
        return
    for seed in plan.registration.all_seeds:
        if not _fits(design.seed.drawn_by, seed):
            amended = isinstance(now, Randomization) and _fits(now.seed.drawn_by, seed)
            yield Computed(
                kind="seed",
                planned="seeds drawn by forethought" if seed.supplied else "seeds supplied by a statistician",
                done=f"the seed of wave {seed.wave} was {_origin(seed)}",
                fields=("allocation.seed.drawn_by",) if amended else (),
            )


def _fits(policy: str, seed: SeedCommitment) -> bool:
    return policy == "either" or (policy == "statistician") == seed.supplied


def _origin(seed: SeedCommitment) -> str:
    return "supplied by a person" if seed.supplied else "drawn by forethought"


def _sample_size(plan: Plan, deed: Deed) -> Iterator[Computed]:
    """Only of waves whose enrolment is closed: until then the sample is still growing."""
    registered = {wave.number: wave.target for wave in plan.protocol.waves}
    amended = {wave.number: wave.target for wave in plan.now.waves}
    unit = (
        "participants with every session" if plan.protocol.randomised else "participants with data to analyse"
    )
    several = len(amended) > 1
    for wave in deed.waves:
        target, now = registered.get(wave.number), amended.get(wave.number)
        if not wave.closed or target == now == wave.completed:
            continue
        whose = f"wave {wave.number}: " if several else ""
        planned = f"{target:,} {unit}" if target is not None else "no such wave"
        other = f" ({now:,} since an amendment)" if now is not None and now != target else ""
        yield Computed(
            kind="sample size",
            planned=f"{whose}{planned}{other}",
            done=f"{whose}{wave.completed:,} {unit}{_under_way(wave)}",
            fields=(f"waves.{wave.number}.target",) if wave.completed == now else (),
        )


def _under_way(wave: WaveDone) -> str:
    return f", {wave.in_progress:,} still under way" if wave.in_progress else ""


def _windows(deed: Deed) -> Iterator[Computed]:
    """Sessions outside the windows that stand; and those that only an amended window takes in."""
    outside, held = (sum(getattr(one, name) for one in deed.sessions) for name in ("outside", "held"))
    if outside:
        yield Computed(
            kind="windows",
            planned="every session inside its window",
            done=f"{outside:,} of {held:,} sessions held outside it",
        )
    for one in deed.sessions:
        if (excused := one.outside_registered - one.outside) > 0:
            yield Computed(
                kind="windows",
                planned=f"`{one.session}` inside its window as registered",
                done=f"{excused:,} of {one.held:,} held outside that, and inside the window as amended",
                fields=(f"sessions.{one.session}.window",),
            )


def _changed_tables(deed: Deed) -> Iterator[Computed]:
    for table, then in deed.frozen_tables.items():
        if deed.tables_now.get(table) != then:
            yield Computed(
                kind="frozen data",
                planned=f"`{table}` unchanged after the freeze",
                done=f"`{table}` was changed after the freeze",
            )
    for one in deed.changed_in_waves:
        yield Computed(
            kind="frozen data",
            planned=f"`{one.table}` of wave {one.wave} unchanged after the wave was closed",
            done=f"`{one.table}` of wave {one.wave} was changed after the wave was closed",
        )


def _gate(deed: Deed) -> Iterator[Computed]:
    """Arms that somebody knew before the unblinding, and data that changed after it."""
    if deed.emergencies:
        people = "participant" if deed.emergencies == 1 else "participants"
        yield Computed(
            kind="emergency unblinding",
            planned="every arm concealed until its wave is unblinded",
            done=f"the arm of {deed.emergencies:,} {people} opened before that, in an emergency",
        )
    if deed.corrected_after_unblinding:
        corrections = "correction" if deed.corrected_after_unblinding == 1 else "corrections"
        yield Computed(
            kind="correction after unblinding",
            planned="what is analysed of a participant known before the unblinding",
            done=f"{deed.corrected_after_unblinding:,} {corrections} of it made afterwards",
        )


def _software(plan: Plan, deed: Deed) -> Iterator[Computed]:
    for package, registered in plan.registration.software.items():
        used = deed.software.get(package)
        if used != registered:
            yield Computed(
                kind="software",
                planned=f"{package} {registered}",
                done=f"{package} {used or 'not installed'}",
            )
