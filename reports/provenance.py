"""What the report was made from: hashes and versions; and the one block that differs from run to run."""

from collections.abc import Iterator, Mapping

from forethought.protocol.protocol import Protocol
from forethought.reports import formatting
from forethought.reports.content import Block, Cell, Column, Fact, Facts, Paragraph, RowGroup, Section, Table
from forethought.reports.record import Record, Run
from forethought.reports.results import Results


def provenance_section(protocol: Protocol, results: Results, record: Record) -> Section:
    """Plan, data, ledger, sources and software."""
    blocks: list[Block] = [Facts(items=tuple(_hashes(results, record)))]
    if protocol.study.sources:
        blocks.append(_sources(protocol))
    registered = record.registration.software if record.registration is not None else {}
    blocks.append(_software(record.software, registered))
    return Section(id="provenance", title="Provenance", blocks=tuple(blocks))


def _hashes(results: Results, record: Record) -> Iterator[Fact]:
    if results.fingerprint is not None:
        yield Fact(term="Fingerprint of the protocol analysed", value=results.fingerprint, code=True)
    if results.data_sha256 is not None:
        yield Fact(term="SHA-256 of the analysis data", value=results.data_sha256, code=True)
    if record.ledger is not None:
        events = formatting.counted(record.ledger.events, "event")
        yield Fact(term=f"Head of the ledger, {events}", value=record.ledger.hash, code=True)


def _sources(protocol: Protocol) -> Table:
    rows = tuple(
        (Cell(text=one.label), Cell(text=one.location), Cell(text=one.licence or formatting.ABSENT))
        for one in protocol.study.sources
    )
    return Table(
        caption="Sources",
        columns=tuple(Column(label=label) for label in ("Source", "Where", "Licence")),
        groups=(RowGroup(rows=rows),),
    )


def _software(used: Mapping[str, str], registered: Mapping[str, str]) -> Table:
    names = sorted({*used, *registered})
    return Table(
        caption="Software",
        columns=tuple(Column(label=label) for label in ("Package", "Registered", "Used for this report")),
        groups=(
            RowGroup(
                rows=tuple(
                    (
                        Cell(text=name),
                        Cell(text=registered.get(name, formatting.ABSENT)),
                        Cell(text=used.get(name, formatting.ABSENT)),
                    )
                    for name in names
                )
            ),
        ),
    )


def run_section(run: Run) -> Section:
    """When this copy of the report was made: all else is the same, byte for byte, for the same inputs."""
    text = (
        f"Made {formatting.moment(run.made_at)} by {run.by}. "
        "Apart from this paragraph, the same study gives the same file, byte for byte."
    )
    return Section(id="run", title="This copy", blocks=(Paragraph(text=text),))
