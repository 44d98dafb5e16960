"""Allocation by every method, for any design, any strata, any leaving and any way in which people arrive."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forethought.protocol.allocation import (
    BiasedCoin,
    BigStick,
    BlockUrn,
    Cap,
    Complete,
    Design,
    Dropouts,
    Factor,
    Minimization,
    PermutedBlocks,
    SeedPolicy,
    Simple,
    algorithm,
)
from forethought.randomization.allocating import allocate, one_by_one, probabilities
from forethought.randomization.arrivals import Arrivals, Before, Drawn, OpenPlace, Source, Tally
from forethought.randomization.block_contents import contents
from forethought.randomization.sequence import Draw, Sequence

ARMS = ("control", "video", "coach", "combined", "sham")
STRATA = ("sex=Female", "sex=Male", "sex=Other")
METHODS = (Simple, Complete, PermutedBlocks, BiasedCoin, BigStick, BlockUrn, Minimization)
BLOCKED = (PermutedBlocks, Complete)

SLOW = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def parameters(draw: st.DrawFn, method: type[Design], shares: int) -> dict[str, object]:
    """What a method has of its own."""
    chance = st.sampled_from(["2/3", "17/20", 0.8])
    times = st.integers(1, 3).map(lambda n: n * shares)
    of_method: dict[type[Design], dict[str, st.SearchStrategy[object]]] = {
        Simple: {"method": st.just("simple")},
        Complete: {"method": st.just("complete"), "size": st.integers(2, 17)},
        PermutedBlocks: {
            "method": st.just("permuted_blocks"),
            "block_sizes": st.lists(times, min_size=1, max_size=3).map(tuple),
        },
        BiasedCoin: {"method": st.just("biased_coin"), "chance": chance},
        BigStick: {"method": st.just("big_stick"), "tolerance": st.integers(1, 3)},
        BlockUrn: {"method": st.just("block_urn"), "block_size": times.map(lambda n: max(n, 2))},
        Minimization: {
            "method": st.just("minimization"),
            "factors": st.just((Factor(name="sex", weight=2),)),
            "imbalance": st.sampled_from(["range", "variance", "standard_deviation"]),
            "chance": chance,
        },
    }
    return {name: draw(strategy) for name, strategy in of_method[method].items()}


@st.composite
def designs(
    draw: st.DrawFn,
    methods: tuple[type[Design], ...] = METHODS,
    *,
    plain: bool = False,
    replace: bool = False,
) -> Design:
    """Any design of these methods; a plain one without caps, first simple draws, clusters and replacements."""
    method = draw(st.sampled_from(methods))
    arms = draw(st.permutations(ARMS))[: draw(st.integers(2, 5))]
    ratio = {arm: draw(st.integers(1, 3)) for arm in arms}
    replaced = st.sampled_from(["never", "reopen_place", "next_arrival"]) if replace else st.just("never")
    rules: dict[str, object] = {
        "ratio": ratio,
        "dropouts": Dropouts(count="completed", replace=draw(replaced), statement="As allocated."),
        "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
        "concealment": "Nobody knows the seed.",
    }
    if not plain:
        where = st.sampled_from([{}, {"sex": "Female"}]) if method is not Simple else st.just({})
        cap = st.builds(Cap, arm=st.sampled_from(arms), stratum=where, at_most=st.integers(1, 9))
        rules["caps"] = tuple(draw(st.lists(cap, max_size=6)))
        rules["initial_simple"] = draw(st.integers(0, 4))
        rules["unit"] = draw(st.sampled_from(["participant", "cluster"]))
        rules["cluster"] = "school" if rules["unit"] == "cluster" else None
    return method(**rules, **parameters(draw, method, sum(ratio.values())))


@dataclass
class Wave:
    """A wave written down as a store would: who came, what they got, and who counts."""

    design: Design
    rows: list[tuple[str, str, bool]] = field(default_factory=list)
    units: dict[str, tuple[str, str]] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    filled: set[str] = field(default_factory=set)

    def add(self, stratum: str, unit: str, arm: str, replaces: str | None) -> None:
        clusters = self.design.unit == "cluster"
        if clusters and unit in self.units:
            return
        if clusters:
            self.units[unit] = (stratum, arm)
        self.rows.append((stratum, arm, replaces is not None))
        self.filled |= {replaces} - {None}

    @property
    def before(self) -> Before:
        placed: Counter[tuple[str, str]] = Counter((stratum, arm) for stratum, arm, _ in self.rows)
        regular: Counter[tuple[str, str]] = Counter(row[:2] for row in self.rows if not row[2])
        out = Counter(self.rows[row][:2] for row in self.gone)
        courses: dict[str, list[str]] = defaultdict(list)
        for stratum, arm, replacement in self.rows:
            if not replacement:
                courses[stratum].append(arm)
        names = [(f"p{row}", *self.rows[row][:2]) for row in self.gone if f"p{row}" not in self.filled]
        return Before(
            tallies=tuple(
                Tally(stratum=key[0], arm=key[1], placed=n, regular=regular[key], counting=n - out[key])
                for key, n in placed.items()
            ),
            open=tuple(
                OpenPlace(participant=name, stratum=stratum, arm=arm)
                for name, stratum, arm in names
                if self.design.dropouts.replace != "never"
            ),
            courses=courses,
            units=self.units,
            arrivals=len(self.rows),
        )


def source(design: Design, seed: bytes) -> Source:
    return Source(seed=seed, study_id="s", wave=1, algorithm=algorithm(design))


def columns(drawn: Drawn, *, known: bool = True) -> list[tuple[object, ...]]:
    """Each arrival's arm, and where no cluster came before, its probability, block and position."""
    names = [drawn.arms[code] if code >= 0 else None for code in drawn.arm.tolist()]
    rest = (drawn.probability.tolist(), drawn.block.tolist(), drawn.position.tolist())
    told = [tuple(None if each != each else each for each in row) for row in zip(*rest, strict=True)]
    return [(name, *(row if known else ())) for name, row in zip(names, told, strict=True)]


seeds = st.binary(min_size=32, max_size=32)
arrivals = st.lists(st.tuples(st.sampled_from(STRATA), st.sampled_from("abcdefghij")), max_size=60)


def of(design: Design, people: list[tuple[str, str]]) -> Arrivals:
    """The arrivals, as the design looks at them."""
    strata = ["all" if isinstance(design, Simple) else stratum for stratum, _ in people]
    return Arrivals.of(strata, [unit for _, unit in people] if design.unit == "cluster" else None)


@SLOW
@given(designs(), seeds, arrivals, st.data())
def test_one_at_a_time_in_batches_and_all_at_once_are_the_same(
    design: Design, seed: bytes, people: list[tuple[str, str]], data: st.DataObject
) -> None:
    known = design.unit == "participant"
    at_once = columns(allocate(design, source(design, seed), of(design, people)), known=known)
    wave, in_batches = Wave(design), []
    while len(in_batches) < len(people):
        start = len(in_batches)
        batch = people[start : start + data.draw(st.integers(1, 9))]
        given_now = of(design, batch)
        drawn = columns(allocate(design, source(design, seed), given_now, wave.before), known=known)
        for (_, unit), code, row in zip(batch, given_now.codes, drawn, strict=True):
            if row[0] is not None:
                wave.add(given_now.labels[code], unit, str(row[0]), None)
        in_batches += drawn
    assert in_batches == at_once


@SLOW
@given(designs((Simple, *BLOCKED), plain=True), seeds, arrivals, st.integers(0, 60))
def test_all_strata_at_once_get_what_the_engine_gives_unit_by_unit(
    design: Design, seed: bytes, people: list[tuple[str, str]], earlier: int
) -> None:
    first, rest = of(design, people[:earlier]), of(design, people[earlier:])
    wave = Wave(design)
    for (arm, *_), code in zip(
        columns(allocate(design, source(design, seed), first)), first.codes, strict=True
    ):
        wave.add(first.labels[code], "", str(arm), None)
    at_once = allocate(design, source(design, seed), rest, wave.before)
    assert columns(at_once) == columns(one_by_one(design, source(design, seed), rest, wave.before))


@SLOW
@given(designs(replace=True), seeds, st.lists(st.sampled_from(STRATA), max_size=50), st.data())
def test_a_wave_goes_on_after_people_left_and_returned_as_if_it_had_never_been_put_down(
    design: Design, seed: bytes, people: list[str], data: st.DataObject
) -> None:
    """Each arrival is drawn twice: in one sequence to the end, and anew from what the wave holds by then."""
    whole, wave = Sequence(design, source(design, seed)), Wave(design)
    for number, stratum in enumerate(people):
        label = "all" if isinstance(design, Simple) else stratum
        if wave.rows and data.draw(st.booleans()):
            changed = data.draw(st.integers(0, len(wave.rows) - 1))
            returns = changed in wave.gone
            wave.gone.remove(changed) if returns else wave.gone.append(changed)
            whole.recount(f"p{changed}", *wave.rows[changed][:2], counts=returns)
        unit = [f"u{number}"] if design.unit == "cluster" else None
        alone = allocate(design, source(design, seed), Arrivals.of([label], unit), wave.before)
        draw = whole.draw(label, f"p{len(wave.rows)}", unit[0] if unit else None)
        if draw is None:
            assert alone.arm.tolist() == [-1]
            continue
        assert columns(alone) == [(draw.arm, draw.probability, draw.block, draw.position)]
        assert alone.replaces.get(0) == draw.replaces
        wave.add(label, f"u{number}", draw.arm, draw.replaces)


def drawn_one_by_one(design: Design, seed: bytes, people: list[tuple[str, str]]) -> list[Draw]:
    sequence, given_now = Sequence(design, source(design, seed)), of(design, people)
    units = given_now.units or [None] * len(people)
    found = [
        sequence.draw(given_now.labels[code], unit=unit)
        for code, unit in zip(given_now.codes, units, strict=True)
    ]
    return [draw for draw in found if draw is not None]


@SLOW
@given(designs(), seeds, arrivals)
def test_probabilities_sum_to_one_and_the_drawn_arm_has_one(
    design: Design, seed: bytes, people: list[tuple[str, str]]
) -> None:
    for draw in drawn_one_by_one(design, seed, people):
        assert sum(draw.probabilities.values()) == Fraction(1)
        assert draw.probabilities[draw.arm] > 0
        assert draw.probability == float(draw.probabilities[draw.arm])


@SLOW
@given(designs(), seeds, arrivals)
def test_a_number_falls_into_the_share_of_the_arm_that_it_draws(
    design: Design, seed: bytes, people: list[tuple[str, str]]
) -> None:
    for draw in drawn_one_by_one(design, seed, people):
        assert draw.number == draw.word % sum(draw.weights.values())
        shares = [arm for arm in sorted(design.ratio) for _ in range(draw.weights[arm])]
        assert shares[draw.number] == draw.arm


@SLOW
@given(designs(), seeds, arrivals, st.sampled_from(STRATA))
def test_the_next_units_probabilities_are_those_it_is_then_drawn_with(
    design: Design, seed: bytes, people: list[tuple[str, str]], stratum: str
) -> None:
    label = "all" if isinstance(design, Simple) else stratum
    wave, given_now = Wave(design), of(design, people)
    drawn = columns(allocate(design, source(design, seed), given_now))
    for (_, unit), code, row in zip(people, given_now.codes, drawn, strict=True):
        if row[0] is not None:
            wave.add(given_now.labels[code], unit, str(row[0]), None)
    told = probabilities(design, source(design, seed), wave.before, label)
    one = allocate(design, source(design, seed), Arrivals.of([label], ["new"]), wave.before)
    code = int(one.arm[0])
    if code < 0:
        assert set(told.values()) == {Fraction(0)}
    else:
        assert one.probability[0] == float(told[one.arms[code]])


@SLOW
@given(designs(BLOCKED, plain=True), seeds, arrivals)
def test_every_complete_block_has_exactly_one_of_the_contents_it_may_have(
    design: PermutedBlocks | Complete, seed: bytes, people: list[tuple[str, str]]
) -> None:
    blocks: dict[tuple[str, int], list[str]] = defaultdict(list)
    given_now = of(design, people)
    drawn = columns(allocate(design, source(design, seed), given_now))
    for (arm, _, block, position), code in zip(drawn, given_now.codes, strict=True):
        held = blocks[given_now.labels[code], int(str(block))]
        held.append(str(arm))
        assert position == len(held)
    possible = [
        dict(zip(sorted(design.ratio), units, strict=True)) for units in contents(design).units.tolist()
    ]
    for (stratum, number), arms in blocks.items():
        last = number == max(block for of_stratum, block in blocks if of_stratum == stratum)
        whole = [{arm: n for arm, n in units.items() if n} for units in possible]
        assert dict(Counter(arms)) in whole or last


@SLOW
@given(designs((Complete,), plain=True))
def test_complete_randomisation_gives_each_arm_its_exact_share_on_average(design: Complete) -> None:
    """The inclusion probabilities of the units that remain are the fractional parts, exactly."""
    found = contents(design)
    total, shares = int(found.chances.sum()), sum(design.ratio.values())
    for arm, units in zip(sorted(design.ratio), (found.chances @ found.units).tolist(), strict=True):
        assert Fraction(units, total) == Fraction(design.size * design.ratio[arm], shares)
    assert set(found.sizes.tolist()) == {design.size}


@SLOW
@given(designs(), seeds, arrivals)
def test_no_cap_is_passed_and_nobody_is_refused_while_an_arm_is_open(
    design: Design, seed: bytes, people: list[tuple[str, str]]
) -> None:
    counts: Counter[tuple[str, int]] = Counter()
    units: dict[str, object] = {}
    given_now = of(design, people)
    drawn = columns(allocate(design, source(design, seed), given_now))

    def full(arm: str, stratum: str) -> bool:
        held = [(cap, n) for n, cap in enumerate(design.caps) if cap.arm == arm]
        here = [(cap, n) for cap, n in held if not cap.stratum or stratum == "sex=Female"]
        return any(counts[arm, n] >= cap.at_most for cap, n in here)

    for (stratum, unit), (arm, *_) in zip(people, drawn, strict=True):
        if design.unit == "cluster" and unit in units:
            assert arm == units[unit]
            continue
        if arm is None:
            assert all(full(each, stratum) for each in design.ratio)
            continue
        assert not full(str(arm), stratum)
        units[unit] = arm
        for n, cap in enumerate(design.caps):
            counts[str(arm), n] += cap.arm == arm and (not cap.stratum or stratum == "sex=Female")


@SLOW
@given(designs((Complete, PermutedBlocks, BiasedCoin, BigStick, BlockUrn), plain=True), seeds, arrivals)
def test_what_happens_in_another_stratum_changes_nothing(
    design: Design, seed: bytes, people: list[tuple[str, str]]
) -> None:
    every = allocate(design, source(design, seed), of(design, people))
    for stratum in STRATA:
        inside = [stratum == each for each, _ in people]
        alone = allocate(design, source(design, seed), Arrivals.of([stratum] * sum(inside)))
        assert alone.arm.tolist() == every.arm[np.array(inside, dtype=bool)].tolist()


@SLOW
@given(designs(), seeds, arrivals, arrivals)
def test_those_who_come_later_change_no_earlier_arm(
    design: Design, seed: bytes, people: list[tuple[str, str]], later: list[tuple[str, str]]
) -> None:
    alone = allocate(design, source(design, seed), of(design, people))
    together = allocate(design, source(design, seed), of(design, people + later))
    assert together.arm[: len(people)].tolist() == alone.arm.tolist()
