"""How many people came, left and stayed: the counts of a CONSORT 2025 flow diagram."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from forethought.store import corrections, milestones


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonCount:
    """How many people failed this criterion of eligibility first."""

    criterion: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCount:
    """How one session went for those allocated; those planned for it are the sum of the four."""

    session: str
    done: int
    out_of_window: int
    missed: int
    still_open: int

    @property
    def planned(self) -> int:
        """For how many people the session was planned."""
        return self.done + self.out_of_window + self.missed + self.still_open


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCounts:
    """What became of those allocated to one arm, or to all of them together where `arm` is None.

    `received` got their own arm, `received_another` another; both None where that is not known. `lost` counts
    people by the first session they missed. `in_progress` have nothing to analyse so far and a session still
    open; `analysed` have an outcome that counts; `randomised_twice` are second records of people whose first one
    stands, and are in neither; the rest of those allocated have no outcome.
    """

    arm: str | None
    allocated: int
    received: int | None
    received_another: int | None
    sessions: tuple[SessionCount, ...]
    lost: tuple[tuple[str, int], ...]
    in_progress: int
    analysed: int
    randomised_twice: int = 0

    @property
    def not_analysed(self) -> int:
        """How many have nothing to analyse, their sessions being over; second records apart."""
        return self.allocated - self.analysed - self.in_progress - self.randomised_twice


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCounts:
    """A study's flow. assessed = excluded + waiting + randomised. `arms` is empty while the study is blinded.

    In a study that is not randomised `observed` counts the participants in its data and `records` their records.
    """

    assessed: int
    excluded: tuple[ReasonCount, ...]
    waiting: int
    randomised: int
    together: ArmCounts
    arms: tuple[ArmCounts, ...]
    observed: int
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumCount:
    """How many were allocated in one stratum of a wave; `by_arm` is empty while the study is blinded."""

    wave: int
    stratum: str
    allocated: int
    by_arm: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    """One allocated person, as the diagram sees him; `arm` is None while the study is blinded."""

    arm: str | None
    received: str | None
    statuses: Mapping[str, str]
    analysed: bool
    twice: bool = False


def flow(
    con: DuckDBPyConnection, *, arms: Sequence[str] = (), received: Mapping[str, str] | None = None
) -> FlowCounts:
    """Count everyone, by arm only once the study is unblinded.

    `arms` puts them in the protocol's order. `received` is participant to the arm received, as the unsealed
    exports say; it is not looked at while the study is blinded.
    """
    blinded = not milestones.unblinded(con)
    people = _people(con, blinded=blinded, received=received or {})
    sessions = [
        session
        for (session,) in con.execute(
            "SELECT session FROM sessions GROUP BY session ORDER BY min(position), session"
        ).fetchall()
    ]
    known = not blinded and received is not None
    found = sorted({person.arm for person in people if person.arm is not None} - set(arms))
    shown = () if blinded else (*arms, *found)
    return FlowCounts(
        assessed=_one(con, "SELECT count(*) FROM participants WHERE status <> 'observed'"),
        excluded=_excluded(con),
        waiting=_one(
            con,
            "SELECT count(*) FROM participants WHERE status = 'eligible' "
            "AND participant_id NOT IN (SELECT participant_id FROM allocations)",
        ),
        randomised=len(people),
        together=_counts(None, people, sessions, received_known=known),
        arms=tuple(
            _counts(arm, [person for person in people if person.arm == arm], sessions, received_known=known)
            for arm in shown
        ),
        observed=_one(
            con,
            "SELECT count(DISTINCT participant_id) FROM responses WHERE session IS DISTINCT FROM 'recruitment'",
        ),
        records=_one(
            con,
            "SELECT count(DISTINCT record_id) FROM responses WHERE session IS DISTINCT FROM 'recruitment'",
        ),
    )


def balance(con: DuckDBPyConnection) -> tuple[StratumCount, ...]:
    """How many were allocated in each stratum, by arm only once the study is unblinded."""
    arm = "arm" if milestones.unblinded(con) else "NULL"
    found = con.execute(
        f"SELECT wave, stratum, {arm} AS arm, count(*) FROM allocations GROUP BY ALL ORDER BY ALL"  # noqa: S608 -- one of two words
    ).fetchall()
    strata: dict[tuple[int, str], dict[str | None, int]] = {}
    for wave, stratum, own, count in found:
        strata.setdefault((wave, stratum), {})[own] = count
    return tuple(
        StratumCount(
            wave=wave,
            stratum=stratum,
            allocated=sum(counts.values()),
            by_arm={own: count for own, count in counts.items() if own is not None},
        )
        for (wave, stratum), counts in strata.items()
    )


def _excluded(con: DuckDBPyConnection) -> tuple[ReasonCount, ...]:
    found = con.execute(
        "SELECT criterion, reason, count(*) FROM exclusions WHERE stage = 'eligibility' "
        "GROUP BY position, criterion, reason ORDER BY position, criterion, reason"
    ).fetchall()
    return tuple(
        ReasonCount(criterion=criterion, reason=reason, count=count) for criterion, reason, count in found
    )


def _people(con: DuckDBPyConnection, *, blinded: bool, received: Mapping[str, str]) -> list[_Person]:
    """Everyone allocated. While the study is blinded the column of arms is not read."""
    if blinded:
        arms = dict.fromkeys(
            name for (name,) in con.execute("SELECT participant_id FROM allocations").fetchall()
        )
    else:
        arms = dict(con.execute("SELECT participant_id, arm FROM allocations").fetchall())
    twice = corrections.twice(con)
    analysed = set(_names(con, _ANALYSED)) - twice
    statuses: dict[str, dict[str, str]] = {}
    for name, session, status in con.execute(
        "SELECT participant_id, session, status FROM sessions ORDER BY position"
    ).fetchall():
        statuses.setdefault(name, {})[session] = status
    return [
        _Person(
            arm=arm,
            received=received.get(name),
            statuses=statuses.get(name, {}),
            analysed=name in analysed,
            twice=name in twice,
        )
        for name, arm in arms.items()
    ]


_ANALYSED = (
    "SELECT DISTINCT sessions.participant_id FROM sessions JOIN scores USING (participant_id, session)"
)


def _counts(
    arm: str | None, people: Sequence[_Person], sessions: Sequence[str], *, received_known: bool
) -> ArmCounts:
    missed = [next(iter(_missed(person)), None) for person in people]
    return ArmCounts(
        arm=arm,
        allocated=len(people),
        received=sum(person.received == person.arm for person in people) if received_known else None,
        received_another=sum(person.received not in {None, person.arm} for person in people)
        if received_known
        else None,
        sessions=tuple(_session(session, people) for session in sessions),
        lost=tuple((session, missed.count(session)) for session in sessions if session in missed),
        in_progress=sum(
            not person.analysed
            and not person.twice
            and (not person.statuses or "planned" in person.statuses.values())
            for person in people
        ),
        analysed=sum(person.analysed for person in people),
        randomised_twice=sum(person.twice for person in people),
    )


def _missed(person: _Person) -> Iterator[str]:
    """The sessions that the person missed, in order."""
    return (session for session, status in person.statuses.items() if status == "missed")


def _session(session: str, people: Sequence[_Person]) -> SessionCount:
    statuses = [person.statuses.get(session) for person in people]
    return SessionCount(
        session=session,
        done=statuses.count("done"),
        out_of_window=statuses.count("out_of_window"),
        missed=statuses.count("missed"),
        still_open=statuses.count("planned"),
    )


def _one(con: DuckDBPyConnection, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])


def _names(con: DuckDBPyConnection, query: str) -> list[str]:
    return [name for (name,) in con.execute(query).fetchall()]
