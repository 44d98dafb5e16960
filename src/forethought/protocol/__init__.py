"""The plan: a study as frozen values, its YAML file, its fingerprint, its folder.

Names are imported when first used (PEP 562), so that naming a folder does not build the whole vocabulary.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forethought.protocol.folder import StudyFolder
    from forethought.protocol.loading import LoadedProtocol, load, read_yaml, schema
    from forethought.protocol.protocol import Protocol

__all__ = ["LoadedProtocol", "Protocol", "StudyFolder", "load", "read_yaml", "schema"]

_HOMES = {
    "LoadedProtocol": "forethought.protocol.loading",
    "Protocol": "forethought.protocol.protocol",
    "StudyFolder": "forethought.protocol.folder",
    "load": "forethought.protocol.loading",
    "read_yaml": "forethought.protocol.loading",
    "schema": "forethought.protocol.loading",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'forethought.protocol' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
