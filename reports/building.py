"""The report's content, from the protocol, the results and the study's record."""

from collections.abc import Mapping
from typing import Any

from forethought.protocol.protocol import Protocol
from forethought.reports import standing
from forethought.reports.allocation import checks_section
from forethought.reports.assumptions import assumptions_section
from forethought.reports.coefficients import coefficients_section
from forethought.reports.conduct import (
    NOT_RANDOMISED,
    allocation_section,
    limitations_section,
    preparation_section,
    sessions_section,
)
from forethought.reports.content import Report
from forethought.reports.deviations import deviations_section, not_done_section
from forethought.reports.flow import flow_section
from forethought.reports.headline import headline
from forethought.reports.means import means_section
from forethought.reports.names import Names
from forethought.reports.provenance import provenance_section, run_section
from forethought.reports.record import Record, Run
from forethought.reports.registration import registration_section
from forethought.reports.results import Results, read_results
from forethought.reports.tables import results_section

FORMAT = "forethought-report/1"
BANNER = "SIMULATED DATA: no person took part in this study"


def build(protocol: Protocol, results: Mapping[str, Any], record: Record, run: Run) -> Report:
    """Everything that the report says, in order; `results` holds the values of `results.json`.

    Raises ValueError where results are blinded and the record nevertheless holds counts by arm.
    """
    read = read_results(results)
    _refuse_arms_while_blinded(read, record)
    names = Names(protocol)
    means = means_section(protocol, read, names)
    study = protocol.study
    return Report(
        format=FORMAT,
        document_title=f"{'SIMULATED DATA: ' if read.simulated else ''}{study.title}",
        title=study.title,
        summary=study.summary if protocol.randomised else f"{study.summary} {NOT_RANDOMISED}",
        byline="; ".join(", ".join(filter(None, (one.name, one.affiliation))) for one in study.authors),
        badges=standing.of_report(read, record),
        banner=BANNER if read.simulated else None,
        sections=(
            headline(protocol, read, record, names),
            registration_section(protocol, record),
            flow_section(protocol, read, record.flow, names),
            allocation_section(protocol, read, record, names),
            *((checks_section(record.allocation),) if record.allocation is not None else ()),
            sessions_section(protocol, record.sessions, names),
            results_section(protocol, read, record, names),
            *((means,) if means is not None else ()),
            coefficients_section(read, names),
            preparation_section(protocol, read),
            deviations_section(record, read),
            not_done_section(record, read),
            assumptions_section(protocol),
            limitations_section(protocol, read),
            provenance_section(protocol, read, record),
        ),
        run=run_section(run),
    )


def _refuse_arms_while_blinded(results: Results, record: Record) -> None:
    if results.blinded and (record.flow.by_arm or any(row.by_arm for row in record.balance) or record.replay):
        raise ValueError("a blinded report was given counts by arm, or a replay of the allocation")
