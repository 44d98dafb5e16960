"""What a form has no question for: care for participants, sharing, money, limits, and the registration itself."""

from collections.abc import Iterator

from forethought.protocol.study import DataSharing
from forethought.reports import formatting
from forethought.reports.assumptions import assumptions
from forethought.reports.forms import words
from forethought.reports.forms.form import Plan

LEVELS = {
    "open": "The data are open to everyone",
    "on_request": "The data can be had on request",
    "restricted": "The data can be had under restrictions",
    "none": "The data of participants are not shared",
    "not_stated": "How the data of participants are shared is not stated",
}


def other(plan: Plan) -> str:
    """Everything that the protocol says besides what a form asks for."""
    protocol = plan.protocol
    study, asked, pooling = protocol.study, protocol.recruitment, protocol.wave_pooling
    return words.paragraphs(
        words.bullets("Harms that are recorded", (f"{one.label}: {one.assessed}" for one in asked.harms)),
        words.sentences(f"Distress: {asked.distress}"),
        words.sentences(f"Ethics: {study.ethics}"),
        words.sentences(f"Funding: {study.funding}"),
        words.sentences(f"Conflicts of interest: {study.conflicts}"),
        words.sentences(f"Involvement of the public: {study.public_involvement}")
        if study.public_involvement
        else None,
        _sharing(protocol.data_sharing),
        words.sentences(
            f"Waves: all are analysed together, each person once. {pooling.statement}",
            f"How the arms differ between waves is shown by the model `{pooling.heterogeneity}`",
        )
        if pooling
        else None,
        words.bullets("Limitations", study.limitations),
        words.bullets("Sources", (f"{one.label.rstrip('.')} ({one.location})" for one in study.sources)),
        assumed(plan),
        words.sentences(f"Contact: {study.contact}") if study.contact else None,
        registered(plan),
    )


def _sharing(sharing: DataSharing) -> str:
    return words.sentences(
        LEVELS[sharing.level],
        f"Data: {sharing.data}",
        f"Code: {sharing.code}",
        f"Materials: {sharing.materials}",
        f"Where: {sharing.where}" if sharing.where else None,
        f"When: {sharing.when}" if sharing.when else None,
        f"Licence: {sharing.licence}" if sharing.licence else None,
    )


def assumed(plan: Plan) -> str | None:
    """How many parts of the protocol its source does not state; None where there is none."""
    number = len(assumptions(plan.protocol))
    if not number:
        return None
    parts = f"{formatting.counted(number, 'part')} of the protocol {'is' if number == 1 else 'are'}"
    return words.sentence(f"{parts} marked as assumed: the study's sources do not state them")


def registered(plan: Plan) -> str:
    """The fingerprint and, of a locked study, the time of the lock and the commitments to the seeds."""
    return words.paragraphs(
        words.sentences(*_standing(plan)),
        words.bullets("Commitments to the secret seeds", _commitments(plan)),
        words.bullets("Timestamps by others (RFC 3161)", _timestamps(plan)),
    )


def fingerprint(plan: Plan) -> str:
    """The fingerprint of the plan as it stands, and whether it is locked."""
    locked = "not locked yet" if plan.registration is None else "locked"
    return words.sentence(f"Fingerprint of the protocol, {locked} (SHA-256): {plan.fingerprint}")


def _standing(plan: Plan) -> Iterator[str]:
    entry = plan.protocol.study.registry
    if entry:
        yield f"Registered at {entry.name}: {entry.id}"
    registration = plan.registration
    if registration is None:
        yield f"The protocol is not locked yet. Its fingerprint (SHA-256) is {plan.fingerprint}"
        return
    yield f"The protocol was locked on {formatting.moment(registration.locked_at)}"
    yield f"Its fingerprint (SHA-256) at the lock is {registration.fingerprint}"
    for amendment in registration.amendments:
        yield (
            f"Amendment {amendment.number} of {formatting.moment(amendment.amended_at)} has the fingerprint "
            f"{amendment.fingerprint}, for this reason: {amendment.reason}"
        )


def _commitments(plan: Plan) -> Iterator[str]:
    for seed in plan.registration.all_seeds if plan.registration else ():
        origin = "given by a person" if seed.supplied else "drawn by the machine"
        yield f"Wave {seed.wave}: {seed.commitment} (SHA-256 of nonce, seed and wave; {origin})"


def _timestamps(plan: Plan) -> Iterator[str]:
    for stamp in plan.registration.timestamps if plan.registration else ():
        yield f"{formatting.moment(stamp.at)}, {stamp.service}, of the record {stamp.record}"
