"""How Prefect is set before it is first imported: quiet, offline, in a home of its own.

A temporary server's recorder prints tracebacks while it is being stopped, the heartbeat thread holds
every flow for a second, and a persisted result could hold an arm: all three are switched off here.
A setting that is already in the environment stays.
"""

import os
from pathlib import Path

QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}


def home(cache: Path) -> Path:
    """Forethought's own Prefect home below a cache folder: kept between runs, so that they start sooner."""
    return cache / "forethought" / "prefect"


def prepare_environment() -> None:
    """Set what Prefect reads when it is imported; call this before the first import of a flow."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if "PREFECT_API_URL" not in os.environ and "PREFECT_HOME" not in os.environ:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        place = home(cache)
        place.mkdir(parents=True, exist_ok=True)
        os.environ["PREFECT_HOME"] = str(place)
