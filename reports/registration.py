"""What was locked and when, and every amendment since, in words."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from forethought.protocol.protocol import Protocol
from forethought.registration import Amendment, Registration, SeedCommitment
from forethought.reports import formatting, standing
from forethought.reports.content import (
    Block,
    Bullets,
    Cell,
    Column,
    Fact,
    Facts,
    Heading,
    Paragraph,
    RowGroup,
    Section,
    Table,
)
from forethought.reports.record import Moments, Record


def registration_section(protocol: Protocol, record: Record) -> Section:
    """What was locked, when, and how that stands to allocation, outcomes and unblinding; then each amendment."""
    registration = record.registration
    badge = standing.of_registration(record)
    blocks: list[Block] = [Paragraph(text=f"{badge.text}. {badge.meaning}")]
    if registration is not None:
        blocks.append(Facts(items=tuple(_registration_facts(registration))))
        blocks.append(Bullets(items=tuple(_times(registration.locked_at, record.moments))))
        blocks.extend(_tables(registration))
        for amendment in registration.amendments:
            blocks.extend(_amendment(amendment, randomised=protocol.randomised))
    return Section(id="registration", title="Registration", blocks=tuple(blocks))


def _registration_facts(registration: Registration) -> Iterator[Fact]:
    yield Fact(term="Fingerprint", value=registration.fingerprint, code=True)
    yield Fact(
        term="Locked", value=f"{formatting.moment(registration.locked_at)}, by {registration.locked_by}"
    )
    if registration.amendments:
        yield Fact(term="Amended", value=formatting.counted(len(registration.amendments), "time"))
        yield Fact(
            term="Fingerprint of the plan that stands", value=registration.current_fingerprint, code=True
        )
    yield Fact(term="SHA-256 of protocol.yaml", value=registration.protocol_sha256, code=True)
    if registration.git_commit is not None:
        yield Fact(term="Commit of the study's repository", value=registration.git_commit, code=True)
    if registration.current_algorithm is not None:
        yield Fact(term="Allocation algorithm", value=registration.current_algorithm, code=True)


def _times(locked: datetime, moments: Moments) -> Iterator[str]:
    events = (
        ("The first allocation", moments.first_allocation),
        ("The first outcome", moments.first_outcome),
        ("The unblinding", moments.unblinded),
    )
    for name, when in events:
        if when is None:
            yield f"{name} has not happened."
        elif when >= locked:
            yield f"{name} was {formatting.between(locked, when)} after the lock, {formatting.moment(when)}."
        else:
            yield f"{name} was {formatting.between(when, locked)} before the lock, {formatting.moment(when)}."


def _tables(registration: Registration) -> Iterator[Table]:
    """Seeds, materials, scorers and timestamps, each where there are any."""
    if registration.all_seeds:
        yield _seeds(registration)
    if any(seed.blocks or seed.list_sha256 for seed in registration.all_seeds):
        yield _sealed(registration)
    if registration.materials:
        yield _hashes("Materials locked with the protocol", "File", registration.materials)
    if registration.current_materials != registration.materials:
        yield _hashes("Materials of the plan that stands", "File", registration.current_materials)
    if registration.scorers:
        yield _hashes("Raters locked with the protocol", "Rater", registration.scorers)
    if registration.current_scorers != registration.scorers:
        yield _hashes("Raters of the plan that stands", "Rater", registration.current_scorers)
    if registration.timestamps:
        yield _timestamps(registration)


def _seeds(registration: Registration) -> Table:
    return Table(
        caption="Commitments to the secret seeds, published before the first allocation",
        columns=(
            Column(label="Wave"),
            Column(label="SHA-256 of nonce, seed and wave"),
            Column(label="Origin"),
        ),
        groups=(
            RowGroup(
                rows=tuple(
                    (
                        Cell(text=str(seed.wave)),
                        Cell(text=seed.commitment, code=True),
                        Cell(text=_origin(seed, registration)),
                    )
                    for seed in registration.all_seeds
                )
            ),
        ),
    )


def _sealed(registration: Registration) -> Table:
    """What else of each wave is sealed: its block sizes, and the list drawn ahead."""
    rows = [
        (seed.wave, what, digest, origin)
        for seed in registration.all_seeds
        for what, digest, origin in (
            (
                "block sizes",
                seed.blocks,
                "supplied by a person" if seed.blocks_supplied else "drawn by chance",
            ),
            ("list drawn ahead", seed.list_sha256, "drawn from the seed"),
        )
        if digest
    ]
    return Table(
        caption="What is sealed until the wave is unblinded, published as hashes before the first allocation",
        columns=tuple(Column(label=label) for label in ("Wave", "What", "SHA-256", "Origin")),
        groups=(
            RowGroup(
                rows=tuple(
                    (Cell(text=str(wave)), Cell(text=what), Cell(text=digest, code=True), Cell(text=origin))
                    for wave, what, digest, origin in rows
                )
            ),
        ),
    )


def _origin(seed: SeedCommitment, registration: Registration) -> str:
    if seed.supplied:
        return "supplied by a person"
    number = next((one.number for one in registration.amendments if seed in one.seeds), None)
    return "drawn at the lock" if number is None else f"drawn at amendment {number}"


def _hashes(caption: str, heading: str, hashes: Mapping[str, str]) -> Table:
    rows = tuple((Cell(text=name), Cell(text=digest, code=True)) for name, digest in sorted(hashes.items()))
    columns = (Column(label=heading), Column(label="SHA-256"))
    return Table(caption=caption, columns=columns, groups=(RowGroup(rows=rows),))


def _timestamps(registration: Registration) -> Table:
    return Table(
        caption="Timestamps by others (RFC 3161)",
        columns=tuple(Column(label=label) for label in ("SHA-256 of the record", "Service", "Time")),
        groups=(
            RowGroup(
                rows=tuple(
                    (
                        Cell(text=one.record, code=True),
                        Cell(text=one.service),
                        Cell(text=formatting.moment(one.at)),
                    )
                    for one in registration.timestamps
                )
            ),
        ),
    )


def _amendment(amendment: Amendment, *, randomised: bool) -> Iterator[Block]:
    """One amendment: when, by whom, at which stage, why, and what it changed and declared."""
    yield Heading(text=f"Amendment {amendment.number}")
    yield Facts(items=tuple(_amendment_facts(amendment, randomised=randomised)))
    if amendment.differences:
        yield Bullets(items=tuple(_sentence(one.words) for one in amendment.differences))
    else:
        yield Paragraph(text="It changed nothing in the plan.")
    if amendment.declared:
        yield Paragraph(text="It declared:")
        yield Bullets(
            items=tuple(
                _sentence(f"{one.kind}: {one.statement}" if one.kind else one.statement)
                for one in amendment.declared
            )
        )


def _amendment_facts(amendment: Amendment, *, randomised: bool) -> Iterator[Fact]:
    yield Fact(term="Made", value=f"{formatting.moment(amendment.amended_at)}, by {amendment.amended_by}")
    yield Fact(term="Stage", value=_stage(amendment, randomised=randomised))
    yield Fact(term="Reason", value=amendment.reason)
    yield Fact(term="Fingerprint", value=amendment.fingerprint, code=True)
    if amendment.git_commit is not None:
        yield Fact(term="Commit of the study's repository", value=amendment.git_commit, code=True)


def _stage(amendment: Amendment, *, randomised: bool) -> str:
    after = amendment.after
    moments = (
        *((("the first allocation", after.first_allocation),) if randomised else ()),
        ("the first outcome", after.first_outcome),
        *((("the unblinding", after.unblinded),) if randomised else ()),
    )
    return ", ".join(f"{'after' if happened else 'before'} {moment}" for moment, happened in moments)


def _sentence(words: str) -> str:
    """Words of an amendment as they are, for a list: ended, and never changed in between."""
    return words if words.endswith((".", "…")) else f"{words}."
