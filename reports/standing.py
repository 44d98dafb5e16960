"""What the report may claim, as badges: read from the lock, the ledger and the findings, never set by hand."""

from collections.abc import Iterable

from forethought.analysis.findings import Finding
from forethought.deviations import after_data
from forethought.reports.content import Badge
from forethought.reports.record import Record
from forethought.reports.results import Results

SIMULATED = Badge(
    kind="simulated",
    text="Simulated data",
    meaning="No person took part: a program played the participants, for practice. Nothing here is evidence.",
)
BLINDED = Badge(
    kind="blinded",
    text="Blinded: placebo allocation",
    meaning="The arms in this report were drawn anew from the registered design. "
    "They are not the true arms, and its numbers say nothing of them.",
)
CONFIRMATORY = Badge(
    kind="confirmatory",
    text="Confirmatory",
    meaning="The analysis was locked before the first outcome was there, and is the one that was registered.",
)
BEFORE_DATA = Badge(
    kind="registered",
    text="Registered before data",
    meaning="The protocol was locked before the first outcome was there.",
)
AFTER_DATA = Badge(
    kind="late",
    text="Registered after data",
    meaning="The protocol was locked when outcomes were there already: nothing in it is confirmatory.",
)
AMENDED = Badge(
    kind="late",
    text="Amended after data",
    meaning="The plan was amended when outcomes were there already: "
    "what was added or changed then is not confirmatory.",
)
NOT_REGISTERED = Badge(
    kind="late",
    text="Not registered",
    meaning="The protocol was never locked: nothing in this report is confirmatory.",
)
SENSITIVITY = Badge(
    kind="sensitivity",
    text="Sensitivity",
    meaning="Planned to show how far the result depends on the choice of model.",
)
EXPLORATORY = Badge(
    kind="exploratory",
    text="Exploratory",
    meaning="Planned as a search, not as a test: no error rate is held.",
)
ASSUMED = Badge(
    kind="assumed", text="Assumed", meaning="The study's source does not say this: the protocol assumes it."
)


def of_registration(record: Record) -> Badge:
    """Whether the lock came before the data: before, after, or never."""
    if record.registration is None:
        return NOT_REGISTERED
    first = record.moments.first_outcome
    return BEFORE_DATA if first is None or record.registration.locked_at < first else AFTER_DATA


def amended_after_data(record: Record) -> bool:
    """Whether the plan that was locked before data was amended when outcomes were there."""
    registration = record.registration
    return (
        of_registration(record) is BEFORE_DATA
        and registration is not None
        and any(after_data(amendment, record.moments.first_outcome) for amendment in registration.amendments)
    )


def of_report(results: Results, record: Record) -> tuple[Badge, ...]:
    """The badges at the head of the page."""
    registration = of_registration(record)
    confirmatory = registration is BEFORE_DATA and any(one.confirmatory for one in results.findings)
    return (
        *((SIMULATED,) if results.simulated else ()),
        *((BLINDED,) if results.blinded else ()),
        CONFIRMATORY if confirmatory else registration,
        *((AMENDED,) if amended_after_data(record) else ()),
    )


def of_findings(findings: Iterable[Finding], record: Record, *, assumed: bool = False) -> tuple[Badge, ...]:
    """What a group of findings is: each badge that any of them bears, in a fixed order."""
    found = [_of_finding(finding, record) for finding in findings]
    order = (CONFIRMATORY, BEFORE_DATA, AMENDED, AFTER_DATA, NOT_REGISTERED, SENSITIVITY, EXPLORATORY)
    return (*(badge for badge in order if badge in found), *((ASSUMED,) if assumed else ()))


def _of_finding(finding: Finding, record: Record) -> Badge:
    if finding.role == "sensitivity":
        return SENSITIVITY
    if finding.role == "exploratory":
        return EXPLORATORY
    if finding.confirmatory:
        return CONFIRMATORY
    # Of a blinded study nothing is confirmatory yet; afterwards only what was amended too late is not.
    late = not finding.blinded and amended_after_data(record)
    return AMENDED if late else of_registration(record)
