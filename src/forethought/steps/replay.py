"""Replay a study's allocation, or the record of one: every arm drawn again from the revealed seeds."""

from dataclasses import dataclass
from pathlib import Path

from forethought.errors import GateClosed, VerificationFailed, WrongUsage
from forethought.protocol.folder import StudyFolder
from forethought.store.connection import DEFAULT_WAIT, reading
from forethought.verification.archive import opened, save
from forethought.verification.records import AllocationRecord, of_study
from forethought.verification.replaying import Answer, Replayed, WaveReplay, replay, revealed_waves


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The answer to a replay, and the file that its record was saved to."""

    where: str
    agreed: bool
    revealed: bool
    replayed: Replayed
    saved: Path | None

    def lines(self) -> list[str]:
        """The answer in sentences, every row that differs among them."""
        found = [f"{self.where}: {problem}." for problem in self.replayed.problems]
        if not self.replayed.problems:
            found.append("The ledger is whole, and the registration agrees with it.")
        for wave in self.replayed.waves:
            found += _of_wave(wave)
        return [*found, *([str(self.saved)] if self.saved else [])]

    def require(self) -> None:
        """VerificationFailed where anything differs; GateClosed where there is nothing to hold it against yet."""
        if not self.agreed:
            rows = sum(wave.differing for wave in self.replayed.waves)
            are = "allocation is" if rows == 1 else "allocations are"
            what = f"{rows:,} {are} not what the seeds give" if rows else "it is not what was registered"
            raise VerificationFailed(
                self.where,
                what,
                "Compare it with a copy from before; the lines above say what differs",
            )
        if not self.revealed:
            raise GateClosed(
                self.where,
                "no wave is unblinded yet, so there is no seed to replay from",
                "`forethought monitor` says whether the seeds agree, and shows none of them",
            )


def check(path: Path, *, save_to: Path | None = None, wait: float = DEFAULT_WAIT) -> Checked:
    """Replay a study's folder, or the zip that `save_to` makes of it. Writes nothing else; may be run by anyone.

    GateClosed for a study that allocates nobody, and where a record would be saved before any wave is unblinded.
    """
    record = _study(path, wait) if path.is_dir() else _file(path, save_to)
    replayed = replay(record)
    done = Checked(
        where=str(path),
        agreed=replayed.agreed,
        revealed=replayed.revealed,
        replayed=replayed,
        saved=save_to,
    )
    if save_to is not None:
        waves = revealed_waves(record)
        if not waves:
            done.require()
        save(record.of_waves(waves), save_to)
    return done


def _study(path: Path, wait: float) -> AllocationRecord:
    folder = StudyFolder.open(path)
    with reading(folder, wait) as con:
        record = of_study(con, folder)
    if not record.registration.all_seeds:
        raise GateClosed(str(path), "this study is not randomised", "There is no allocation to replay")
    return record


def _file(path: Path, save_to: Path | None) -> AllocationRecord:
    if not path.exists():
        raise WrongUsage(
            str(path), "there is no such file or folder", "Give a study's folder, or a saved record"
        )
    if save_to is not None:
        raise WrongUsage("--save", "this is a saved record already", "Leave out --save, or give the study")
    return opened(path)


def _of_wave(wave: WaveReplay) -> list[str]:
    name = f"Wave {wave.wave}"
    if wave.answer is Answer.NOT_REVEALED:
        return [f"{name}: not unblinded yet, so its seed is secret."]
    if wave.answer is Answer.AGREED:
        return [f"{name}: all {wave.allocations:,} allocations are what the revealed seed gives."]
    head = f"{name}: {wave.differing:,} of {wave.allocations:,} allocations DIFFER from what the seed gives."
    return [
        *([head] if wave.differences else []),
        *(f"{name}: {problem}." for problem in wave.problems),
        *(f"  {one.words}." for one in wave.differences),
    ]
