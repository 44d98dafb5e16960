"""The secrets of a study: who is behind a pseudonym, and the keys that seal raw rows.

All of it lies in `secrets/` (0700, its files 0600), none of it in the database or a bundle. Each participant
has a key of his own, so that destroying one key destroys one person's raw rows and no other's.
"""

import base64
import hmac
import os
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from forethought.errors import VerificationFailed, WrongUsage
from forethought.files import write_atomically
from forethought.protocol.folder import StudyFolder
from forethought.store.journal import Journal

RandomBytes = Callable[[int], bytes]

_KEY_FILES = ("pseudonym.key", "ledger.salt", "study.key")
_KEY_BYTES, _NONCE_BYTES = 32, 12
_PSEUDONYM_LENGTH = 16


class Vault:
    """The open secrets of one study. Use it inside `writing`: what it appends is durable before the commit."""

    def __init__(self, secrets: Path, random_bytes: RandomBytes = os.urandom) -> None:
        self._secrets = secrets
        self._random_bytes = random_bytes
        self._identities = Journal(secrets / "identities.jsonl", name="participant_id", value="source_id")
        self._keys = Journal(secrets / "keys.jsonl", name="participant_id", value="key")
        self._ciphers: dict[str, AESGCM] = {}

    @classmethod
    def create(cls, folder: StudyFolder, random_bytes: RandomBytes = os.urandom) -> "Vault":
        """Make the folder and the keys that are missing; keys that are there stay as they are."""
        folder.secrets.mkdir(mode=0o700, exist_ok=True)
        folder.secrets.chmod(0o700)
        for name in _KEY_FILES:
            if not (folder.secrets / name).exists():
                write_atomically(folder.secrets / name, random_bytes(_KEY_BYTES).hex() + "\n", mode=0o600)
        return cls(folder.secrets, random_bytes)

    @classmethod
    def open(cls, folder: StudyFolder, random_bytes: RandomBytes = os.urandom) -> "Vault":
        """The vault that `create` made; WrongUsage where a key is gone, for a new one would rename everybody."""
        for name in _KEY_FILES:
            if not (folder.secrets / name).is_file():
                raise WrongUsage(
                    str(folder.secrets / name),
                    "this secret of the study is missing",
                    "Restore the secrets folder from a backup",
                )
        return cls(folder.secrets, random_bytes)

    def pseudonym(self, source_id: str) -> str:
        """The participant id of a person: the same for the same id of the source, and not to be turned back."""
        digest = hmac.digest(self._pseudonym_key, source_id.encode(), "sha256")
        return "p" + base64.b32encode(digest)[:_PSEUDONYM_LENGTH].decode().lower()

    def remember(self, identities: Mapping[str, str]) -> None:
        """Keep who is behind each pseudonym; on the disk when it returns, and safe to repeat."""
        self._identities.add(identities)

    def identities(self) -> Mapping[str, str]:
        """Pseudonym to the source's own id, of everyone remembered."""
        return dict(self._identities.known())

    def keys_for(self, participant_ids: Iterable[str]) -> None:
        """Make the keys that these people do not have yet; on the disk when it returns."""
        known = self._keys.known()
        missing = [
            participant_id for participant_id in dict.fromkeys(participant_ids) if participant_id not in known
        ]
        if missing:
            self._keys.add(
                {participant_id: self._random_bytes(_KEY_BYTES).hex() for participant_id in missing}
            )

    def seal(self, participant_id: str | None, row: bytes) -> tuple[bytes, bytes]:
        """Nonce and ciphertext of a raw row, under the person's key (the study's where it names nobody).

        The pseudonym is authenticated with it: a payload moved to another person does not open.
        """
        if participant_id is not None and participant_id not in self._ciphers:
            self.keys_for((participant_id,))
        nonce = self._random_bytes(_NONCE_BYTES)
        return nonce, self._cipher(participant_id).encrypt(nonce, row, _bound_to(participant_id))

    def unseal(self, participant_id: str | None, nonce: bytes, ciphertext: bytes) -> bytes:
        """The raw row; VerificationFailed where it was altered, or its key is gone."""
        try:
            return self._cipher(participant_id).decrypt(nonce, ciphertext, _bound_to(participant_id))
        except InvalidTag as error:
            raise VerificationFailed(
                f"payload of {participant_id or 'the study'}",
                "it is not what was sealed, or was sealed with another key",
                "Restore the database and the secrets folder from the same backup",
            ) from error

    def row_hash(self, row: bytes) -> str:
        """HMAC-SHA256 of a raw row's canonical JSON: shows a change, tells nothing to who has no salt."""
        return hmac.digest(self._ledger_salt, row, "sha256").hex()

    @cached_property
    def _pseudonym_key(self) -> bytes:
        return self._secret("pseudonym.key")

    @cached_property
    def _ledger_salt(self) -> bytes:
        return self._secret("ledger.salt")

    @cached_property
    def _study_cipher(self) -> AESGCM:
        return AESGCM(self._secret("study.key"))

    def _secret(self, name: str) -> bytes:
        return bytes.fromhex((self._secrets / name).read_text().strip())

    def _cipher(self, participant_id: str | None) -> AESGCM:
        if participant_id is None:
            return self._study_cipher
        if participant_id not in self._ciphers:
            key = self._keys.known().get(participant_id)
            if key is None:
                raise VerificationFailed(
                    f"payload of {participant_id}",
                    "this participant has no key",
                    "Restore the secrets folder; the key of one who withdrew is gone for good",
                )
            self._ciphers[participant_id] = AESGCM(bytes.fromhex(key))
        return self._ciphers[participant_id]


def _bound_to(participant_id: str | None) -> bytes:
    return b"study" if participant_id is None else f"participant/{participant_id}".encode()
