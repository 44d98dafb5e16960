"""The list that is drawn and sealed at the lock: its hash, its rows, and who comes to its places."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forethought import registration
from forethought.errors import VerificationFailed
from forethought.protocol.allocation import Design, PermutedBlocks, Randomization, algorithm
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.randomization.arrivals import Arrivals, Before, Drawn, Source
from forethought.randomization.sealed_list import (
    OpenedRecord,
    SealedRecord,
    Spot,
    check,
    drawn_ahead,
    list_hash,
    record_key,
    strata_of,
    unseal,
)
from forethought.registration import Registration, Seed
from forethought.store import sealed_list
from forethought.store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """Draws the list of a wave from its secrets; by the registration's algorithm, where there is one already."""

    protocol: Protocol
    registered: Registration | None

    def sha256(self, wave: int, secrets: Seed) -> str:
        """The SHA-256 of the wave's sealed records."""
        return list_hash(self.records(wave, secrets))

    def records(self, wave: int, secrets: Seed) -> Sequence[SealedRecord]:
        """The wave's sealed records, the same each time."""
        design = self.protocol.allocation
        if not isinstance(design, Randomization) or secrets.list_key is None:
            raise ValueError("no list is drawn ahead")
        if isinstance(design, PermutedBlocks) and secrets.block_sizes is not None:
            design = design.model_copy(update={"block_sizes": secrets.block_sizes})
        named = self.registered.current_algorithm if self.registered else None
        source = Source(
            seed=bytes.fromhex(secrets.seed),
            study_id=self.protocol.study.id,
            wave=wave,
            algorithm=named or algorithm(design),
        )
        return drawn_ahead(design, source, self._strata(design), bytes.fromhex(secrets.list_key))

    def _strata(self, design: Design) -> tuple[str, ...]:
        recruits = self.protocol.imports.recruits
        levels = {one.name: one.levels for one in recruits.variables} if recruits else {}
        return strata_of(design, levels)


def complete_lists(
    con: Connection, folder: StudyFolder, protocol: Protocol, registered: Registration
) -> None:
    """Write the list of each wave that was committed to and has no record yet. Safe to repeat.

    VerificationFailed where the secrets give another list than the one whose hash was published.
    """
    there, lists = sealed_list.waves(con), ListOf(protocol=protocol, registered=registered)
    for one in registered.all_seeds:
        if one.list_sha256 is None or one.wave in there:
            continue
        records = lists.records(one.wave, registration.committed(folder, one.wave)[0])
        if list_hash(records) != one.list_sha256:
            raise VerificationFailed(
                f"wave {one.wave}, sealed list",
                "the list that these secrets give is not the one whose hash was registered",
                "Restore the secrets folder from a backup of after the lock",
            )
        sealed_list.put(con, one.wave, records)


def drawn_from_list(
    con: Connection, folder: StudyFolder, design: Design, source: Source, arrivals: Arrivals, before: Before
) -> Drawn:
    """The arms of the next places of each stratum's list, each opened by itself; -1 where the list is used up.

    The whole list is first compared with the hash that was registered: VerificationFailed names the wave, the stratum
    and the place of a record that was altered, moved or taken out. Nothing is opened that nobody has come to.
    """
    key, published = registration.list_secret(folder, source.wave)
    records = sealed_list.of_wave(con, source.wave)
    check(key, source.study_id, source.wave, design.list_length or 0, records, published)
    by_place = {(one.stratum, one.place): one for one in records}
    opened: dict[tuple[str, int], OpenedRecord] = {}
    arms, found = tuple(sorted(design.ratio)), []
    for label, place, arm in _places(arrivals, before):
        record = by_place.get((label, place))
        if record is not None and (label, place) not in opened:
            spot = Spot(study_id=source.study_id, wave=source.wave, stratum=label, place=place)
            opened[label, place] = unseal(record_key(key, spot), spot, record)
        known = None if arm is None else OpenedRecord(arm=arm, probability=np.nan, block=0, position=0)
        found.append(known or opened.get((label, place)))
    return _drawn(arms, found)


def _places(arrivals: Arrivals, before: Before) -> Iterator[tuple[str, int, str | None]]:
    """Each arrival's stratum and place, from 1; place 0 and the arm, of a cluster that has one already."""
    taken: dict[str, int] = {}
    for tally in before.tallies:
        taken[tally.stratum] = taken.get(tally.stratum, 0) + tally.placed
    units: dict[str, tuple[str, int]] = {}
    for index, code in enumerate(arrivals.codes.tolist()):
        unit = arrivals.units[index] if arrivals.units is not None else None
        if unit is not None and unit in before.units:
            label, arm = before.units[unit]
            yield label, 0, arm
            continue
        label = arrivals.labels[code]
        own = None if unit is None else units.get(unit)
        if own is None:
            taken[label] = taken.get(label, 0) + 1
            own = (label, taken[label])
            if unit is not None:
                units[unit] = own
        yield *own, None


def _drawn(arms: tuple[str, ...], found: Sequence[OpenedRecord | None]) -> Drawn:
    codes: Mapping[str, int] = {arm: code for code, arm in enumerate(arms)}
    return Drawn(
        arms=arms,
        arm=np.array([-1 if one is None else codes[one.arm] for one in found], dtype=np.int8),
        probability=np.array([np.nan if one is None else one.probability for one in found], dtype=np.float64),
        block=np.array([0 if one is None else one.block for one in found], dtype=np.int32),
        position=np.array([0 if one is None else one.position for one in found], dtype=np.int32),
    )
