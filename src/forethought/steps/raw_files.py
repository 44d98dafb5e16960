"""The files themselves, once imported: kept in `secrets/raw/`, and gone from the inbox."""

from contextlib import suppress
from pathlib import Path

from forethought.files import sha256_file, sync_folder, write_atomically
from forethought.protocol.folder import StudyFolder


def keep_raw(folder: StudyFolder, file: Path, data: bytes, sha256: str) -> Path:
    """Keep the file's bytes under their hash; only a file of the study's inbox leaves its place.

    Safe to repeat: it completes what a crash after the import's commit left undone.
    """
    folder.raw.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = folder.raw / f"{sha256[:12]}-{file.name}"
    if not (kept.is_file() and sha256_file(kept) == sha256):
        write_atomically(kept, data, mode=0o600)
    # a service may have written the inbox's file anew since it was read: that one is still to come in
    # and another process that imported the same file may have taken it away already
    if _in_inbox(folder, file):
        with suppress(FileNotFoundError):
            if sha256_file(file) == sha256:
                file.unlink()
                sync_folder(file.parent)
    return kept


def _in_inbox(folder: StudyFolder, file: Path) -> bool:
    return file.resolve().is_relative_to(folder.inbox.resolve())
