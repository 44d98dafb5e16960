"""Who acts, and when: made here, handed to the steps as arguments."""

import getpass
from datetime import UTC, datetime


def actor() -> str:
    """The user's name, as the ledger records it."""
    return getpass.getuser()


def wall_clock() -> datetime:
    """The present time, in UTC."""
    return datetime.now(UTC)
