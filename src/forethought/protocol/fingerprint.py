"""The fingerprint: what a protocol says, as one hash."""

import hashlib

from forethought.files import canonical_json


def fingerprint(data: object) -> str:
    """SHA-256, in lower-case hex, of the canonical JSON (RFC 8785) of what the file says.

    Comments, the order of keys and the layout do not matter; any value does. Defaults are not filled in, so that
    a later release that adds one leaves the fingerprints of today's protocols as they are.
    """
    return hashlib.sha256(canonical_json(data)).hexdigest()
