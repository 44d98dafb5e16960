"""The arm that each person received, as the sealed exports say; opened only after unblinding."""

import json
from collections.abc import Mapping

from forethought.errors import GateClosed
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.store import milestones, rows
from forethought.store.connection import Connection
from forethought.store.vault import Vault


def arms_received(con: Connection, folder: StudyFolder, protocol: Protocol) -> Mapping[str, str]:
    """Participant to the id of the arm received in the last conversation that names one.

    A code that the protocol does not know stands for itself. Raises GateClosed before unblinding.
    """
    if not milestones.unblinded(con):
        raise GateClosed("arm received", "the study is blinded", "Freeze and unblind it first")
    mapping = protocol.imports.conversations
    if mapping is None or mapping.received is None:
        return {}
    arms = {arm.code: arm.id for arm in protocol.arms}
    vault = Vault.open(folder)
    received: dict[str, str] = {}
    for person, nonce, ciphertext in rows.sealed(con, "conversations"):
        if person not in received:
            code = json.loads(vault.unseal(person, nonce, ciphertext)).get(mapping.received)
            if code:
                received[person] = arms.get(code, code)
    return received
