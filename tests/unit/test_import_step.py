"""Importing: good rows land together, refused ones keep their reason, and nobody's identity leaves the vault."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import rfc8785

from forethought import registration
from forethought.errors import DataRefused, GateClosed, NotLocked, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.schemas.exports.reading import read
from forethought.schemas.tables import TABLES
from forethought.steps import import_file as step
from forethought.steps.arrivals import rows_as_json
from forethought.steps.import_file import Imported, import_file
from forethought.steps.registering import complete
from forethought.store import connection, events, meta, migrations, rows
from forethought.store.connection import reading, writing
from forethought.store.vault import Vault

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ABOUT = {
    "format": "forethought-protocol/1",
    "study": {
        "id": "practice",
        "title": "Practice",
        "summary": "A study for tests.",
        "authors": [{"name": "A. Nobody"}],
        "ethics": "None needed.",
    },
    "waves": [{"number": 1, "opens": "2026-03-01T00:00:00Z", "target": 4}],
}
PEOPLE = {
    "source": "prolific",
    "participant": "Participant id",
    "status": "Status",
    "arrived": "Started at",
    "variables": [
        {"name": "age", "column": "Age", "type": "number", "minimum": 0, "maximum": 120},
        {"name": "sex", "column": "Sex", "type": "category", "levels": ["Female", "Male"]},
    ],
    "eligibility": [
        {
            "id": "took_part",
            "variable": "status",
            "rule": {"test": "one_of", "values": ["APPROVED", "AWAITING REVIEW"]},
            "reason": "Did not take part",
        },
        {
            "id": "adult",
            "variable": "age",
            "rule": {"test": "at_least", "value": 18},
            "reason": "Not known to be 18 or older",
        },
    ],
}
SURVEY = {
    "source": "csv",
    "participant": "person",
    "variables": [
        {"name": "trust", "column": "trust", "type": "number", "minimum": 1, "maximum": 5},
        {"name": "ease", "column": "ease", "type": "number", "minimum": 1, "maximum": 5, "session": "first"},
    ],
}
TALKS = {
    "source": "csv",
    "conversation": "talk",
    "participant": "user",
    "session": "round",
    "sessions": {"1": "first", "2": "second"},
    "stimulus": "starter",
    "stimuli": {"I lost my job": "job", "I lost my dad": "dad"},
    "number": "n",
    "role": "role",
    "roles": {"user": "participant", "bot": "partner"},
    "text": "text",
    "sent": "at",
    "received": "condition",
    "sealed": ["coach_text", "first_name"],
}


def model(outcome: str, formula: str) -> dict[str, Any]:
    return {
        "kind": "mixed",
        "id": "main",
        "label": "Main",
        "formula": formula,
        "outcomes": [outcome],
        "role": "primary",
    }


def window(anchor: str) -> dict[str, Any]:
    return {"anchor": anchor, "opens": 0, "target": 0, "closes": 60}


RANDOMISED = {
    **ABOUT,
    "arms": [
        {
            "id": "control",
            "label": "Control",
            "code": "Control",
            "description": "Nothing between conversations.",
        },
        {"id": "coached", "label": "Coached", "code": "AICoach", "description": "Feedback after each."},
    ],
    "allocation": {"method": "permuted_blocks", "ratio": {"control": 1, "coached": 1}, "block_sizes": [2]},
    "sessions": [
        {"id": "first", "label": "First", "window": window("allocation")},
        {"id": "second", "label": "Second", "window": window("previous_session")},
    ],
    "stimuli": {
        "name": "scenario",
        "items": ["job", "dad"],
        "order": "random_without_repetition",
        "sessions": ["first", "second"],
    },
    "imports": {
        "recruits": PEOPLE,
        "responses": SURVEY,
        "conversations": TALKS,
        "ratings": {
            "source": "csv",
            "conversation": "talk",
            "rater": "rater",
            "outcomes": {"warmth": "warmth"},
        },
    },
    "outcomes": [
        {
            "kind": "rated",
            "id": "warmth",
            "label": "Warmth",
            "minimum": 1,
            "maximum": 5,
            "better": "higher",
            "scorer": "model",
        }
    ],
    "analysis": {
        "population": "intention_to_treat",
        "missing_data": "Complete cases.",
        "models": [model("warmth", "y ~ arm + (1|participant)")],
    },
}
TRIALS = {
    **ABOUT,
    "allocation": "none",
    "imports": {
        "responses": {
            "source": "csv",
            "participant": "baby",
            "record": "row",
            "missing": ["", "NA"],
            "variables": [
                {"name": "kind", "column": "kind", "type": "category", "levels": ["ADS", "IDS"]},
                {"name": "looking", "column": "looking", "type": "number", "minimum": 0},
            ],
        }
    },
    "analysis": {
        "population": "all_records",
        "missing_data": "Complete cases.",
        "models": [model("looking", "y ~ kind + (1|participant)")],
    },
}

RECRUITS = "Submission id,Participant id,Status,Started at,Age,Sex"
ANA = "s1,5f0000000000000000000001,APPROVED,2026-03-02T09:00:00Z,31,Female"
BEN = "s2,5f0000000000000000000002,RETURNED,2026-03-02T09:05:00Z,17,Male"
CIM = "s3,5f0000000000000000000003,APPROVED,2026-03-02T09:10:00Z,CONSENT_REVOKED,Male"
DAN = "s4,5f0000000000000000000004,APPROVED,2026-03-02T09:15:00Z,44,Male"
TALK_HEADER = "talk,user,round,starter,n,role,text,at,condition,coach_text,first_name"

MakeStudy = Callable[..., StudyFolder]


@pytest.fixture
def make_study(tmp_path: Path) -> MakeStudy:
    def make(protocol: Mapping[str, Any] = RANDOMISED, *, locked: bool = True) -> StudyFolder:
        folder = StudyFolder(tmp_path / "study")
        for path in (folder.path, folder.inbox):
            path.mkdir()
        folder.protocol.write_text(json.dumps(protocol))
        loaded = load(folder.protocol)
        Vault.create(folder)
        migrations.create(folder, "practice", loaded.protocol.waves, NOW)
        if locked:
            registration.lock(folder, loaded, now=NOW, by="test", seeds={1: b"s" * 32}, supplied=True)
            with writing(folder) as con:
                complete(con, folder, loaded.protocol, now=NOW, actor="test")
        return folder

    return make


def bring(folder: StudyFolder, name: str, *lines: str, **given: Any) -> Imported:
    file = folder.inbox / name
    file.write_text("\n".join(lines) + "\n")
    return import_file(folder, file, now=NOW, actor="test", **given)


def recruit(folder: StudyFolder) -> Imported:
    return bring(folder, "recruits.csv", RECRUITS, ANA, BEN, CIM, DAN)


def table(folder: StudyFolder, name: str) -> pd.DataFrame:
    with reading(folder) as con:
        return rows.read(con, name)


def cells(folder: StudyFolder, name: str, *columns: str) -> list[tuple[Any, ...]]:
    frame = table(folder, name)[list(columns)]
    return list(frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None))


def person(folder: StudyFolder, number: int) -> str:
    return Vault.open(folder).pseudonym(f"5f{number:022d}")


def message(
    talk: str = "t1",
    user: int | str = 1,
    session: int = 1,
    n: int = 1,
    text: str = "hello",
    minute: int = 0,
    starter: str = "I lost my job",
) -> str:
    who = f"5f{user:022d}" if isinstance(user, int) else user
    at = (datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()
    return f"{talk},{who},{session},{starter},{n},user,{text},{at},AICoach,well done,Ana"


# --- recruits ---


def test_recruits_are_judged_by_the_criteria_in_their_order(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    imported = recruit(folder)
    assert imported == Imported(
        kind="recruits", source="prolific", file="recruits.csv", rows=4, new=4, quarantined=0, already=False
    )
    people = dict(cells(folder, "participants", "participant_id", "status"))
    assert [people[person(folder, number)] for number in (1, 2, 3, 4)] == [
        "eligible",
        "excluded",
        "excluded",
        "eligible",
    ]
    assert sorted(cells(folder, "exclusions", "position", "criterion", "reason")) == [
        (1, "took_part", "Did not take part"),
        (2, "adult", "Not known to be 18 or older"),
    ]


def test_a_recruit_keeps_status_time_of_arrival_and_the_text_of_each_answer(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    recruit(folder)
    ana, cim = person(folder, 1), person(folder, 3)
    people = table(folder, "participants").set_index("participant_id")
    assert people.loc[ana, ["wave", "service_status", "arrived_at"]].to_list() == [
        1,
        "APPROVED",
        pd.Timestamp("2026-03-02 09:00"),
    ]
    answers = cells(folder, "responses", "record_id", "item", "participant_id", "session", "value")
    assert (f"{ana}/recruitment", "age", ana, "recruitment", "31") in answers
    assert [one[1] for one in answers if one[2] == cim] == ["sex"]  # a missing value is not stored


def test_an_eligible_person_without_a_time_of_arrival_is_quarantined(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    imported = bring(folder, "r.csv", RECRUITS, ANA.replace("2026-03-02T09:00:00Z", ""), BEN)
    assert (imported.new, imported.quarantined) == (1, 1)
    assert cells(folder, "quarantine", "column_name", "reason") == [("Started at", "no time of arrival")]


def test_a_refused_row_is_kept_sealed_with_its_column_value_and_reason(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    bring(folder, "r.csv", RECRUITS, ANA.replace("Female", "Both"), DAN)
    raw = table(folder, "raw_rows")
    assert raw["disposition"].tolist() == ["quarantined", "kept"]
    assert raw["row_number"].tolist() == [1, 2]
    assert cells(folder, "quarantine", "raw_row_id", "column_name", "value", "reason") == [
        (raw["raw_row_id"][0], "Sex", "Both", "not one of: Female, Male")
    ]
    sealed = table(folder, "payloads").iloc[0]
    opened = Vault.open(folder).unseal(sealed["participant_id"], sealed["nonce"], sealed["ciphertext"])
    assert json.loads(opened)["Submission id"] == "s1"
    assert json.loads(opened)["Participant id"] == "5f0000000000000000000001"


def test_the_ledger_tells_counts_and_the_files_hash(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    recruit(folder)
    with reading(folder) as con:
        event = events.history(con)[-1]
    assert (event.actor, event.action, event.at) == ("test", "import", NOW)
    detail = dict(event.detail)
    assert re.fullmatch("[0-9a-f]{64}", str(detail.pop("file_sha256")))
    assert detail == {
        "kind": "recruits",
        "source": "prolific",
        "wave": 1,
        "rows": 4,
        "new": 4,
        "quarantined": 0,
        "added": {
            "participants": 4,
            "exclusions": 2,
            "responses": 7,
            "raw_rows": 4,
            "payloads": 4,
            "quarantine": 0,
        },
    }


@pytest.mark.parametrize("header", ["b,a", "é,a", "z,\U0001f600,\uff5e"])
def test_a_raw_row_is_sealed_as_canonical_json(header: str) -> None:
    cells_ = ['say "no"\\', "\t\r\n\x01\x7f é\u2028\U0001f600", "/"][: header.count(",") + 1]
    quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells_)
    export = read(f"{header}\n{quoted}\n".encode(), "e.csv")
    assert list(rows_as_json(export)) == [rfc8785.dumps(dict(zip(header.split(","), cells_, strict=True)))]


# --- again, and anew ---


def test_the_same_file_again_adds_nothing(make_study: MakeStudy, tmp_path: Path) -> None:
    folder = make_study(locked=False)
    file = tmp_path / "elsewhere.csv"
    file.write_text("\n".join([RECRUITS, ANA, BEN.replace("Male", "-")]))
    first = import_file(folder, file, now=NOW, actor="test")
    before = {name: table(folder, name) for name in ("participants", "responses", "raw_rows", "events")}
    again = import_file(folder, file, now=NOW, actor="test")
    assert not first.already
    assert (again.already, again.kind, again.source) == (True, "recruits", "prolific")
    assert (again.rows, again.new, again.quarantined) == (2, 0, 1)
    for name, frame in before.items():
        pd.testing.assert_frame_equal(table(folder, name), frame)


def test_a_newer_export_adds_new_people_and_refuses_changed_ones(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    bring(folder, "one.csv", RECRUITS, ANA, BEN, CIM)
    newer = bring(
        folder, "two.csv", RECRUITS, ANA, BEN.replace("17", "19"), CIM.replace("CONSENT_REVOKED", "50"), DAN
    )
    assert (newer.rows, newer.new, newer.quarantined) == (4, 1, 2)
    assert cells(folder, "quarantine", "reason") == [("already imported with other values",)] * 2
    assert len(table(folder, "participants")) == 4
    values = cells(folder, "responses", "participant_id", "item", "value")
    assert (person(folder, 2), "age", "17") in values


def test_a_failure_half_way_leaves_nothing_and_can_be_repeated(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_study(locked=False)

    def fail(*_args: object, **_named: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(step.events, "record", fail)
        with pytest.raises(RuntimeError):
            recruit(folder)
    for name in ("participants", "responses", "raw_rows", "payloads", "events"):
        assert table(folder, name).empty
    assert (folder.inbox / "recruits.csv").exists()
    assert recruit(folder).new == 4


def test_a_file_that_is_refused_stays_where_it_is_and_nothing_is_written(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    with pytest.raises(DataRefused, match=r"cells in row 2: 1"):
        bring(folder, "r.csv", RECRUITS, ANA, "s2")
    assert (folder.inbox / "r.csv").exists()
    assert table(folder, "raw_rows").empty
    assert not folder.raw.exists()


# --- the raw file ---


def test_a_file_of_the_inbox_moves_into_the_secrets(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    recruit(folder)
    assert list(folder.inbox.iterdir()) == []
    (kept,) = folder.raw.iterdir()
    assert re.fullmatch(r"[0-9a-f]{12}-recruits\.csv", kept.name)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_text().splitlines()[1] == ANA


def test_a_file_from_elsewhere_is_copied_and_stays(make_study: MakeStudy, tmp_path: Path) -> None:
    folder = make_study(locked=False)
    file = tmp_path / "mine.csv"
    file.write_text(f"{RECRUITS}\n{ANA}\n")
    import_file(folder, file, now=NOW, actor="test")
    assert file.exists()
    assert [kept.read_bytes() for kept in folder.raw.iterdir()] == [file.read_bytes()]


def test_a_crash_before_the_move_is_completed_by_the_next_import(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_study(locked=False)

    def crash(*_args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(step, "keep_raw", crash)
        with pytest.raises(KeyboardInterrupt):
            recruit(folder)
    file = folder.inbox / "recruits.csv"
    assert file.exists()
    assert import_file(folder, file, now=NOW, actor="test").already
    assert not file.exists()
    assert len(list(folder.raw.iterdir())) == 1


# --- gates ---


def test_outcomes_of_a_randomised_study_need_the_lock(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    recruit(folder)
    with pytest.raises(NotLocked):
        bring(folder, "talks.csv", TALK_HEADER, message())
    assert table(folder, "conversations").empty


def test_a_real_study_refuses_what_simulate_wrote(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    with pytest.raises(GateClosed, match="the study is real"):
        bring(folder, "r.csv", f"{RECRUITS},forethought_simulation", f"{ANA},1")
    assert table(folder, "raw_rows").empty


def test_a_simulated_study_takes_only_what_simulate_wrote(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    with writing(folder) as con:
        meta.mark_simulated(con)
    with pytest.raises(GateClosed, match="simulated for ever"):
        recruit(folder)
    assert bring(folder, "r.csv", f"{RECRUITS},forethought_simulation", f"{ANA},1").new == 1


def test_nobody_is_recruited_after_a_freeze(make_study: MakeStudy) -> None:
    folder = make_study(locked=False)
    with writing(folder) as con:
        events.record(con, now=NOW, actor="test", action="freeze", detail={})
    with pytest.raises(GateClosed, match="enrolment is closed"):
        recruit(folder)
    assert table(folder, "raw_rows").empty


def test_outcomes_still_come_in_after_a_freeze(make_study: MakeStudy) -> None:
    folder = make_study()
    recruit(folder)
    with writing(folder) as con:
        events.record(con, now=NOW, actor="test", action="freeze", detail={})
    assert bring(folder, "s.csv", "person,trust,ease", "5f0000000000000000000001,4,").new == 1


def test_what_is_not_there_is_wrong_usage(make_study: MakeStudy, tmp_path: Path) -> None:
    folder = make_study(locked=False)
    with pytest.raises(WrongUsage, match="there is no such file"):
        import_file(folder, tmp_path / "no.csv", now=NOW, actor="test")
    with pytest.raises(WrongUsage, match="there is no such file"):
        import_file(folder, tmp_path, now=NOW, actor="test")
    with pytest.raises(WrongUsage, match="no such wave"):
        bring(folder, "r.csv", RECRUITS, ANA, wave=2)


def test_recruits_are_not_judged_by_an_edited_plan(make_study: MakeStudy) -> None:
    folder = make_study()
    edited = folder.protocol.read_text("utf-8").replace('"target": 4', '"target": 5', 1)
    folder.protocol.write_text(edited, "utf-8")
    with pytest.raises(NotLocked, match="edited after the lock"):
        recruit(folder)
    assert table(folder, "raw_rows").empty


# --- outcomes ---


def test_answers_go_under_the_persons_session(make_study: MakeStudy) -> None:
    folder = make_study()
    recruit(folder)
    imported = bring(folder, "s.csv", "person,trust,ease", "5f0000000000000000000001,4,")
    ana = person(folder, 1)
    assert imported.kind == "responses"
    assert (f"{ana}/survey", "trust", None, "4") in cells(
        folder, "responses", "record_id", "item", "session", "value"
    )
    again = bring(folder, "t.csv", "person,trust,ease", "5f0000000000000000000001,4,2")
    assert (again.new, again.quarantined) == (1, 0)
    assert (f"{ana}/first", "ease", "first", "2") in cells(
        folder, "responses", "record_id", "item", "session", "value"
    )


def test_an_unknown_participant_is_quarantined(make_study: MakeStudy) -> None:
    folder = make_study()
    recruit(folder)
    imported = bring(folder, "s.csv", "person,trust,ease", "stranger,4,2", "5f0000000000000000000004,1,1")
    assert (imported.new, imported.quarantined) == (1, 1)
    assert cells(folder, "quarantine", "column_name", "value", "reason") == [
        ("person", None, "unknown participant")
    ]
    assert len(table(folder, "participants")) == 4


def test_a_platform_may_know_people_by_their_pseudonyms(make_study: MakeStudy) -> None:
    folder = make_study()
    recruit(folder)
    imported = bring(folder, "talks.csv", TALK_HEADER, message(user=person(folder, 1)))
    assert imported.new == 1
    assert cells(folder, "conversations", "participant_id") == [(person(folder, 1),)]


def test_messages_make_conversations(make_study: MakeStudy) -> None:
    folder = make_study()
    recruit(folder)
    imported = bring(
        folder,
        "talks.csv",
        TALK_HEADER,
        message(n=2, minute=7),
        message(n=1, minute=5),
        message(n=3, text=" "),
        message("t2", session=2, minute=30, starter="I lost my dad"),
    )
    assert (imported.kind, imported.rows, imported.new, imported.quarantined) == ("conversations", 4, 3, 1)
    ana = person(folder, 1)
    columns = (
        "conversation_id",
        "participant_id",
        "session",
        "stimulus",
        "started_at",
        "ended_at",
        "messages",
    )
    ten = pd.Timestamp("2026-03-02 10:00")
    minute = pd.Timedelta(minutes=1)
    assert cells(folder, "conversations", *columns) == [
        ("t1", ana, "first", "job", ten + 5 * minute, ten + 7 * minute, 2),
        ("t2", ana, "second", "dad", ten + 30 * minute, ten + 30 * minute, 1),
    ]
    assert cells(folder, "messages", "conversation_id", "number", "role", "text") == [
        ("t1", 1, "participant", "hello"),
        ("t1", 2, "participant", "hello"),
        ("t2", 1, "participant", "hello"),
    ]


def test_a_newer_export_of_conversations_adds_only_new_ones(make_study: MakeStudy) -> None:
    folder = make_study()
    recruit(folder)
    bring(folder, "one.csv", TALK_HEADER, message(), message(n=2))
    newer = bring(
        folder,
        "two.csv",
        TALK_HEADER,
        message(),
        message(n=2, text="changed"),
        message(n=3),
        message("t9"),
        message("t2", session=2),
    )
    assert (newer.new, newer.quarantined) == (1, 3)
    assert sorted(cells(folder, "quarantine", "reason")) == [
        ("a second conversation of the same session",),
        ("already imported with other values",),
        ("already imported with other values",),
    ]
    assert cells(folder, "conversations", "conversation_id", "messages") == [("t1", 2), ("t2", 1)]


def test_a_conversation_of_a_stranger_is_quarantined(make_study: MakeStudy) -> None:
    folder = make_study()
    recruit(folder)
    imported = bring(folder, "talks.csv", TALK_HEADER, message(), message("t2", user=9))
    assert (imported.new, imported.quarantined) == (1, 1)
    assert cells(folder, "conversations", "conversation_id") == [("t1",)]


def test_a_conversation_id_must_not_hold_the_participants_id(make_study: MakeStudy) -> None:
    folder = make_study()
    recruit(folder)
    imported = bring(folder, "talks.csv", TALK_HEADER, message(f"5f{1:022d}-1"), message("t2", user=4))
    assert (imported.new, imported.quarantined) == (1, 1)
    assert cells(folder, "quarantine", "value", "reason") == [
        (None, "the conversation's id holds the participant's id")
    ]


def test_ratings_need_their_conversation(make_study: MakeStudy) -> None:
    folder = make_study()
    recruit(folder)
    bring(folder, "talks.csv", TALK_HEADER, message())
    imported = bring(
        folder, "r.csv", "talk,rater,warmth", "t1,model,4", "t1,expert,5.0", "t8,model,1", "t1,model,2"
    )
    assert (imported.kind, imported.new, imported.quarantined) == ("ratings", 2, 2)
    assert cells(folder, "ratings", "conversation_id", "rater", "outcome", "value") == [
        ("t1", "expert", "warmth", 5.0),
        ("t1", "model", "warmth", 4.0),
    ]
    newer = bring(folder, "s.csv", "talk,rater,warmth", "t1,model,4", "t1,expert,1", "t1,crowd,3")
    assert (newer.new, newer.quarantined) == (1, 1)


@pytest.mark.parametrize(
    "lines",
    [
        [RECRUITS, ANA.replace("31", "old"), BEN.replace("Male", "M")],
        ["person,trust,ease", "x,1,1", ",2,2"],
        [TALK_HEADER, message(text=" "), message(session=7)],
        [TALK_HEADER, message(), message("t2", user=9)],
        ["talk,rater,warmth", "t1,model,4", "t2,model,0"],
    ],
    ids=["recruits", "responses", "messages", "strangers' messages", "ratings"],
)
def test_a_file_of_which_every_row_is_refused_is_quarantined_as_a_whole(
    make_study: MakeStudy, lines: list[str]
) -> None:
    folder = make_study()
    imported = bring(folder, "e.csv", *lines)
    assert (imported.rows, imported.new, imported.quarantined) == (2, 0, 2)
    for name in ("participants", "responses", "conversations", "messages", "ratings"):
        assert table(folder, name).empty
    assert table(folder, "raw_rows")["disposition"].tolist() == ["quarantined", "quarantined"]


# --- a study that is not randomised ---


def test_trials_are_records_of_their_rows_and_people_are_observed(make_study: MakeStudy) -> None:
    folder = make_study(TRIALS, locked=False)
    imported = bring(folder, "t.csv", "baby,kind,looking", "b1,IDS,4.50", "b1,NA,2", ",ADS,NA", "b2,IDS,-1")
    assert (imported.new, imported.quarantined) == (3, 1)
    baby = Vault.open(folder).pseudonym("b1")
    assert cells(folder, "participants", "participant_id", "status") == [(baby, "observed")]
    assert cells(folder, "responses", "record_id", "item", "participant_id", "session", "value") == [
        ("row/00000001", "kind", baby, None, "IDS"),
        ("row/00000001", "looking", baby, None, "4.50"),
        ("row/00000002", "looking", baby, None, "2"),
        ("row/00000003", "kind", None, None, "ADS"),
    ]


def test_a_variable_read_from_the_participants_column_holds_pseudonyms(make_study: MakeStudy) -> None:
    variables = [
        *TRIALS["imports"]["responses"]["variables"],
        {"name": "who", "column": "baby", "type": "category"},
    ]
    imports = {"responses": {**TRIALS["imports"]["responses"], "variables": variables}}
    folder = make_study({**TRIALS, "imports": imports}, locked=False)
    bring(folder, "t.csv", "baby,kind,looking", "b1,IDS,4.50")
    assert ("who", Vault.open(folder).pseudonym("b1")) in cells(folder, "responses", "item", "value")


# --- identities ---


def everything_said(folder: StudyFolder) -> bytes:
    """Every table as text, and every byte of the database's files, before a checkpoint and after it."""
    said = [path.read_bytes() for path in folder.path.glob("study.duckdb*")]
    said += [table(folder, name).to_csv().encode() for name in TABLES]
    with connection.writing(folder) as con:
        meta.put(con, "touched", "yes")
    with connection.creating(folder) as con:
        con.commit()
        con.execute("CHECKPOINT")
        con.begin()
    said += [path.read_bytes() for path in folder.path.glob("study.duckdb*")]
    return b"\n".join(said)


def found(folder: StudyFolder, planted: Sequence[str]) -> list[str]:
    said = everything_said(folder)
    return [secret for secret in planted if secret.encode() in said]


def test_no_planted_identity_or_arm_is_in_the_database_the_ledger_or_the_output(
    make_study: MakeStudy, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = make_study()
    planted = [
        "5f00000000000000000000",
        "SUBMISSIONIDOFANA",
        "Quetzalcoatl Ortega",
        "COACHSAYSWELLDONE",
        "AICoach",
        "ana.ortega@example.org",
        "203.0.113.77",
    ]
    bad = ANA.replace("s1", "SUBMISSIONIDOFANA").replace("31", "5f0000000000000000000001")
    bring(folder, "r.csv", RECRUITS, bad, ANA, DAN.replace("Male", "ana.ortega@example.org"), DAN)
    lines = [
        message().replace("well done", "COACHSAYSWELLDONE").replace("Ana", "Quetzalcoatl Ortega"),
        message(n=2, starter="AICoach").replace("Ana", "Quetzalcoatl Ortega"),
        message(n=3, starter="Quetzalcoatl Ortega").replace(",Ana", ",Quetzalcoatl Ortega"),
        message(n=4, starter="203.0.113.77"),
        message("t5", user=77),
    ]
    bring(folder, "talks.csv", TALK_HEADER, *lines)
    bring(
        folder, "s.csv", "person,trust,ease", "5f0000000000000000000077,1,1", "5f0000000000000000000001,9,1"
    )
    assert len(table(folder, "quarantine")) >= 6
    assert found(folder, planted) == []
    assert found(folder, ["hello"]) == ["hello"]  # the scan does see what is stored
    output = capfd.readouterr()
    assert not any(secret in output.out + output.err for secret in planted)
