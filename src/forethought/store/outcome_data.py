"""The gate: the one place where arms meet outcomes.

Until the study is unblinded, the arms are those of a placebo allocation that the caller drew from the data; the
true ones are not read. `OutcomeData` cannot be made anywhere else, so whoever holds one knows which it has.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

from duckdb import DuckDBPyConnection
from pandas import Categorical, DataFrame, Series

from forethought.files import canonical_json
from forethought.protocol.protocol import Protocol
from forethought.store import analysis_frames, freezing, milestones, rows

_GATE = object()

_OF_THE_DATA = ("responses", "scores", "conversations", "ratings")
_OF_SESSIONS = ("participant_id", "session", "status")
_OF_CORRECTIONS = ("correction_id", "kind", "item", "corrected", "first_participant")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeData:
    """What models are fitted to. `blinded`: the arms in it are placebo.

    `frame` has one row for each session of a participant in a randomised study, one for each imported record in
    another; its columns are those of `protocol.columns.record_columns`. Nothing is excluded or derived yet.
    `members` has the participants of whom each rule of populations on sessions holds. It stands apart from the
    frame, where a model could use what happened after allocation as a predictor.
    """

    frame: DataFrame
    blinded: bool
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    gate: InitVar[object]

    def __post_init__(self, gate: object) -> None:
        if gate is not _GATE:
            raise TypeError("outcome data are only made by store.outcome_data.outcome_data")


def outcome_data(
    con: DuckDBPyConnection, protocol: Protocol, placebo: Mapping[str, str] | None = None
) -> OutcomeData:
    """The records as the analysis may see them now.

    `placebo` gives everyone allocated an arm drawn anew from the design (`randomization.placebo`, over `arrivals`
    and `data_hash`); a randomised study needs it until it is unblinded, and does not look at it afterwards.
    Populations rest on sessions as they are marked: `analysis_frames.sessions_to_mark` says whether all are.
    """
    if not protocol.randomised:
        return OutcomeData(frame=analysis_frames.records(con, protocol), blinded=False, gate=_GATE)
    blinded = not milestones.unblinded(con)
    arms = _placebo_of_everyone(con, placebo) if blinded else _true_arms(con)
    frame = analysis_frames.sessions(con, protocol)
    levels = [arm.id for arm in protocol.arms]
    frame.insert(2, "arm", Series(Categorical(frame["participant"].map(arms), categories=levels)))
    return OutcomeData(frame=frame, blinded=blinded, members=analysis_frames.members(con), gate=_GATE)


def arrivals(con: DuckDBPyConnection, wave: int) -> list[tuple[str, str, str | None]]:
    """Participant, stratum and cluster (if any) of everyone allocated in the wave, in order of arrival."""
    found = con.execute(
        "SELECT participant_id, stratum, unit FROM allocations WHERE wave = ? ORDER BY arrival", [wave]
    ).fetchall()
    return [(str(participant), str(stratum), unit) for participant, stratum, unit in found]


def data_hash(con: DuckDBPyConnection) -> str:
    """SHA-256 of all outcomes and of nothing that an allocation decided: what a placebo is drawn from.

    It covers responses, scores, conversations, ratings, the status of each session, and corrections where there are any.
    """
    hashes = {table: freezing.table_hash(con, table) for table in _OF_THE_DATA}
    hashes["sessions"] = freezing.table_hash(con, "sessions", _OF_SESSIONS)
    if rows.count(con, "corrections"):
        hashes["corrections"] = freezing.table_hash(con, "corrections", _OF_CORRECTIONS)
    return hashlib.sha256(canonical_json(hashes)).hexdigest()


def _placebo_of_everyone(con: DuckDBPyConnection, placebo: Mapping[str, str] | None) -> Mapping[str, str]:
    allocated = {
        participant for (participant,) in con.execute("SELECT participant_id FROM allocations").fetchall()
    }
    given = placebo or {}
    if without := allocated - given.keys():
        raise ValueError(
            f"the placebo allocation has no arm for {len(without)} of {len(allocated)} participants"
        )
    return given


def _true_arms(con: DuckDBPyConnection) -> Mapping[str, str]:
    return dict(con.execute("SELECT participant_id, arm FROM allocations").fetchall())
