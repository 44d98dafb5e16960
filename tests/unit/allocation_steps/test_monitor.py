"""`monitor`: yes and no while the study is blinded, and nothing of arms."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copyfile, rmtree

import pytest

from forethought.cli.output import _plain
from forethought.errors import GateClosed, VerificationFailed, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.steps.freeze import freeze
from forethought.steps.monitor import Monitored, monitor
from forethought.steps.randomize import randomize
from forethought.steps.replay import check
from forethought.steps.unblind import unblind
from forethought.store.connection import writing
from forethought.verification.archive import opened
from forethought.verification.replaying import Answer

Recruit = Callable[..., list[str]]


@pytest.fixture
def allocated(trial: StudyFolder, recruit: Recruit, now: datetime) -> list[str]:
    """Thirty people of the first wave, each with an arm."""
    people = recruit(range(30))
    randomize(trial, now=now, actor="tester")
    return people


def change(folder: StudyFolder, statement: str, *values: object) -> None:
    with writing(folder) as con:
        con.execute(statement, list(values))


def in_words(done: Monitored) -> str:
    return "\n".join(done.lines())


def open_the_gate(folder: StudyFolder, now: datetime) -> None:
    freeze(folder, now=now, actor="tester")
    unblind(folder, now=now, actor="tester", by="A. Person", reason="Over")


def test_before_the_lock_the_design_alone_is_looked_at(unlocked: StudyFolder) -> None:
    done = monitor(unlocked)
    assert done.checks is None
    assert [one.wave for one in done.predictability] == [one.wave for one in done.bursts] == [1, 2]
    assert in_words(done).startswith("Not locked yet")


def test_the_seed_agrees_with_what_it_gave(trial: StudyFolder, allocated: list[str]) -> None:
    done = monitor(trial)
    assert done.checks is not None
    first, second = done.checks.waves
    assert (first.allocated, first.seed_agrees, first.within_bounds, first.replay) == (30, True, True, None)
    assert (second.allocated, second.seed_agrees) == (0, True)
    done.require()


def test_an_arm_that_was_changed_is_found_without_being_named(
    trial: StudyFolder, allocated: list[str]
) -> None:
    change(
        trial,
        "UPDATE allocations SET arm = CASE arm WHEN 'control' THEN 'coached' ELSE 'control' END "
        "WHERE participant_id = ?",
        allocated[4],
    )
    done = monitor(trial)
    assert "Wave 1: every allocation is what the secret seed gives: NO." in in_words(done)
    assert allocated[4] not in in_words(done)
    with pytest.raises(VerificationFailed, match="wave 1: its allocations"):
        done.require()


def test_an_allocation_that_was_deleted_is_found(trial: StudyFolder, allocated: list[str]) -> None:
    change(trial, "DELETE FROM allocations WHERE participant_id = ?", allocated[-1])
    with pytest.raises(VerificationFailed):
        monitor(trial).require()


def test_a_stratum_beyond_its_bounds_is_found(trial: StudyFolder, allocated: list[str]) -> None:
    change(trial, "UPDATE allocations SET arm = 'control' WHERE stratum = 'sex=Female'")
    done = monitor(trial)
    assert done.checks is not None
    assert [wave.within_bounds for wave in done.checks.waves] == [False, True]


def test_nothing_of_arms_or_seeds_is_in_any_answer_while_blinded(
    trial: StudyFolder, allocated: list[str]
) -> None:
    done = monitor(trial)
    shown = in_words(done) + json.dumps(_plain(done))
    for secret in ("control", "coached", "C0", "C1", bytes(range(32)).hex(), *allocated):
        assert secret not in shown
    assert done.balance == ()


def test_without_the_secrets_it_is_not_known_whether_the_seed_agrees(
    trial: StudyFolder, allocated: list[str]
) -> None:
    rmtree(trial.secrets)
    done = monitor(trial)
    assert done.checks is not None
    assert [wave.seed_agrees for wave in done.checks.waves] == [None, None]
    assert "not known, for the secret seeds are not here" in in_words(done)
    done.require()


def test_other_secrets_than_the_committed_ones_do_not_agree(trial: StudyFolder, allocated: list[str]) -> None:
    path = trial.secrets / "seeds.json"
    path.write_text(path.read_text().replace(bytes(range(32)).hex(), "ab" * 32))
    with pytest.raises(VerificationFailed):
        monitor(trial).require()


def test_after_unblinding_the_balance_is_shown_and_the_replay_with_it(
    trial: StudyFolder, allocated: list[str], now: datetime
) -> None:
    open_the_gate(trial, now)
    done = monitor(trial, wave=1)
    assert [(row.stratum, row.allocated) for row in done.balance] == [("sex=Female", 20), ("sex=Male", 10)]
    assert {arm for row in done.balance for arm in row.by_arm} == {"control", "coached"}
    assert "30 of 30 rows are what the revealed seed gives" in in_words(done)


def test_of_two_waves_only_the_unblinded_one_is_shown_and_replayed(
    trial: StudyFolder, allocated: list[str], recruit: Recruit, now: datetime, tmp_path: Path
) -> None:
    others = recruit(range(20), wave=2)
    randomize(trial, now=now, actor="tester", wave=2)
    freeze(trial, now=now, actor="tester", wave=1)
    unblind(trial, now=now, actor="tester", by="A. Person", reason="Over", scope="wave 1")
    assert {row.wave for row in monitor(trial).balance} == {1}
    done = check(trial.path, save_to=tmp_path / "record.zip")
    assert [(one.wave, one.answer) for one in done.replayed.waves] == [
        (1, Answer.AGREED),
        (2, Answer.NOT_REVEALED),
    ]
    done.require()
    kept = opened(tmp_path / "record.zip")
    assert set(kept.allocations["participant_id"]) == set(allocated)
    assert not set(kept.orders["participant_id"]) & set(others)


def test_one_wave_can_be_watched_alone(trial: StudyFolder, allocated: list[str]) -> None:
    done = monitor(trial, wave=2)
    assert done.checks is not None
    assert [one.wave for one in (*done.checks.waves, *done.predictability, *done.bursts)] == [2, 2, 2]


def test_a_wave_that_the_protocol_has_not_is_wrong_usage(trial: StudyFolder) -> None:
    with pytest.raises(WrongUsage, match="no such wave"):
        monitor(trial, wave=9)


def test_a_study_that_is_not_randomised_has_nothing_to_watch(unlocked: StudyFolder) -> None:
    copyfile(Path(__file__).with_name("small_survey.yaml"), unlocked.protocol)
    with pytest.raises(GateClosed, match="not randomised"):
        monitor(unlocked)


def test_places_that_stopped_counting_are_counted_by_reason(
    trial: StudyFolder, allocated: list[str], now: datetime
) -> None:
    for person, arrival in zip(allocated[:3], (20, 20, 25), strict=True):
        change(
            trial,
            "INSERT INTO counting VALUES (?, 1, ?, false, 'stale start', ?)",
            person,
            arrival,
            now.replace(tzinfo=None) + timedelta(minutes=5),
        )
    done = monitor(trial)
    assert done.checks is not None
    assert [(one.reason, one.count) for one in done.checks.waves[0].stopped] == [("stale start", 3)]


def test_those_who_came_are_tested_against_the_ratio(
    trial: StudyFolder, allocated: list[str], talk: Callable[..., None], now: datetime
) -> None:
    for person in allocated[:12]:
        talk(person, "c1", now + timedelta(minutes=10))
    done = monitor(trial)
    assert done.checks is not None
    assert [(one.counted, one.people, one.mismatch) for one in done.checks.ratios] == [
        ("who came", 12, False),
        ("who completed", 0, None),
    ]


def test_who_replaces_somebody_is_no_draw_of_the_ratio(
    trial: StudyFolder, allocated: list[str], talk: Callable[..., None], now: datetime
) -> None:
    for person in allocated[:12]:
        talk(person, "c1", now + timedelta(minutes=10))
    for left, newcomer in ((0, 5), (1, 6)):
        change(
            trial,
            "UPDATE allocations SET replaces = ? WHERE participant_id = ?",
            allocated[left],
            allocated[newcomer],
        )
    checks = monitor(trial).checks
    assert checks is not None
    assert (checks.ratios[0].counted, checks.ratios[0].people) == ("who came", 10)


def test_an_arm_of_which_hardly_anybody_came_is_a_mismatch(
    trial: StudyFolder, allocated: list[str], talk: Callable[..., None], now: datetime
) -> None:
    with writing(trial) as con:
        came = [
            name
            for (name,) in con.execute(
                "SELECT participant_id FROM allocations WHERE arm = 'control'"
            ).fetchall()
        ]
    for person in came:
        talk(person, "c1", now + timedelta(minutes=10))
    done = monitor(trial)
    assert done.checks is not None
    assert done.checks.ratios[0].mismatch is True
    assert "Sample ratio of those who came (15): MISMATCH." in in_words(done)
