"""What is compared: the plan as it was registered, the deed as the study tells it, and what differs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from forethought.errors import NotLocked
from forethought.protocol.formats import upgraded
from forethought.protocol.protocol import Protocol
from forethought.protocol.shape import examine
from forethought.registration import Registration

AMENDMENT = "amendment"


class DeviationClass(StrEnum):
    """Whether the difference was declared, and when. Undeclared is what only the machine found."""

    DECLARED_BEFORE_DATA = "declared before data"
    DECLARED_AFTER_DATA = "declared after data"
    UNDECLARED = "undeclared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One thing done otherwise than planned. The id is the same each time the same one is found.

    `reason` is what was said for it: by the amendment of that number, or by the plan itself where `amendment` is
    None. An undeclared deviation has neither.
    """

    kind: str
    planned: str
    done: str
    deviation_class: DeviationClass = DeviationClass.UNDECLARED
    reason: str | None = None
    amendment: int | None = None

    @property
    def id(self) -> str:
        """A short fingerprint of what differs; its class may change, and the id does not."""
        own = (str(self.amendment),) if self.kind == AMENDMENT else ()
        return sha256("\0".join((self.kind, self.planned, self.done, *own)).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was registered: the protocol of the lock and, in their order, those of its amendments."""

    registration: Registration
    protocol: Protocol
    amended: tuple[Protocol, ...] = ()

    @property
    def now(self) -> Protocol:
        """The protocol that stands."""
        return self.amended[-1] if self.amended else self.protocol


def planned(registration: Registration) -> Plan:
    """The plan that a registration holds, its protocols read by the rules of their own format.

    NotLocked where one of them cannot be read: it is no protocol, or that of a later release.
    """
    return Plan(
        registration=registration,
        protocol=_protocol(registration.protocol, "the locked protocol"),
        amended=tuple(
            _protocol(one.protocol, f"the protocol of amendment {one.number}")
            for one in registration.amendments
        ),
    )


def _protocol(data: Mapping[str, object], what: str) -> Protocol:
    shape = examine(upgraded(data))
    if shape.protocol is None or shape.faults:
        why = f": {shape.faults[0].what}" if shape.faults else ""
        raise NotLocked(
            "registration.json",
            f"{what} cannot be read{why}",
            "Use the release that registered it, or a later one",
        )
    return shape.protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveDone:
    """How many of a wave completed, and how many are still under way; `closed`: nobody more can come."""

    number: int
    closed: bool
    completed: int
    in_progress: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """How many people failed this criterion, or quota, first; tried as number `position`, the last of them when."""

    criterion: str
    position: int
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDone:
    """How often a session was held, and outside its window: as the window is now, and as it was registered."""

    session: str
    held: int
    outside: int
    outside_registered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """How many scores of an outcome one version of one scorer gave, of those that are analysed."""

    outcome: str
    scorer: str
    version: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A finding: which test it is, and why it has no estimate, where it has none."""

    hypothesis: str | None
    model: str
    outcome: str
    contrast: str
    ci_level: float
    missing_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """A formula that was given up, and why."""

    formula: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A model of one outcome as it was fitted, after what was pruned; or the error that left it without a fit.

    `expected` names the published tables that its numbers were set beside.
    """

    model: str
    outcome: str
    formula: str
    pruned: tuple[Pruned, ...] = ()
    error: str | None = None
    expected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An exclusion of the preparation that was carried out: its reason, and how many records it took out."""

    reason: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """The analysis, on the true arms, of the plan that stands."""

    findings: tuple[Examined, ...]
    models: tuple[Fitted, ...]
    preparation: tuple[Prepared, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedInWave:
    """A table in which the rows of a wave's people are not those that were there when the wave was closed."""

    wave: int
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done, as the database and `results.json` tell it.

    `analysis` is None until there is one: none of a blinded study counts, because its arms are a placebo.
    `emergencies` counts the people whose arm was opened for them alone; `corrected_after_unblinding` the corrections
    that change what is analysed, and were made when the arms of their wave were known.
    """

    first_outcome_at: datetime | None
    waves: tuple[WaveDone, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    sessions: tuple[SessionDone, ...] = ()
    scores: tuple[Scored, ...] = ()
    analysis: Analysed | None = None
    software: Mapping[str, str]
    frozen_tables: Mapping[str, str]
    tables_now: Mapping[str, str]
    changed_in_waves: tuple[ChangedInWave, ...] = ()
    emergencies: int = 0
    corrected_after_unblinding: int = 0
