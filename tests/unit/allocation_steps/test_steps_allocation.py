"""The step `randomize`: each person exactly once, from the database, whatever happens to the process."""

import json
import multiprocessing
import random
import re
import shutil
import time
from collections.abc import Callable
from datetime import datetime
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import pandas as pd
import pytest

from forethought import registration
from forethought.errors import GateClosed, NotLocked, WrongUsage
from forethought.ledger import verify_chain
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.randomization.replay import differences
from forethought.steps.drawn import drawn_wave
from forethought.steps.freeze import freeze
from forethought.steps.randomize import Randomized, randomize
from forethought.store import events, rows
from forethought.store.connection import reading, writing

Recruit = Callable[..., list[str]]
Table = Callable[[str], pd.DataFrame]


def run(folder: StudyFolder, now: datetime, **more: int) -> Randomized:
    return randomize(folder, now=now, actor="tester", **more)


def differing(folder: StudyFolder) -> int:
    """How many recorded values the seeds do not give; the ledger's chain is checked as well."""
    loaded = load(folder.protocol)
    locked = registration.require(folder, loaded)
    found = 0
    with reading(folder) as con:
        verify_chain(events.history(con))
        for wave in loaded.protocol.waves:
            drawn = drawn_wave(con, folder, loaded.protocol, locked, wave.number)
            found += len(differences(drawn.design, drawn.source, drawn.recorded, drawn.counting))
    return found


def test_everyone_eligible_is_allocated_once_in_order_of_arrival(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    people = recruit(range(10))
    assert run(trial, now) == Randomized(allocated=10, already=0, refused=())
    allocations = table("allocations").sort_values("arrival")
    assert allocations["participant_id"].tolist() == people
    assert allocations["arrival"].tolist() == list(range(1, 11))
    assert set(allocations["stratum"]) == {"sex=Female", "sex=Male"}
    assert set(allocations["allocated_at"]) == {pd.Timestamp("2025-03-25 10:00")}
    assert differing(trial) == 0


def test_run_twice_it_gives_the_same_rows_and_no_second_event(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    recruit(range(10))
    run(trial, now)
    before, ledger = table("allocations"), table("events")
    assert run(trial, now) == Randomized(allocated=0, already=10, refused=())
    pd.testing.assert_frame_equal(table("allocations"), before)
    pd.testing.assert_frame_equal(table("events"), ledger)


def test_people_in_batches_get_the_arms_they_would_get_together(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    for batch in (range(3), range(3, 4), range(4, 17)):
        recruit(batch)
        run(trial, now)
    in_batches = table("allocations")
    with writing(trial) as con:
        con.execute("DELETE FROM allocations")
    run(trial, now)
    pd.testing.assert_frame_equal(table("allocations"), in_batches)


def test_of_two_who_arrive_at_one_time_the_lesser_id_is_first(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    people = recruit(range(12))
    with writing(trial) as con:
        con.execute("UPDATE participants SET arrived_at = TIMESTAMP '2025-03-25 09:00:00'")
    run(trial, now)
    assert table("allocations").sort_values("arrival")["participant_id"].tolist() == sorted(people)


def test_each_wave_has_its_own_stream(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    recruit(range(20))
    recruit(range(20), wave=2)
    run(trial, now)
    assert set(table("allocations")["wave"]) == {1}
    run(trial, now, wave=2)
    arms = table("allocations").sort_values("arrival").groupby("wave")["arm"].apply(list)
    assert arms[1] != arms[2]
    assert differing(trial) == 0


def test_who_has_no_stratum_is_left_out_and_named_with_the_reason(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    people = recruit(range(4), sexes=("Female", "", "male", "Male"))
    done = run(trial, now)
    assert done.allocated == 2
    assert done.refused == (
        (people[1], "`sex` has no value"),
        (people[2], "`sex` has a value that is none of its levels"),
    )
    assert set(table("allocations")["participant_id"]) == {people[0], people[3]}


def test_only_the_eligible_are_allocated(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    people = recruit(range(3))
    with writing(trial) as con:
        con.execute("UPDATE participants SET status = 'excluded' WHERE participant_id = ?", [people[1]])
    assert run(trial, now).allocated == 2
    assert people[1] not in set(table("allocations")["participant_id"])


def test_the_ledger_and_the_result_tell_nothing_of_arms_blocks_or_seeds(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    recruit(range(10))
    done = run(trial, now)
    detail = table("events")["detail"].iloc[-1]
    algorithm = registration.require(trial, load(trial.protocol)).allocation_algorithm
    told = json.loads(detail)
    assert re.fullmatch(r"[0-9a-f]{64}", told.pop("roll_sha256"))
    assert told == {
        "wave": 1,
        "algorithm": algorithm,
        "allocated": 10,
        "first_arrival": 1,
        "refused": {},
        "stopped_counting": 0,
        "counting_again": 0,
    }
    secret = {"control", "coached", "C0", "C1", "block", "position", registration.seed(trial, 1).hex()}
    assert not any(word in detail.replace(str(algorithm), "") + repr(done) for word in secret)


def test_probability_block_and_position_are_not_told_before_the_unblinding(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    recruit(range(10))
    run(trial, now)
    assert table("allocations")[["probability", "block", "position"]].isna().all(axis=None)


def test_a_study_that_is_not_locked_is_refused(
    unlocked: StudyFolder, recruit: Recruit, now: datetime
) -> None:
    recruit(range(2))
    with pytest.raises(NotLocked):
        run(unlocked, now)


def test_a_protocol_edited_after_the_lock_is_refused(trial: StudyFolder, now: datetime) -> None:
    trial.protocol.write_text(trial.protocol.read_text().replace("block_sizes: [4, 6]", "block_sizes: [4]"))
    with pytest.raises(NotLocked):
        run(trial, now)


def test_a_frozen_study_allocates_nobody(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime
) -> None:
    recruit(range(3))
    freeze(trial, now=now, actor="tester")
    with pytest.raises(GateClosed, match="enrolment is closed"):
        run(trial, now)
    assert table("allocations").empty


def test_a_wave_that_is_not_planned_is_refused(trial: StudyFolder, now: datetime) -> None:
    with pytest.raises(WrongUsage, match="wave 3: the protocol has no such wave"):
        run(trial, now, wave=3)


def test_nobody_to_allocate_is_no_error(trial: StudyFolder, table: Table, now: datetime) -> None:
    assert run(trial, now) == Randomized(allocated=0, already=0, refused=())
    assert "randomize" not in set(table("events")["action"])


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Real processes, forked from one that has imported everything and holds no database."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", "forethought.steps.randomize", "forethought.schemas.tables"])
    return context


def test_processes_at_once_give_one_allocation_each(
    trial: StudyFolder, recruit: Recruit, table: Table, now: datetime, processes: ForkServerContext
) -> None:
    people = recruit(range(60))
    arguments = {"now": now, "actor": "tester", "wait": 60.0}
    several = [processes.Process(target=randomize, args=(trial,), kwargs=arguments) for _ in range(4)]
    for process in several:
        process.start()
    for process in several:
        process.join()
    assert [process.exitcode for process in several] == [0] * 4
    allocations = table("allocations").sort_values("arrival")
    assert allocations["participant_id"].tolist() == people
    assert table("events")["action"].tolist().count("randomize") == 1
    assert differing(trial) == 0


def test_killed_at_any_point_and_run_again_it_gives_what_it_would_have_given(
    trial: StudyFolder,
    recruit: Recruit,
    now: datetime,
    processes: ForkServerContext,
    tmp_path: Path,
) -> None:
    recruit(range(60))

    def start(name: str) -> tuple[StudyFolder, BaseProcess]:
        folder = StudyFolder(tmp_path / name)
        shutil.copytree(trial.path, folder.path)
        process = processes.Process(target=randomize, args=(folder,), kwargs={"now": now, "actor": "tester"})
        process.start()
        return folder, process

    start("first, which also starts the fork server")[1].join()
    began = time.monotonic()
    undisturbed, process = start("undisturbed")
    process.join()
    whole = time.monotonic() - began
    expected, draw = allocations_of(undisturbed), random.Random(1)  # noqa: S311
    for number in range(6):
        folder, process = start(f"killed-{number}")
        if number % 2:
            time.sleep(draw.uniform(0, 1.5) * whole)
        else:
            wait_for_the_commit(folder, process)
            time.sleep(draw.uniform(0, 0.02))
        process.kill()
        process.join()
        with reading(folder) as con:
            assert (rows.count(con, "allocations"), len(events.actions(con, "randomize"))) in {
                (0, 0),
                (60, 1),
            }
        done = run(folder, now)
        assert done.allocated + done.already == 60
        pd.testing.assert_frame_equal(allocations_of(folder), expected)
        assert differing(folder) == 0


def wait_for_the_commit(folder: StudyFolder, process: BaseProcess) -> None:
    """Return when the transaction is being written: its log appears beside the database."""
    log = folder.path / "study.duckdb.wal"
    while process.is_alive() and not log.exists():
        time.sleep(0.0002)


def allocations_of(folder: StudyFolder) -> pd.DataFrame:
    with reading(folder) as con:
        assert len(events.actions(con, "randomize")) == 1
        return rows.read(con, "allocations")
