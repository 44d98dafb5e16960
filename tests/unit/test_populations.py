"""Populations: who belongs is known from the sessions alone, and each model is fitted to its own."""

import json
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from forethought.analysis.findings import Finding
from forethought.analysis.populations import Members, population_of, restricted
from forethought.analysis.registered import AnalysisResult, Standing, as_json, run
from forethought.protocol.columns import analysis_columns
from forethought.protocol.estimands import Population
from forethought.protocol.formats import upgraded
from forethought.protocol.protocol import Protocol
from forethought.store.analysis_frames import members, sessions_to_mark

OPEN = Standing(registered=True, locked_before_outcomes=True, blinded=False, simulated=False, wave=1)
WINDOW = {"anchor": "allocation", "opens": 0, "target": 10, "closes": 60}
MODEL = {
    "kind": "ols",
    "label": "m",
    "formula": "y ~ arm * round",
    "outcomes": ["warmth"],
    "cluster": "participant",
}


def population(name: str, rule: str) -> dict[str, str]:
    return {"id": name, "label": name, "rule": rule}


PLAN: dict[str, Any] = {
    "format": "forethought-protocol/1",
    "study": {"id": "s", "title": "s", "summary": "s", "authors": [{"name": "a"}], "ethics": "e"},
    "waves": [{"number": 1, "opens": "2026-11-01T09:00:00+00:00", "target": 4}],
    "arms": [{"id": arm, "label": arm, "code": arm, "description": arm} for arm in ("control", "coach")],
    "allocation": {"method": "permuted_blocks", "ratio": {"control": 1, "coach": 1}, "block_sizes": [2]},
    "sessions": [
        {"id": name, "label": name, "window": WINDOW, "variables": {"round": number}}
        for number, name in enumerate(("first", "second"))
    ],
    "imports": {},
    "outcomes": [
        {"kind": "rated", "id": "warmth", "label": "w", "minimum": 1, "maximum": 5, "better": "higher", "scorer": "j"}
    ],
    "analysis": {
        "population": "everyone",
        "populations": [
            population("everyone", "randomised"),
            population("completers", "every_session"),
            population("in_time", "sessions_in_window"),
        ],
        "missing_data": "none",
        "models": [
            {**MODEL, "id": "of_everyone", "role": "primary"},
            {**MODEL, "id": "of_completers", "role": "sensitivity", "population": "completers"},
            {**MODEL, "id": "of_those_in_time", "role": "sensitivity", "population": "in_time"},
        ],
        "contrasts": [{"id": "gain", "label": "g", "weights": {"arm[T.coach]:round": 1}}],
        "hypotheses": [
            {
                "id": "h", "statement": "s", "role": "primary", "outcomes": ["warmth"], "contrasts": ["gain"],
                "models": ["of_everyone", "of_completers", "of_those_in_time"],
                "direction": "better", "smallest_effect": 0.2, "estimand": "the difference of mean changes",
            }
        ],
    },
}  # fmt: skip

PEOPLE = [f"p{number:02d}" for number in range(24)]
LATE, GONE = frozenset(PEOPLE[:3]), frozenset(PEOPLE[3:8])
"""Three held a session outside its window, five missed one."""
MEMBERS: Members = {
    "every_session": frozenset(PEOPLE) - GONE,
    "sessions_in_window": frozenset(PEOPLE) - GONE - LATE,
}


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return Protocol.model_validate_json(json.dumps(upgraded(PLAN)))


@pytest.fixture(scope="module")
def records() -> pd.DataFrame:
    """Everybody's first session and, but for those who left, the second; arms in turn."""
    rng = np.random.default_rng(20261123)
    frame = pd.DataFrame({"participant": np.repeat(PEOPLE, 2), "session": ["first", "second"] * len(PEOPLE)})
    arms = np.repeat(["control", "coach"] * (len(PEOPLE) // 2), 2)
    frame["arm"] = pd.Categorical(arms, categories=["control", "coach"])
    frame["round"] = [0.0, 1.0] * len(PEOPLE)
    frame["warmth"] = rng.normal(3, 1, len(frame)) + (frame["arm"] == "coach") * frame["round"]
    frame.loc[frame["participant"].isin(GONE) & (frame["round"] == 1), "warmth"] = np.nan
    return frame


@pytest.fixture(scope="module")
def result(protocol: Protocol, records: pd.DataFrame) -> AnalysisResult:
    return run(protocol, records, OPEN, MEMBERS)


def found(result: AnalysisResult, model: str) -> Finding:
    (finding,) = (one for one in result.findings if one.model == model)
    return finding


# --- who belongs ---


@pytest.fixture
def statuses() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("CREATE TABLE sessions (participant_id VARCHAR, session VARCHAR, status VARCHAR)")
    kinds = {
        "held": ("done", "done"),
        "late": ("done", "out_of_window"),
        "gone": ("done", "missed"),
        "waiting": ("done", "planned"),
        "new": ("planned", "planned"),
    }
    for name, both in kinds.items():
        for session, status in zip(("first", "second"), both, strict=True):
            con.execute("INSERT INTO sessions VALUES (?, ?, ?)", [name, session, status])
    return con


def test_every_session_means_each_one_held_inside_its_window_or_not(
    statuses: duckdb.DuckDBPyConnection,
) -> None:
    assert members(statuses)["every_session"] == {"held", "late"}


def test_sessions_in_window_means_each_one_held_inside_its_window(
    statuses: duckdb.DuckDBPyConnection,
) -> None:
    assert members(statuses)["sessions_in_window"] == {"held"}


def test_who_belongs_is_asked_without_the_table_of_allocations(statuses: duckdb.DuckDBPyConnection) -> None:
    """That table is not there at all, so no arm can have been read."""
    assert statuses.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(1,)]
    assert set(members(statuses)) == {"every_session", "sessions_in_window"}


def test_before_any_session_is_planned_nobody_has_held_them_all() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE sessions (participant_id VARCHAR, session VARCHAR, status VARCHAR)")
    assert members(con) == {"every_session": frozenset(), "sessions_in_window": frozenset()}


def with_conversations(con: duckdb.DuckDBPyConnection, *held: tuple[str, str]) -> duckdb.DuckDBPyConnection:
    con.execute("CREATE TABLE conversations (participant_id VARCHAR, session VARCHAR)")
    for participant, session in held:
        con.execute("INSERT INTO conversations VALUES (?, ?)", [participant, session])
    return con


def test_sessions_that_were_held_and_are_not_marked_so_are_counted(
    statuses: duckdb.DuckDBPyConnection, protocol: Protocol
) -> None:
    """Who held them would be left out of the population without a word."""
    con = with_conversations(statuses, ("held", "first"), ("waiting", "second"), ("new", "first"))
    assert sessions_to_mark(con, protocol) == 2


def test_two_conversations_of_one_session_are_one_session(
    statuses: duckdb.DuckDBPyConnection, protocol: Protocol
) -> None:
    con = with_conversations(statuses, ("new", "first"), ("new", "first"))
    assert sessions_to_mark(con, protocol) == 1


def test_sessions_that_are_marked_as_they_were_held_need_no_mark(
    statuses: duckdb.DuckDBPyConnection, protocol: Protocol
) -> None:
    con = with_conversations(statuses, ("held", "first"), ("held", "second"), ("late", "second"))
    assert sessions_to_mark(con, protocol) == 0


def test_where_no_population_rests_on_sessions_their_marks_do_not_matter(
    statuses: duckdb.DuckDBPyConnection, protocol: Protocol
) -> None:
    con = with_conversations(statuses, ("new", "first"))
    everyone = protocol.analysis.model_copy(update={"populations": protocol.analysis.populations[:1]})
    assert sessions_to_mark(con, protocol.model_copy(update={"analysis": everyone})) == 0


@pytest.mark.parametrize("rule", ["randomised", "all_records"])
def test_a_population_of_everyone_leaves_the_records_as_they_are(records: pd.DataFrame, rule: str) -> None:
    everyone = Population(id="a", label="a", rule=rule)  # type: ignore[arg-type]
    pd.testing.assert_frame_equal(restricted(records, everyone, {}), records)


@pytest.mark.parametrize("rule", ["every_session", "sessions_in_window"])
def test_a_rule_on_sessions_keeps_all_rows_of_its_members_and_no_others(
    records: pd.DataFrame, rule: str
) -> None:
    kept = restricted(records, Population(id="a", label="a", rule=rule), MEMBERS)  # type: ignore[arg-type]
    assert kept.groupby("participant").size().to_dict() == dict.fromkeys(sorted(MEMBERS[rule]), 2)
    assert list(kept.columns) == list(records.columns)


def test_members_that_were_not_given_are_an_error_and_never_everyone(
    protocol: Protocol, records: pd.DataFrame
) -> None:
    with pytest.raises(KeyError, match="every_session"):
        run(protocol, records, OPEN)


def test_a_model_without_a_population_has_the_analysiss_own(protocol: Protocol) -> None:
    names = [population_of(model, protocol).id for model in protocol.analysis.models]
    assert names == ["everyone", "completers", "in_time"]


def test_belonging_is_no_column_that_a_formula_could_use(protocol: Protocol) -> None:
    assert not {"every_session", "sessions_in_window", "status"} & set(analysis_columns(protocol))


# --- what a model of it gives ---


@pytest.mark.parametrize(
    ("model", "name", "n", "by_arm"),
    [
        ("of_everyone", "everyone", 24, {"control": 12, "coach": 12}),
        ("of_completers", "completers", 19, {"control": 10, "coach": 9}),
        ("of_those_in_time", "in_time", 16, {"control": 8, "coach": 8}),
    ],
)
def test_a_finding_counts_its_own_population(
    result: AnalysisResult, model: str, name: str, n: int, by_arm: dict[str, int]
) -> None:
    finding = found(result, model)
    assert (finding.population, finding.n, dict(finding.n_by_arm)) == (name, n, by_arm)


def test_the_estimate_is_of_the_populations_records_alone(
    records: pd.DataFrame, result: AnalysisResult
) -> None:
    here = records[records["participant"].isin(MEMBERS["sessions_in_window"])]
    means = here.groupby(["arm", "round"], observed=True)["warmth"].mean()
    gain = means["coach", 1] - means["coach", 0] - means["control", 1] + means["control", 0]
    assert found(result, "of_those_in_time").estimate == pytest.approx(gain, abs=1e-12)
    assert found(result, "of_everyone").estimate != pytest.approx(gain, abs=1e-3)


def test_means_by_arm_and_session_are_of_the_analysiss_own_population(
    protocol: Protocol, records: pd.DataFrame
) -> None:
    own = protocol.analysis.model_copy(update={"population": "in_time"})
    in_time = protocol.model_copy(update={"analysis": own})
    entries = as_json(in_time, run(in_time, records, OPEN, MEMBERS))["models"]
    assert {row["n"] for entry in entries for row in entry["cell_means"]} == {8}


def test_a_population_that_is_empty_so_far_leaves_the_others_standing(
    protocol: Protocol, records: pd.DataFrame
) -> None:
    nobody: Members = {"every_session": frozenset(), "sessions_in_window": frozenset()}
    result = run(protocol, records, OPEN, nobody)
    empty = found(result, "of_completers")
    assert (empty.estimate, empty.n, empty.verdict) == (None, 0, "unevaluable")
    why = "model of_completers: no record of its population is left after the preparation"
    assert empty.warnings == (f"{why}. See who belongs to it so far.",)
    assert found(result, "of_everyone").estimate is not None


def test_a_blinded_analysis_has_the_same_populations(protocol: Protocol, records: pd.DataFrame) -> None:
    """The arms are drawn anew, and those who belong are the same people."""
    shuffled = records.assign(arm=records["arm"].to_numpy()[::-1])
    blinded = run(
        protocol,
        shuffled,
        Standing(registered=True, locked_before_outcomes=True, blinded=True, simulated=False, wave=1),
        MEMBERS,
    )
    assert [one.n for one in blinded.findings] == [24, 19, 16]
