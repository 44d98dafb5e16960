"""Quotas: within a wave, in the order of arrival, only so many of one kind; nobody who has a place loses it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.protocol.recruitment import Quota
from forethought.steps.import_file import import_file
from forethought.steps.quotas import turned_away
from forethought.store import flow, migrations, rows
from forethought.store.connection import reading
from forethought.store.vault import Vault

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STUDY = """
format: forethought-protocol/2
study:
  id: quotas
  title: T
  summary: S
  authors: [{name: A}]
  type: observational
  framework: exploratory
  existing_data: {status: prior_to_creation, explanation: E}
  ethics: E
  funding: F
  conflicts: C
waves:
  - {number: 1, opens: "2026-03-01T09:00:00+00:00", target: 4}
  - {number: 2, opens: "2026-04-01T09:00:00+00:00", target: 4}
recruitment:
  population: P
  procedure: P
  compensation: P
  consent: {procedure: P}
  sample_size: {rationale: R, stopping: {rule: fixed, statement: S}}
  quotas:
    - {id: few_men, variable: sex, value: Male, at_most: 2, reason: enough men}
    - {id: few_old, variable: age_group, value: old, at_most: 2, reason: enough old people}
  distress: D
blinding: {participants: false, deliverers: false, raters: false, analysts: false, how: H}
allocation: none
imports:
  recruits:
    source: csv
    participant: id
    status: status
    arrived: arrived
    variables:
      - {name: sex, column: sex, type: category, levels: [Female, Male]}
      - {name: age_group, column: age_group, type: category, levels: [young, old]}
    eligibility:
      - {id: took_part, variable: status, rule: {test: one_of, values: [APPROVED]}, reason: did not take part}
  responses:
    source: csv
    participant: id
    variables: [{name: mood, column: mood, type: number}]
analysis:
  population: everyone
  populations: [{id: everyone, label: Everyone, rule: all_records}]
  missing_data: {assumption: mar, method: available_records, statement: S}
  models:
    - {kind: ols, id: by_wave, label: M, formula: y ~ 1, outcomes: [mood], role: exploratory, cluster: participant}
data_sharing: {level: open, data: D, code: C, materials: M}
"""
HEADER = "id,status,arrived,sex,age_group"

Make = Callable[..., StudyFolder]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A study with these quotas; with none of its own where None is given."""

    def study(quotas: Sequence[str] | None = ("few_men", "few_old")) -> StudyFolder:
        folder = StudyFolder(tmp_path / "study")
        for path in (folder.path, folder.inbox):
            path.mkdir()
        data: dict[str, Any] = yaml.safe_load(STUDY)
        own = [one for one in data["recruitment"]["quotas"] if one["id"] in (quotas or ())]
        data["recruitment"]["quotas"] = own
        if quotas is None:
            del data["recruitment"]["quotas"]
        folder.protocol.write_text(yaml.safe_dump(data))
        Vault.create(folder)
        migrations.create(folder, "quotas", load(folder.protocol).protocol.waves, NOW)
        return folder

    return study


def one(person: int, minute: int, sex: str = "Male", age: str = "young", status: str = "APPROVED") -> str:
    return f"person-{person:04},{status},2026-03-02T09:{minute:02}:00Z,{sex},{age}"


def bring(folder: StudyFolder, name: str, *lines: str, wave: int = 1) -> None:
    file = folder.inbox / name
    file.write_text("\n".join((HEADER, *lines)) + "\n")
    import_file(folder, file, now=NOW, actor="test", wave=wave)


def table(folder: StudyFolder, name: str) -> pd.DataFrame:
    with reading(folder) as con:
        return rows.read(con, name)


def turned(folder: StudyFolder) -> dict[int, tuple[str, int, str]]:
    """Person to the criterion, its place and its reason, of everybody who is excluded."""
    vault = Vault.open(folder)
    people = {vault.pseudonym(f"person-{number:04}"): number for number in range(20)}
    found = table(folder, "exclusions")
    return {
        people[row.participant_id]: (row.criterion, row.position, row.reason) for row in found.itertuples()
    }


MEN = [one(1, 1), one(2, 2), one(3, 3)]


def test_who_arrives_when_a_quota_is_full_is_excluded_by_it_and_counted_after_the_criteria(
    make: Make,
) -> None:
    folder = make()
    bring(folder, "r.csv", *MEN)
    assert turned(folder) == {3: ("few_men", 2, "enough men")}
    statuses = table(folder, "participants")["status"].value_counts().to_dict()
    assert statuses == {"eligible": 2, "excluded": 1}


def test_the_order_of_arrival_decides_and_not_that_of_the_file(make: Make) -> None:
    folder = make()
    bring(folder, "r.csv", *reversed(MEN))
    assert set(turned(folder)) == {3}


def test_of_people_who_arrive_at_one_moment_the_pseudonym_decides(make: Make) -> None:
    folder = make()
    bring(folder, "r.csv", one(1, 1), one(2, 1), one(3, 1))
    vault = Vault.open(folder)
    last = max(range(1, 4), key=lambda number: vault.pseudonym(f"person-{number:04}"))
    assert set(turned(folder)) == {last}


def test_whoever_is_not_eligible_takes_no_place(make: Make) -> None:
    folder = make()
    bring(folder, "r.csv", one(1, 1, status="RETURNED"), one(2, 2), one(3, 3))
    assert turned(folder) == {1: ("took_part", 1, "did not take part")}


def test_of_two_full_quotas_the_first_is_told_and_who_is_turned_away_counts_for_neither(make: Make) -> None:
    folder = make()
    bring(
        folder,
        "r.csv",
        *MEN[:2],
        one(3, 3, age="old"),  # a man too many: no place among the old
        one(4, 4, sex="Female", age="old"),
        one(5, 5, sex="Female", age="old"),
        one(6, 6, sex="Female", age="old"),
        one(7, 7, sex="Male", age="old"),
    )
    assert turned(folder) == {
        3: ("few_men", 2, "enough men"),
        6: ("few_old", 3, "enough old people"),
        7: ("few_men", 2, "enough men"),
    }


def test_whose_value_is_missing_is_of_no_kind(make: Make) -> None:
    folder = make()
    bring(folder, "r.csv", *MEN[:2], one(3, 3, sex=""))
    assert turned(folder) == {}


def test_the_same_people_in_another_file_change_nothing(make: Make) -> None:
    folder = make()
    bring(folder, "r.csv", *MEN)
    before = {name: table(folder, name) for name in ("participants", "exclusions", "responses")}
    bring(folder, "again.csv", *reversed(MEN))
    for name, frame in before.items():
        pd.testing.assert_frame_equal(table(folder, name), frame)


def test_a_later_export_counts_on(make: Make) -> None:
    folder = make()
    bring(folder, "r.csv", MEN[0])
    bring(folder, "more.csv", *MEN)
    assert set(turned(folder)) == {3}


def test_an_earlier_arrival_in_a_later_file_displaces_nobody(make: Make) -> None:
    folder = make()
    bring(folder, "r.csv", *MEN[:2])
    bring(folder, "more.csv", one(4, 0), one(5, 9, sex="Female"))
    assert set(turned(folder)) == {4}


def test_each_wave_has_its_own_places(make: Make) -> None:
    folder = make()
    bring(folder, "r.csv", *MEN)
    bring(folder, "second.csv", one(4, 1), one(5, 2), one(6, 3), wave=2)
    assert set(turned(folder)) == {3, 6}


def test_the_flow_diagram_prints_the_reason(make: Make) -> None:
    folder = make()
    bring(folder, "r.csv", *MEN, one(4, 4, status="RETURNED"))
    with reading(folder) as con:
        counted = flow.flow(con).excluded
    assert [(each.reason, each.count) for each in counted] == [("did not take part", 1), ("enough men", 1)]


@pytest.mark.parametrize("quotas", [None, ()])
def test_without_quotas_nobody_is_turned_away(make: Make, quotas: Sequence[str] | None) -> None:
    folder = make(quotas)
    bring(folder, "r.csv", *MEN, one(4, 4, age="old"))
    assert turned(folder) == {}


PEOPLE = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["Male", "Female"])), max_size=12)


def admitted(people: Sequence[tuple[int, str]], quota: Quota, batches: Sequence[int]) -> list[int]:
    """Who is taken, where the people come in files cut at these places."""
    taken: list[int] = []
    for start, end in zip((0, *batches), (*batches, len(people)), strict=True):
        frame = pd.DataFrame(
            {
                "participant": [f"p{number:02}" for number in range(start, end)],
                "arrived": pd.to_datetime([people[number][0] for number in range(start, end)], unit="h"),
            },
            index=range(start, end),
        )
        levels = pd.DataFrame(
            {"sex": [people[number][1] for number in range(start, end)]}, index=frame.index, dtype="str"
        )
        before = pd.DataFrame({"sex": [people[number][1] for number in taken]}, dtype="str")
        places = turned_away((quota,), frame, levels, before)
        taken += [int(row) for row in places.index[places == 0]]
    return taken


@given(PEOPLE, st.integers(1, 4), st.data())
def test_a_quota_is_never_exceeded_and_no_place_of_it_stays_empty(
    people: list[tuple[int, str]], at_most: int, data: st.DataObject
) -> None:
    quota = Quota(id="q", variable="sex", value="Male", at_most=at_most, reason="r")
    cut = data.draw(st.integers(0, len(people)))
    taken = admitted(people, quota, [cut])
    men = [number for number, (_, sex) in enumerate(people) if sex == "Male"]
    assert len([number for number in taken if number in men]) == min(at_most, len(men))
    assert {number for number in range(len(people)) if number not in men} <= set(taken)
