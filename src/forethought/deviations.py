"""Plan against deed: every difference that the machine can find, classed by when the plan was fixed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256


class DeviationClass(StrEnum):
    """Whether the difference was declared, and when. Undeclared is what only the machine found."""

    DECLARED_BEFORE_DATA = "declared before data"
    DECLARED_AFTER_DATA = "declared after data"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One thing done otherwise than planned. The id is the same each time the same one is found."""

    kind: str
    planned: str
    done: str
    deviation_class: DeviationClass = DeviationClass.UNDECLARED

    @property
    def id(self) -> str:
        """A short fingerprint of what differs."""
        return sha256("\0".join((self.kind, self.planned, self.done)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done, as the database tells it."""

    first_outcome_at: datetime | None
    completed: int
    sessions_by_status: Mapping[str, int]
    software: Mapping[str, str]
    frozen_tables: Mapping[str, str]
    tables_now: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was registered. `locked_at` is None where nothing was."""

    locked_at: datetime | None
    target: int | None
    software: Mapping[str, str]


def find(plan: Plan, deed: Deed) -> tuple[Deviation, ...]:
    """Every deviation of the deed from the plan, in a fixed order."""
    return (
        *_registration(plan, deed),
        *_sample_size(plan, deed),
        *_sessions(deed),
        *_changed_tables(deed),
        *_software(plan, deed),
    )


def _registration(plan: Plan, deed: Deed) -> Iterator[Deviation]:
    if plan.locked_at and deed.first_outcome_at and deed.first_outcome_at < plan.locked_at:
        yield Deviation(
            kind="registration",
            planned="locked before the first outcome",
            done="locked after the first outcome was imported",
        )


def _sample_size(plan: Plan, deed: Deed) -> Iterator[Deviation]:
    """Only once enrolment is closed: until then the sample is still growing."""
    if plan.target is not None and deed.frozen_tables and deed.completed != plan.target:
        yield Deviation(
            kind="sample size",
            planned=f"{plan.target:,} participants with every session",
            done=f"{deed.completed:,} participants with every session",
        )


def _sessions(deed: Deed) -> Iterator[Deviation]:
    outside = deed.sessions_by_status.get("out_of_window", 0)
    if outside:
        held = outside + deed.sessions_by_status.get("done", 0)
        yield Deviation(
            kind="windows",
            planned="every session inside its window",
            done=f"{outside:,} of {held:,} sessions held outside it",
        )


def _changed_tables(deed: Deed) -> Iterator[Deviation]:
    for table, then in deed.frozen_tables.items():
        if deed.tables_now.get(table) != then:
            yield Deviation(
                kind="frozen data",
                planned=f"`{table}` unchanged after the freeze",
                done=f"`{table}` was changed after the freeze",
            )


def _software(plan: Plan, deed: Deed) -> Iterator[Deviation]:
    for package, registered in plan.software.items():
        used = deed.software.get(package)
        if used != registered:
            yield Deviation(
                kind="software",
                planned=f"{package} {registered}",
                done=f"{package} {used or 'not installed'}",
            )
