"""Rerandomisation: the distances by their definitions, the probabilities by enumeration, and what is refused."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
from scipy.stats import binom

from forethought.errors import GateClosed, ProtocolInvalid
from forethought.protocol.allocation import Cap, Dropouts, Rerandomization, SeedPolicy
from forethought.randomization.arrivals import Arrivals, Drawn, Source
from forethought.randomization.closeness import Closeness
from forethought.randomization.covariates import columns, values
from forethought.randomization.rerandomization import allocate_batch, closeness, complete, totals
from forethought.randomization.strata import stratum
from forethought.randomization.streams import shuffled
from forethought.randomization.words import Words

RULES = {
    "dropouts": Dropouts(count="everyone_allocated", replace="never", statement="As allocated."),
    "seed": SeedPolicy(drawn_by="either", revealed="at_unblinding"),
    "concealment": "Nobody knows the seed.",
}
"""What a design says besides its draw, which moves no arm."""

SEED = bytes(range(32))
SIX = ["x=3|y=3", "x=3|y=0", "x=8|y=4", "x=5|y=3", "x=0|y=2", "x=2|y=1"]
"""People among whom one way of making two arms has a Mahalanobis distance of 9/5, in floats a little more."""

NINE_FIFTHS = [0, 0, 1, 1, 0, 1]


def design(
    arms: str = "ab",
    *,
    variables: tuple[str, ...] = ("x", "y"),
    criterion: str = "mahalanobis",
    at_most: float = 1.5,
    most_draws: int = 10_000,
) -> Rerandomization:
    return Rerandomization(
        method="rerandomization",
        ratio=dict.fromkeys(arms, 1),
        variables=variables,
        criterion=criterion,
        at_most=at_most,
        most_draws=most_draws,
        **RULES,
    )


def allocated(registered: Rerandomization, labels: list[str], batch: int = 1, wave: int = 1) -> Drawn:
    source = Source(seed=SEED, study_id="s", wave=wave, algorithm="rerandomization/1")
    return allocate_batch(registered, source, Arrivals.of(labels), batch)


def people(number: int, seed: int = 1) -> list[str]:
    rng = np.random.default_rng(seed)
    return [
        f"age={rng.integers(18, 80)}|sex={rng.choice(['F', 'M'])}|score={rng.normal():.2f}|"
        f"school={rng.choice(list('pqr'))}"
        for _ in range(number)
    ]


FOUR = ("age", "sex", "score", "school")


def matrix(labels: list[str]) -> np.ndarray:
    """Age, sex, score, and two of the three schools, as numbers."""
    rows = [values(label, FOUR) for label in labels]
    return np.array(
        [
            [float(age), sex == "F", float(score), school == "p", school == "q"]
            for age, sex, score, school in rows
        ]
    )


def every_complete(number: int, arms: int) -> Iterator[tuple[int, ...]]:
    """Each allocation with as equal numbers as can be."""
    for drawn in product(range(arms), repeat=number):
        counts = [drawn.count(arm) for arm in range(arms)]
        if max(counts) - min(counts) <= 1:
            yield drawn


def test_a_label_is_read_back_as_it_was_written() -> None:
    said = {"score": "31", "town": "a|b\\|c=d\\", "note": ""}
    label = stratum(dict.fromkeys(said, ()), said)
    assert values(str(label), tuple(said)) == tuple(said.values())


def test_a_label_of_other_variables_is_not_read() -> None:
    with pytest.raises(ValueError, match="does not name score, sex"):
        values("score=31", ("score", "sex"))


def test_numbers_written_as_text_are_compared_as_numbers() -> None:
    (column,) = columns(["x=2", "x=10.5", "x=-1e1", "x=+0.5"], ("x",), every_level=False)
    assert column.numbers == (5, 39, -43, -1)


def test_a_category_has_an_indicator_for_each_level_but_the_last() -> None:
    found = columns(["x=p", "x=q", "x=3", "x=q"], ("x",), every_level=False)
    assert [column.numbers for column in found] == [(-1, -1, 3, -1), (3, -1, -1, -1)]


def test_every_level_of_three_is_looked_at_where_the_largest_difference_counts() -> None:
    assert len(columns(["x=p", "x=q", "x=r"], ("x",), every_level=True)) == 3
    assert len(columns(["x=p", "x=q", "x=p"], ("x",), every_level=True)) == 1


@pytest.mark.parametrize("labels", [["x=5", "x=5.0", "x=50e-1"], ["x=p", "x=p", "x=p"]])
def test_what_is_the_same_for_everyone_is_left_out(labels: list[str]) -> None:
    assert columns(labels, ("x",), every_level=True) == ()


def test_the_distance_of_two_arms_is_that_of_morgan_and_rubin() -> None:
    """(n1 n2 / n) d' S^-1 d, with numpy's inverse of the covariance."""
    labels = people(31)
    drawn = np.array([[0, 1] * 15 + [0], [0] * 16 + [1] * 15], dtype=np.int8)
    covariates = matrix(labels)
    inverse = np.linalg.inv(np.cov(covariates, rowvar=False))
    expected = []
    for arm in drawn:
        difference = covariates[arm == 0].mean(axis=0) - covariates[arm == 1].mean(axis=0)
        expected.append(16 * 15 / 31 * difference @ inverse @ difference)
    assert closeness(design(variables=FOUR), labels).distances(drawn) == pytest.approx(expected, rel=1e-10)


def test_the_distance_of_three_arms_is_the_sum_of_theirs_from_the_mean_of_all() -> None:
    labels = people(32)
    covariates = matrix(labels)
    drawn = np.array([[0, 1, 2, 1] * 8], dtype=np.int8)
    expected = 0.0
    for arm in range(3):
        own = covariates[drawn[0] == arm]
        away = own.mean(axis=0) - covariates.mean(axis=0)
        expected += away @ np.linalg.inv(np.cov(covariates, rowvar=False) / len(own)) @ away
    found = closeness(design("abc", variables=FOUR), labels).distances(drawn)
    assert found == pytest.approx([expected], rel=1e-10)


def test_the_standardized_difference_is_the_largest_of_any_two_arms_in_any_variable() -> None:
    labels = people(30)
    every = np.column_stack([matrix(labels), matrix(labels)[:, 3:].sum(axis=1)])
    drawn = np.array([[0, 1, 2] * 10, [0] * 10 + [1] * 10 + [2] * 10], dtype=np.int8)
    expected = []
    for arm in drawn:
        means = np.array([every[arm == one].mean(axis=0) for one in range(3)])
        differences = [
            abs(means[a] - means[b]) / every.std(axis=0, ddof=1) for a, b in combinations(range(3), 2)
        ]
        expected.append(np.max(differences))
    registered = design("abc", variables=FOUR, criterion="standardized_difference")
    assert closeness(registered, labels).distances(drawn) == pytest.approx(expected, rel=1e-10)


def test_the_distance_does_not_depend_on_units() -> None:
    """Degrees Fahrenheit, and a sum of both variables instead of one, say the same."""
    other = []
    for label in SIX:
        x, y = (int(value) for value in values(label, ("x", "y")))
        other.append(f"x={x * 1.8 + 32:.1f}|y={x + y}")
    drawn = np.array(list(every_complete(6, 2)), dtype=np.int8)
    first, second = (closeness(design(), labels).distances(drawn) for labels in (SIX, other))
    assert first == pytest.approx(second, rel=1e-12)


def test_a_draw_exactly_at_the_limit_is_accepted_whatever_its_float_says() -> None:
    drawn = np.array([NINE_FIFTHS], dtype=np.int8)
    at_limit = closeness(design(at_most=1.8), SIX)
    assert at_limit.distances(drawn)[0] > 1.8
    assert at_limit.accepted(drawn).tolist() == [True]


def test_a_draw_beyond_the_limit_by_less_than_floats_show_is_refused() -> None:
    drawn = np.array([NINE_FIFTHS], dtype=np.int8)
    below = Closeness.of(SIX, ("x", "y"), "mahalanobis", 2, Fraction(9, 5) - Fraction(1, 10**30))
    assert below.accepted(drawn).tolist() == [False]


@pytest.mark.parametrize(("at_most", "accepted"), [(1.0, True), (0.999999999999, False)])
def test_a_standardized_difference_at_the_limit_is_judged_exactly(at_most: float, accepted: bool) -> None:
    """The standard deviation is 2, the means are 1 and -1."""
    labels = ["x=1", "x=1", "x=1", "x=-3"]
    registered = design(variables=("x",), criterion="standardized_difference", at_most=at_most)
    drawn = np.array([[0, 0, 1, 1]], dtype=np.int8)
    assert closeness(registered, labels).accepted(drawn).tolist() == [accepted]


def test_nearly_collinear_variables_are_told_apart() -> None:
    """Two scores that differ by 1 in 10^12, where numpy's inverse has no digit left."""
    rng = np.random.default_rng(3)
    first = rng.integers(1, 9, 12)
    second = first * 10**12 + rng.integers(0, 2, 12)
    labels = [f"x={x}|y={y}" for x, y in zip(first, second, strict=True)]
    differences = [f"x={x}|y={y - x * 10**12}" for x, y in zip(first.tolist(), second.tolist(), strict=True)]
    drawn = np.array([[0, 1] * 6, [0] * 6 + [1] * 6], dtype=np.int8)
    one, other = (closeness(design(), text).distances(drawn) for text in (labels, differences))
    assert one == pytest.approx(other, rel=1e-9)


@pytest.mark.parametrize(("number", "arms"), [(4, 2), (5, 2), (5, 3)])
def test_every_complete_randomisation_is_equally_likely(number: int, arms: int) -> None:
    sequences = np.array(list(product(*(range(below) for below in totals(number, arms)))))
    counts = Counter(map(tuple, complete(sequences, number, arms).tolist()))
    assert set(counts) == set(every_complete(number, arms))
    assert len(set(counts.values())) == 1


@pytest.mark.parametrize("criterion", ["mahalanobis", "standardized_difference"])
@pytest.mark.parametrize(("arms", "number", "at_most"), [("ab", 6, 0.9), ("ab", 7, 0.9), ("abc", 7, 2.2)])
def test_every_person_has_each_arm_with_the_same_probability_among_the_accepted(
    arms: str, number: int, at_most: float, criterion: str
) -> None:
    labels = [*SIX, "x=7|y=1"][:number]
    drawn = np.array(list(every_complete(number, len(arms))), dtype=np.int8)
    registered = design(arms, criterion=criterion, at_most=at_most)
    accepted = drawn[
        Closeness.of(labels, registered.variables, criterion, len(arms), Fraction(str(at_most))).accepted(
            drawn
        )
    ]
    assert 0 < len(accepted) < len(drawn)
    for arm in range(len(arms)):
        assert ((accepted == arm).sum(axis=0) * len(arms) == len(accepted)).all()


def test_draws_are_accepted_as_often_as_enumeration_says() -> None:
    compared = closeness(design(at_most=0.9), SIX)
    every = np.array(list(every_complete(6, 2)), dtype=np.int8)
    share, draws = compared.accepted(every).mean(), 20_000
    below = np.tile(totals(6, 2), draws)
    numbers = Words(SEED, "rate").below(0, below).reshape(draws, -1)
    accepted = int(compared.accepted(complete(numbers, 6, 2)).sum())
    assert binom.ppf(1e-6, draws, share) <= accepted <= binom.isf(1e-6, draws, share)


@pytest.mark.parametrize("criterion", ["mahalanobis", "standardized_difference"])
@pytest.mark.parametrize("number", [60, 61, 62])
def test_what_is_allocated_is_close_enough(number: int, criterion: str) -> None:
    labels = people(number)
    registered = design("abc", variables=FOUR, criterion=criterion, at_most=0.4 if criterion[0] == "s" else 4)
    for batch in range(1, 6):
        drawn = allocated(registered, labels, batch)
        assert closeness(registered, labels).accepts(drawn.arm)
        counts = np.bincount(drawn.arm, minlength=3)
        assert counts.max() - counts.min() == (number % 3 > 0)


def test_the_first_draw_that_is_close_enough_is_taken() -> None:
    """A second source: the draws one after the other, by the shuffle of `streams` and the batch's plain words."""
    labels, registered = people(11), design("abc", variables=FOUR, at_most=2.5)
    compared = closeness(registered, labels)
    words = iter(Words(SEED, "s", "wave 1", "batch 3", "order").at(0, 12 * 400).tolist())

    def another() -> np.ndarray:
        order = shuffled(range(3), lambda n: next(words) % n)
        places = sorted([*range(3)] * 3 + order[:2])
        return np.array(shuffled(places, lambda n: next(words) % n), dtype=np.int8)

    tried = [another()]
    while not compared.accepts(tried[-1]):
        tried.append(another())
    assert len(tried) > 17
    assert allocated(registered, labels, batch=3).arm.tolist() == tried[-1].tolist()


def test_everyone_is_drawn_with_the_share_of_the_arm_in_one_batch() -> None:
    drawn = allocated(design("cab", variables=FOUR, at_most=9), people(20), batch=2)
    assert drawn.arms == ("a", "b", "c")
    assert set(drawn.probability.tolist()) == {1 / 3}
    assert drawn.batch == 2
    assert not drawn.block.any()


def test_another_batch_or_wave_is_drawn_by_other_words() -> None:
    first = allocated(design(variables=FOUR, at_most=9), people(40))
    again = allocated(design(variables=FOUR, at_most=9), people(40))
    batch = allocated(design(variables=FOUR, at_most=9), people(40), batch=2)
    wave = allocated(design(variables=FOUR, at_most=9), people(40), wave=2)
    assert first.arm.tolist() == again.arm.tolist()
    assert first.arm.tolist() != batch.arm.tolist() != wave.arm.tolist() != first.arm.tolist()


def test_where_all_are_alike_the_first_draw_is_taken() -> None:
    drawn = allocated(design(at_most=1e-9, most_draws=1), ["x=1|y=p"] * 4)
    assert sorted(drawn.arm.tolist()) == [0, 0, 1, 1]


def test_too_few_people_wait() -> None:
    with pytest.raises(GateClosed, match="3 wait, and rerandomisation in 2 arms needs 4 people together"):
        allocated(design(), SIX[:3])


@pytest.mark.parametrize(
    "rule",
    [
        {"ratio": {"a": 2, "b": 1}},
        {"unit": "cluster"},
        {"initial_simple": 3},
        {"caps": (Cap(arm="a", at_most=9),)},
    ],
)
def test_rules_about_one_unit_at_a_time_are_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ProtocolInvalid, match="equal shares to people who are allocated together"):
        allocated(design().model_copy(update=rule), SIX)


def test_no_draw_is_close_enough() -> None:
    with pytest.raises(
        GateClosed, match=r"of 50 draws of the 6 people who wait, none has a distance of 1e-05"
    ):
        allocated(design(at_most=1e-5, most_draws=50), SIX)


def test_a_variable_that_follows_from_others_is_named() -> None:
    labels = [f"x={x}|y={x * x}|total={x * x + x}" for x in range(8)]
    with pytest.raises(GateClosed, match="`total` follows from the other variables"):
        allocated(design(variables=("x", "y", "total")), labels)


def test_more_levels_than_people_leave_no_distance() -> None:
    with pytest.raises(GateClosed, match="`y` follows from the other variables"):
        allocated(design(), [f"x={number}|y=level {number}" for number in range(5)])


def test_a_variable_that_follows_from_others_does_not_matter_to_the_standardized_difference() -> None:
    labels = [f"x={x}|y={2 * x}" for x in range(8)]
    drawn = allocated(design(criterion="standardized_difference", at_most=0.9), labels)
    assert sorted(drawn.arm.tolist()) == [0] * 4 + [1] * 4
