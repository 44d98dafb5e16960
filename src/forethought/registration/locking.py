"""The lock: what was planned, fixed by hashes before the data, with each wave's secret seed committed to."""

import os
from collections.abc import Mapping
from datetime import datetime

from forethought.errors import NotLocked
from forethought.files import alone_in
from forethought.protocol.differences import differences
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import LoadedProtocol
from forethought.provenance import git_commit, software_versions
from forethought.registration import holdings
from forethought.registration import seeds as secret_seeds
from forethought.registration.designs import algorithm_of
from forethought.registration.document import Document, document_of, read, read_document, write
from forethought.registration.records import Registration, SeedCommitment
from forethought.registration.sealing import Sealing, prepared
from forethought.registration.seeds import RandomBytes
from forethought.registration.timestamps import Service, stamped

_NAMED = 5
"""How many changed fields a refusal names."""


def lock(
    folder: StudyFolder,
    loaded: LoadedProtocol,
    *,
    now: datetime,
    by: str,
    seeds: Mapping[int, bytes],
    supplied: bool,
    sealing: Sealing = Sealing(),  # noqa: B008 -- frozen
    random_bytes: RandomBytes = os.urandom,
    service: Service | None = None,
) -> Registration:
    """Register the protocol. Locked before with the same one: that registration, and nothing changes.

    NotLocked where another protocol is locked here. `seeds` holds 32 bytes for each wave of a randomised
    study, and is empty for another; `sealing` has what the design keeps secret beside them. Secrets are on the disk
    before the commitments are. With a `service`, what is written carries its timestamp, or nothing is written; a
    registration that lacks one is given it.
    """
    with alone_in(folder.path):
        document = read_document(folder.registration)
        if document is not None:
            check(folder, document.registration, loaded)
            return timestamped(folder, document, service).registration
        materials = holdings.material_hashes(folder, loaded.protocol)
        needed = secret_seeds.seedless_waves(loaded, None)
        fresh = secret_seeds.drawn(seeds, needed, supplied=supplied, random_bytes=random_bytes)
        ready = prepared(
            folder, loaded.protocol, fresh, sealing, committed=(), random_bytes=random_bytes
        )  # fmt: skip
        made = _registration(folder, loaded, now, by, materials, ready.published)
        document = stamped(document_of(made), service)
        secret_seeds.keep(folder, made.study_id, ready.secrets)
        write(folder, document)
    return document.registration


def require(folder: StudyFolder, loaded: LoadedProtocol) -> Registration:
    """The registration that protocol and materials fit; NotLocked says what does not."""
    registration = read(folder)
    if registration is None:
        raise NotLocked(str(folder.path), "the study is not locked", "Run `forethought lock` on it first")
    check(folder, registration, loaded)
    return registration


def check(folder: StudyFolder, registration: Registration, loaded: LoadedProtocol) -> None:
    """NotLocked where protocol or materials are not those of the plan that stands."""
    if registration.current_fingerprint != loaded.fingerprint:
        found = [one.words for one in differences(registration.current_protocol, loaded.data)]
        more = [f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
        when = f"amendment {len(registration.amendments)}" if registration.amendments else "the lock"
        raise NotLocked(
            str(folder.protocol),
            f"the protocol was edited after {when} ({'; '.join((*found[:_NAMED], *more))})",
            "Restore it, or run `forethought amend`",
        )
    holdings.check_materials(folder, registration.current_materials)


def timestamped(folder: StudyFolder, document: Document, service: Service | None) -> Document:
    """The document with a timestamp of its last record, written if it had none; without a service, as it is."""
    made = stamped(document, service)
    if made is not document:
        write(folder, made)
    return made


def _registration(
    folder: StudyFolder,
    loaded: LoadedProtocol,
    now: datetime,
    by: str,
    materials: dict[str, str],
    seeds: tuple[SeedCommitment, ...],
) -> Registration:
    protocol = loaded.protocol
    return Registration(
        study_id=protocol.study.id,
        fingerprint=loaded.fingerprint,
        protocol_sha256=loaded.raw_sha256,
        locked_at=now,
        locked_by=by,
        git_commit=git_commit(folder.path),
        materials=materials,
        scorers=holdings.scorer_hashes(loaded, materials),
        software=software_versions(),
        seeds=seeds,
        allocation_algorithm=algorithm_of(loaded.data),
        protocol=dict(loaded.data),
    )
