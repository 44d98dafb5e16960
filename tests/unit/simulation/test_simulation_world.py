"""The assumed world: cell means and variances are the published ones, exactly; draws agree with them."""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol.protocol import Protocol
from forethought.simulation.cells import assumed_outcomes
from forethought.simulation.streams import stream
from forethought.simulation.thresholds import moments, person_variances
from forethought.simulation.world import OutcomeWorld, outcome_world

Floats = np.ndarray

# Intercept, arm video, coach, both, round, arm x round video, coach, both: analysis.ipynb cell 14 of the study
PUBLISHED = {
    "encouraging_elaboration": (2.159, -0.098, 0.040, -0.082, 0.012, 0.218, 0.648, 0.621),
    "validating_emotions": (2.555, -0.061, 0.055, 0.040, 0.010, 0.235, 0.475, 0.613),
    "demonstrating_understanding": (1.657, -0.118, 0.023, -0.026, -0.035, 0.247, 0.459, 0.573),
    "advice_giving": (3.082, 0.196, 0.027, 0.097, 0.043, -0.665, -0.675, -1.035),
    "self_oriented": (1.641, -0.086, 0.035, -0.025, 0.012, 0.086, -0.201, -0.130),
    "dismissing_emotions": (3.061, 0.061, -0.105, -0.053, -0.014, -0.324, -0.451, -0.656),
}
SE_INTERCEPT = {
    "encouraging_elaboration": 0.067,
    "validating_emotions": 0.061,
    "demonstrating_understanding": 0.061,
    "advice_giving": 0.072,
    "self_oriented": 0.062,
    "dismissing_emotions": 0.065,
}
SE_ROUND = {
    "encouraging_elaboration": 0.059,
    "validating_emotions": 0.043,
    "demonstrating_understanding": 0.045,
    "advice_giving": 0.070,
    "self_oriented": 0.060,
    "dismissing_emotions": 0.050,
}
N = 245


def published_mean(outcome: str, arm: int, session: int) -> float:
    first, *others = PUBLISHED[outcome]
    later = session > 0
    mean = first + later * others[3]
    return mean if arm == 0 else mean + others[arm - 1] + later * others[arm + 3]


def changed(protocol: Protocol, outcome: str, **changes: object) -> Protocol:
    """The protocol with one outcome's published numbers changed."""
    assert protocol.simulation is not None
    published = tuple(
        each.model_copy(update=changes) if each.outcome == outcome else each
        for each in protocol.simulation.outcomes.published
    )
    return reworked(protocol, published=published)


def reworked(protocol: Protocol, **changes: object) -> Protocol:
    assert protocol.simulation is not None
    outcomes = protocol.simulation.outcomes.model_copy(update=changes)
    return protocol.model_copy(
        update={"simulation": protocol.simulation.model_copy(update={"outcomes": outcomes})}
    )


def large_draw(world: OutcomeWorld, n: int = 120_000) -> tuple[Floats, Floats]:
    """Arms (n,) and outcomes (n, sessions, outcomes) of many people."""
    rng = stream(7, "outcomes")
    arms = np.arange(n) % len(world.arms)
    stimuli = np.argsort(rng.random((n, len(world.stimuli))), axis=1)[:, : len(world.sessions)]
    return arms, world.draw(arms, stimuli, rng)


def test_the_thresholds_of_every_cell_give_the_published_mean_and_variance(
    world: OutcomeWorld,
) -> None:
    for place, outcome in enumerate(world.outcomes):
        shifts = np.tile(world.shifts[:-1, place], (3, 1))
        for arm in range(4):
            means, variances = moments(world.thresholds[arm, :, place], shifts)
            expected = [published_mean(outcome, arm, session) for session in range(3)]
            assert 1 + means == pytest.approx(expected, abs=1e-9)
            assert variances == pytest.approx(np.full(3, N * SE_INTERCEPT[outcome] ** 2), abs=1e-9)


def test_persons_hold_the_published_part_of_the_variance_in_the_reference_arm(
    world: OutcomeWorld,
) -> None:
    held = person_variances(world.thresholds[0, 0], world.shifts[:-1].T, world.person_share)
    expected = [N * SE_INTERCEPT[name] ** 2 - N * SE_ROUND[name] ** 2 / 1.5 for name in world.outcomes]
    assert held == pytest.approx(expected, abs=1e-9)


def test_simulated_cell_means_agree_with_the_published_ones_within_monte_carlo_error(
    world: OutcomeWorld,
) -> None:
    # 72 means are tested, so that a right world fails one with a probability below 1e-4
    arms, drawn = large_draw(world)
    z = NormalDist().inv_cdf(1 - 1e-4 / (72 * 2))
    for place, outcome in enumerate(world.outcomes):
        sd = np.sqrt(N) * SE_INTERCEPT[outcome]
        for arm in range(4):
            own = drawn[arms == arm, :, place]
            for session in range(3):
                error = z * sd / np.sqrt(len(own))
                assert own[:, session].mean() == pytest.approx(
                    published_mean(outcome, arm, session), abs=error
                )


def test_simulated_variance_components_are_the_published_ones(world: OutcomeWorld) -> None:
    arms, drawn = large_draw(world, 240_000)
    own = drawn[arms == 0]
    for place, outcome in enumerate(world.outcomes):
        change = own[:, 1:, place].mean(axis=1) - own[:, 0, place]
        var_e, var_u = change.var() / 1.5, np.cov(own[:, 0, place], own[:, 1, place])[0, 1]
        expected_e = N * SE_ROUND[outcome] ** 2 / 1.5
        # a variance of n values has a relative standard error of about sqrt(2 / n): six of them
        error = 6 * np.sqrt(2 / len(own)) * N * SE_INTERCEPT[outcome] ** 2
        assert var_e == pytest.approx(expected_e, abs=error)
        assert var_u == pytest.approx(N * SE_INTERCEPT[outcome] ** 2 - expected_e, abs=error)


def test_overall_empathy_has_the_published_spread(world: OutcomeWorld) -> None:
    _, drawn = large_draw(world)
    assert (drawn @ world.signs).std() == pytest.approx(4.5, abs=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_overall_empathy_of_968_people_has_a_standard_deviation_of_4_5_give_or_take_3_tenths(
    world: OutcomeWorld, people: Callable[[int], object], seed: int
) -> None:
    those = people(968)
    drawn = world.draw(those.arms, those.stimuli, stream(seed, "outcomes"))  # type: ignore[attr-defined]
    assert (drawn @ world.signs).std() == pytest.approx(4.5, abs=0.3)


def test_outcomes_are_whole_numbers_in_their_range(world: OutcomeWorld) -> None:
    _, drawn = large_draw(world, 4_000)
    assert drawn.dtype == np.int64
    assert (drawn.min(), drawn.max()) == (1, 5)


def test_good_behaviours_go_together_and_against_the_others(world: OutcomeWorld) -> None:
    _, drawn = large_draw(world)
    correlations = np.corrcoef((drawn[:, 0] * world.signs).T)
    assert correlations[~np.eye(6, dtype=bool)].min() > 0.2


def test_the_same_stream_gives_the_same_outcomes_and_another_seed_gives_others(
    world: OutcomeWorld, people: Callable[[int], object]
) -> None:
    those = people(50)

    def drawn(seed: int) -> list[int]:
        found = world.draw(those.arms, those.stimuli, stream(seed, "outcomes"))  # type: ignore[attr-defined]
        return found.ravel().tolist()

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_signs_follow_the_weights_of_the_composite(world: OutcomeWorld) -> None:
    assert dict(zip(world.outcomes, world.signs.tolist(), strict=True)) == {
        "validating_emotions": 1,
        "encouraging_elaboration": 1,
        "demonstrating_understanding": 1,
        "advice_giving": -1,
        "self_oriented": -1,
        "dismissing_emotions": -1,
    }


def test_means_follow_from_the_coefficients_by_the_names_of_the_fit(protocol: Protocol) -> None:
    assert protocol.simulation is not None
    advice = next(o for o in assumed_outcomes(protocol, protocol.simulation) if o.id == "advice_giving")
    assert advice.means[2] == pytest.approx([3.082 + 0.027, 3.109 + 0.043 - 0.675, 3.109 + 0.043 - 0.675])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"coefficients": {"Intercept": 5.3}}, "a cell's mean is 5.3, outside 1 to 5. Correct its coefficients."),
        ({"coefficients": {"Intercept": 2.5, "arm[T.vidoe]": 1.0}}, "the coefficient `arm[T.vidoe]` is none of"),
        ({"se_intercept": 0.01, "se_round": 0.005}, "the variance is 0.0245, but integers of mean"),
        ({"se_intercept": 0.2}, "the variance is 9.8, but integers of mean"),
        ({"se_round": 0.09}, "the variance between persons is -0.41"),
    ],
)  # fmt: skip
def test_an_impossible_outcome_is_named_with_what_to_correct(
    protocol: Protocol, changes: dict[str, object], words: str
) -> None:
    with pytest.raises(ProtocolInvalid, match="validating_emotions") as raised:
        outcome_world(changed(protocol, "validating_emotions", **changes))
    assert words in str(raised.value)


def test_every_problem_of_the_world_is_told_at_once(protocol: Protocol) -> None:
    wrong = changed(protocol, "validating_emotions", se_intercept=0.2)
    wrong = changed(wrong, "self_oriented", coefficients={"Intercept": 0.5})
    with pytest.raises(ProtocolInvalid) as raised:
        outcome_world(reworked(wrong, correlation=-0.5))
    text = str(raised.value)
    assert "published.validating_emotions" in text
    assert "published.self_oriented" in text
    assert "no 6 outcomes have a correlation of -0.5 with each other. Give one above -0.2." in text


def test_persons_cannot_hold_what_stimuli_have_taken(protocol: Protocol) -> None:
    assert protocol.stimuli is not None
    far_apart = dict(zip(protocol.stimuli.items, (-6.0, -3.0, 0.0, 3.0, 6.0), strict=True))
    with pytest.raises(ProtocolInvalid, match="where stimuli differ"):
        outcome_world(reworked(protocol, stimulus_shifts=far_apart))


def test_outcomes_of_different_ranges_live_in_one_world(protocol: Protocol) -> None:
    wider = tuple(
        outcome.model_copy(update={"minimum": 0, "maximum": 10})
        if outcome.id == "validating_emotions"
        else outcome
        for outcome in protocol.outcomes
    )
    world = outcome_world(protocol.model_copy(update={"outcomes": wider}))
    _, drawn = large_draw(world, 8_000)
    assert drawn[..., 0].min() == 0
    assert drawn[..., 0].max() > 5
    assert drawn[..., 1:].max() == 5


def test_a_session_without_a_stimulus_is_calibrated_without_shifts(protocol: Protocol) -> None:
    assert protocol.stimuli is not None
    two = protocol.stimuli.model_copy(update={"sessions": protocol.stimuli.sessions[:2]})
    world = outcome_world(protocol.model_copy(update={"stimuli": two}))
    means, _ = moments(world.thresholds[0, 2], np.zeros((6, 1)))
    assert 1 + means == pytest.approx([published_mean(name, 0, 2) for name in world.outcomes], abs=1e-9)
    drawn = world.draw(np.zeros(10, dtype=int), np.tile([0, 1, -1], (10, 1)), stream(1, "outcomes"))
    assert drawn.shape == (10, 3, 6)


def test_a_stimulus_that_makes_empathy_easier_raises_the_good_and_lowers_the_others(
    world: OutcomeWorld, protocol: Protocol
) -> None:
    assert protocol.simulation is not None
    shifts = protocol.simulation.outcomes.stimulus_shifts
    assert dict(zip(world.stimuli, world.shifts[:-1, 0].tolist(), strict=True)) == shifts
    assert world.shifts == pytest.approx(np.outer(world.shifts[:, 0], world.signs))
