"""Two views of the ledger, and the explanation of one arm: what each may tell, and when."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd
import pytest

from forethought import registration
from forethought.cli.entry import run
from forethought.errors import DataRefused, GateClosed, VerificationFailed
from forethought.protocol.folder import StudyFolder
from forethought.steps.assignments import assignments
from forethought.steps.correct import correct
from forethought.steps.correctable import RandomisedInError
from forethought.steps.explain import as_json, explain, lines
from forethought.steps.freeze import freeze
from forethought.steps.log import log
from forethought.steps.randomize import randomize
from forethought.steps.schedule import schedule
from forethought.steps.unblind import unblind
from forethought.store.connection import writing

Recruit = Callable[..., list[str]]
Table = Callable[[str], pd.DataFrame]
Shown = pytest.CaptureFixture[str]


@pytest.fixture
def people(trial: StudyFolder, recruit: Recruit, now: datetime, stages: Any) -> tuple[list[str], list[str]]:
    """Six people of the first wave, allocated in two goes, and four of the second; much was done with them."""

    def make() -> tuple[list[str], list[str]]:
        first = recruit(range(4))
        randomize(trial, now=now, actor="tester")
        more = recruit(range(4, 6))
        randomize(trial, now=now, actor="tester")
        second = recruit(range(4), wave=2)
        randomize(trial, now=now, actor="tester", wave=2)
        schedule(trial, now=now, actor="tester")
        assignments(trial, trial.reports / "out.csv", now=now, actor="tester")
        wrong = RandomisedInError()
        correct(trial, first[0], wrong, now=now, actor="tester", by="Dr Who", reason="under age")
        emergency = f"participant {second[0]}"
        unblind(trial, now=now, actor="tester", by="Dr Who", reason="an allergy", scope=emergency)
        return first + more, second

    made: tuple[list[str], list[str]] = stages.reach("much was done", trial, make)
    return made


def open_wave(folder: StudyFolder, now: datetime, wave: int = 1) -> None:
    freeze(folder, now=now, actor="tester", wave=wave)
    unblind(folder, now=now, actor="tester", by="Dr Who", reason="over", scope=f"wave {wave}")


def shown(folder: StudyFolder, capsys: Shown, *arguments: str) -> str:
    """What the command prints; it must end well."""
    command, *options = arguments
    assert run([command, str(folder.path), *options]) == 0
    return capsys.readouterr().out


ARM = re.compile(r"\b(control|coached|Control|Coached|C0|C1)\b")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_the_blinded_view_has_no_arm_no_block_and_no_seed(
    trial: StudyFolder, people: object, now: datetime, capsys: Shown, options: tuple[str, ...]
) -> None:
    open_wave(trial, now)
    text = shown(trial, capsys, "log", *options)
    assert ARM.search(text) is None
    assert registration.seed(trial, 2).hex() not in text
    assert registration.nonce(trial, 2).hex() not in text


def test_the_events_of_the_blinded_view_speak_of_blocks_in_no_key(
    trial: StudyFolder, people: object, now: datetime
) -> None:
    def keys(value: Any) -> set[str]:
        if isinstance(value, dict):
            return set(value).union(*map(keys, value.values()))
        return set().union(*map(keys, value)) if isinstance(value, list) else set()

    open_wave(trial, now)
    made = [event for event in log(trial).events if event.action not in {"freeze", "close"}]
    found = set().union(*(keys(json.loads(json.dumps(event.detail))) for event in made))
    assert {"arm", "arms", "block", "position", "probability"}.isdisjoint(found)
    assert log(trial).made == {}


def test_the_full_view_is_closed_until_a_wave_is_unblinded(trial: StudyFolder, people: object) -> None:
    with pytest.raises(GateClosed, match="no wave is unblinded"):
        log(trial, full=True)


def test_the_full_view_has_the_allocations_of_unblinded_waves_beside_what_made_them(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    open_wave(trial, now)
    full = log(trial, full=True)
    made = {seq: [one.participant for one in rows] for seq, rows in full.made.items()}
    first, then = (event.seq for event in full.events if event.detail.get("first_arrival") in {1, 5} and
                   event.detail["wave"] == 1)  # fmt: skip
    assert made == {first: people[0][:4], then: people[0][4:]}
    recorded = table("allocations").set_index("participant_id")
    for one in full.made[first]:
        row = recorded.loc[one.participant]
        assert [one.arm, one.stratum, one.block, one.position, one.probability] == row[
            ["arm", "stratum", "block", "position", "probability"]
        ].tolist()


def test_the_full_view_in_json_has_them_in_their_event(
    trial: StudyFolder, people: tuple[list[str], list[str]], now: datetime, capsys: Shown
) -> None:
    open_wave(trial, now)
    found = json.loads(shown(trial, capsys, "log", "--full", "--json"))
    assert found["format"] == "forethought-log/1"
    allocated = [len(event["allocations"]) for event in found["events"] if "allocations" in event]
    assert allocated == [4, 2]
    assert ARM.search(shown(trial, capsys, "log", "--full")) is not None


def test_a_wave_that_is_blinded_shows_nothing_in_the_full_view_either(
    trial: StudyFolder, people: tuple[list[str], list[str]], now: datetime, capsys: Shown
) -> None:
    open_wave(trial, now)
    printed = shown(trial, capsys, "log", "--full").splitlines()
    assert not any(person in line for person in people[1] for line in printed if ARM.search(line))


# --- the explanation of one arm ---


def test_an_arm_is_not_explained_while_its_wave_is_blinded(
    trial: StudyFolder, people: tuple[list[str], list[str]], now: datetime
) -> None:
    open_wave(trial, now)
    with pytest.raises(GateClosed, match="wave 2 is blinded"):
        explain(trial, people[1][1])


def test_an_emergency_opens_an_arm_and_not_how_it_was_drawn(
    trial: StudyFolder, people: tuple[list[str], list[str]]
) -> None:
    with pytest.raises(GateClosed, match="wave 2 is blinded"):
        explain(trial, people[1][0])


def test_each_explanation_agrees_with_the_record(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, now: datetime
) -> None:
    open_wave(trial, now)
    recorded = table("allocations").set_index("participant_id")
    for person in people[0]:
        found = as_json(explain(trial, person))
        assert (found["agrees"], found["arm"]) == (True, recorded.loc[person, "arm"])
        assert [found["block"], found["position"]] == recorded.loc[person, ["block", "position"]].tolist()
        assert found["probabilities"][found["arm"]]["decimal"] == recorded.loc[person, "probability"]  # type: ignore[index]


def test_the_explanation_says_every_number_from_word_to_arm(
    trial: StudyFolder, people: tuple[list[str], list[str]], now: datetime, capsys: Shown
) -> None:
    open_wave(trial, now)
    found = json.loads(shown(trial, capsys, "explain", people[0][3], "--json"))
    assert found["format"] == "forethought-explanation/1"
    assert found["stratum"] == "sex=Female"
    assert int(found["word"], 16) % found["total"] == found["number"]
    assert set(found["weights"]) == set(found["counts"]) == {"control", "coached"}
    printed = shown(trial, capsys, "explain", people[0][3])
    assert found["word"] in printed
    assert "the record and the seed agree" in printed


def test_a_record_that_differs_is_explained_as_such(
    trial: StudyFolder, people: tuple[list[str], list[str]], now: datetime
) -> None:
    open_wave(trial, now)
    with writing(trial) as con:
        con.execute("UPDATE allocations SET arm = 'nothing' WHERE participant_id = ?", [people[0][1]])
    assert any(
        "DIFFERS from the seed, which gives co" in line for line in lines(explain(trial, people[0][1]))
    )


def test_somebody_unknown_is_not_explained(trial: StudyFolder, people: object, now: datetime) -> None:
    with pytest.raises(DataRefused, match="the study knows nobody"):
        explain(trial, "nobody")


def test_the_chain_is_checked_in_both_views(trial: StudyFolder, people: object, now: datetime) -> None:
    open_wave(trial, now)
    with writing(trial) as con:
        con.execute("UPDATE events SET actor = 'another' WHERE seq = 2")
    for full in (False, True):
        with pytest.raises(VerificationFailed, match="event 2"):
            log(trial, full=full)


# --- the commands ---


@pytest.mark.parametrize("scope", [("wave 1",), ("wave:1",), ("wave", "1")])
def test_a_wave_is_opened_on_the_command_line_as_anybody_writes_it(
    trial: StudyFolder, people: object, capsys: Shown, scope: tuple[str, ...]
) -> None:
    assert "Wave 1 is closed" in shown(trial, capsys, "freeze", "--wave", "1")
    told = shown(trial, capsys, "unblind", "--by", "Dr Who", "--reason", "over", "--scope", *scope, "--json")
    assert (json.loads(told)["scope"], json.loads(told)["waves"]) == ("wave 1", [1])


def test_an_emergency_prints_the_arm(
    trial: StudyFolder, people: tuple[list[str], list[str]], capsys: Shown
) -> None:
    words = ("unblind", "--by", "Dr Who", "--reason", "an allergy", "--scope", "participant", people[0][0])
    assert ARM.search(shown(trial, capsys, *words)) is not None
    told = json.loads(shown(trial, capsys, *words, "--json"))
    assert set(told["arm"]) == {"participant", "id", "label", "code"}


def test_a_correction_is_made_on_the_command_line(
    trial: StudyFolder, people: tuple[list[str], list[str]], table: Table, capsys: Shown
) -> None:
    words = ("correct", people[0][1], "--kind", "wrong-value", "--item", "sex", "--value", "Male")
    said = shown(trial, capsys, *words, "--by", "Dr Who", "--reason", "a slip of the pen")
    assert said == f"Corrected: {people[0][1]}, wrong-value.\n"
    assert table("corrections").set_index("participant_id")["corrected"][people[0][1]] == "Male"
