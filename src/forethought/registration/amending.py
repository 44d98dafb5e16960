"""Amendments: a plan is changed in the open, by a record chained to the one before it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

from forethought.errors import NotLocked
from forethought.files import alone_in
from forethought.protocol.differences import differences
from forethought.protocol.folder import StudyFolder
from forethought.protocol.formats import upgraded
from forethought.protocol.loading import LoadedProtocol
from forethought.provenance import git_commit, software_versions
from forethought.registration import designs, holdings
from forethought.registration import seeds as secret_seeds
from forethought.registration.document import Document, appended, read_document, write
from forethought.registration.locking import timestamped
from forethought.registration.records import (
    Amendment,
    DeclaredDeviation,
    Difference,
    Registration,
    SeedCommitment,
    Stage,
)
from forethought.registration.sealing import Sealing, drawn_ahead, prepared, seals_blocks
from forethought.registration.seeds import RandomBytes
from forethought.registration.timestamps import Service, stamped


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why the plan is amended, what is declared with it, and what had happened by then."""

    reason: str
    declared: tuple[DeclaredDeviation, ...]
    after: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """The registration, and the amendment of it that was asked for: None where there was nothing to amend.

    `already` where the very amendment was made before.
    """

    registration: Registration
    amendment: Amendment | None
    already: bool


def amend(
    folder: StudyFolder,
    loaded: LoadedProtocol,
    why: Why,
    *,
    now: datetime,
    by: str,
    seeds: Mapping[int, bytes],
    supplied: bool,
    sealing: Sealing = Sealing(),  # noqa: B008 -- frozen
    random_bytes: RandomBytes = os.urandom,
    service: Service | None = None,
) -> Amended:
    """Append what changed since the plan that stands, and what is declared. Amended twice, nothing changes.

    NotLocked where there is no lock, or where the change cannot be amended. `seeds` holds 32 bytes for each wave
    that `seedless_waves` names; `sealing` has what the design keeps secret beside them. With a `service`, what is written carries its timestamp, or nothing is written.
    """
    with alone_in(folder.path):
        document = _locked(folder)
        registration = document.registration
        _refuse_the_unamendable(folder, registration, loaded, why.after)
        materials = holdings.material_hashes(folder, loaded.protocol)
        found = tuple(_changes(registration, loaded, materials))
        made = _made_before(registration, why)
        if not found and (made is not None or not why.declared):
            document = timestamped(folder, document, service)
            return Amended(registration=document.registration, amendment=made, already=made is not None)
        needed = secret_seeds.seedless_waves(loaded, registration)
        ready = prepared(
            folder,
            loaded.protocol,
            secret_seeds.drawn(seeds, needed, supplied=supplied, random_bytes=random_bytes),
            sealing,
            committed={one.wave for one in registration.all_seeds},
            random_bytes=random_bytes,
        )
        amendment = _amendment(folder, document, loaded, why, now, by, materials, found, ready.published)
        document = stamped(appended(document, "amendments", amendment), service)
        secret_seeds.keep(folder, registration.study_id, ready.secrets)
        write(folder, document)
    return Amended(registration=document.registration, amendment=amendment, already=False)


def _locked(folder: StudyFolder) -> Document:
    document = read_document(folder.registration)
    if document is None:
        raise NotLocked(
            str(folder.path),
            "the study is not locked, so there is nothing to amend",
            "Edit the protocol as you like, then run `forethought lock`",
        )
    return document


def _made_before(registration: Registration, why: Why) -> Amendment | None:
    """The amendment that was made with this reason and these declarations, the latest of several."""
    same = (
        one for one in registration.amendments if (one.reason, one.declared) == (why.reason, why.declared)
    )
    return max(same, key=lambda one: one.number, default=None)


def _changes(
    registration: Registration, loaded: LoadedProtocol, materials: Mapping[str, str]
) -> Iterator[Difference]:
    """What differs from the plan that stands: its fields, then its files."""
    fields = set()
    for one in differences(registration.current_protocol, loaded.data):
        fields.add(one.field)
        yield Difference(**asdict(one))
    before = registration.current_materials
    for name in dict.fromkeys((*before, *materials)):
        was, now, field = before.get(name), materials.get(name), f"materials.{name}"
        if was is not None and now is not None and was != now:
            words = f"the file materials/{name} was changed"
            yield Difference(field=field, change="changed", before=was, after=now, words=words)
        elif was is None and field not in fields:
            words = f"the file materials/{name} was added"
            yield Difference(field=field, change="added", before=None, after=now, words=words)
        elif now is None and field not in fields:
            words = f"the file materials/{name} was taken out"
            yield Difference(field=field, change="removed", before=was, after=None, words=words)


def _amendment(
    folder: StudyFolder,
    document: Document,
    loaded: LoadedProtocol,
    why: Why,
    now: datetime,
    by: str,
    materials: dict[str, str],
    found: Sequence[Difference],
    seeds: tuple[SeedCommitment, ...],
) -> Amendment:
    registration = document.registration
    redesigned = designs.changed(registration.current_protocol, loaded.data)
    return Amendment(
        number=len(registration.amendments) + 1,
        parent=registration.current_fingerprint,
        previous=document.record_hashes[-1],
        fingerprint=loaded.fingerprint,
        protocol_sha256=loaded.raw_sha256,
        protocol=dict(loaded.data),
        differences=tuple(found),
        declared=why.declared,
        reason=why.reason,
        amended_at=now,
        amended_by=by,
        git_commit=git_commit(folder.path),
        materials=materials,
        scorers=holdings.scorer_hashes(loaded, materials),
        software=software_versions(),
        seeds=seeds,
        after=why.after,
        allocation_algorithm=designs.algorithm_of(loaded.data) if redesigned else None,
    )


def _refuse_the_unamendable(
    folder: StudyFolder, registration: Registration, loaded: LoadedProtocol, after: Stage
) -> None:
    """NotLocked where the new plan would move a random stream, or lose a wave that was registered."""
    if loaded.protocol.study.id != registration.study_id:
        raise NotLocked(
            str(folder.protocol),
            f"study.id was changed from {registration.study_id} to {loaded.protocol.study.id}, "
            "and it is part of every random stream",
            "Restore it, or start a new study folder for another study",
        )
    before = upgraded(registration.current_protocol)
    waves = {wave.number for wave in loaded.protocol.waves}
    for number in (wave["number"] for wave in cast("list[dict[str, Any]]", before["waves"])):
        if number not in waves:
            raise NotLocked(
                str(folder.protocol),
                f"wave {number} was taken out, and it was registered",
                "Put it back, and say in its note that it is not run",
            )
    _refuse_a_new_design(folder, registration, loaded, after)


def _refuse_a_new_design(
    folder: StudyFolder, registration: Registration, loaded: LoadedProtocol, after: Stage
) -> None:
    """NotLocked where somebody is allocated by the design that stands, or where its secrets are sealed for it."""
    changed = designs.changed(registration.current_protocol, loaded.data)
    design = designs.allocation_of(loaded.data)
    if not changed:
        return
    if after.first_allocation:
        raise NotLocked(
            str(folder.protocol),
            f"{' and '.join(changed)} cannot be amended once somebody is allocated: "
            "the next arms would be drawn by another rule than those before them",
            "Restore it, or start a new study folder for the new design",
        )
    if registration.all_seeds and (seals_blocks(design) or drawn_ahead(design)):
        raise NotLocked(
            str(folder.protocol),
            f"{' and '.join(changed)} cannot be amended to a design that seals its block sizes or its list: "
            "what is sealed is sealed once, when a wave's seed is committed",
            "Restore it, or start a new study folder for the new design: nobody is allocated yet",
        )
