"""What the sections of a protocol say of each other: every contradiction, with the place of the offending value."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from forethought.protocol.checks import (
    design,
    imports,
    inference,
    materials,
    models,
    names,
    outcomes,
    references,
    simulation,
)
from forethought.protocol.problems import Fault
from forethought.protocol.protocol import Protocol

Check = Callable[[Protocol], Iterable[Fault]]

CHECKS: tuple[Check, ...] = (
    *names.CHECKS,
    *design.CHECKS,
    *imports.CHECKS,
    *outcomes.CHECKS,
    *models.CHECKS,
    *references.CHECKS,
    *inference.CHECKS,
    *simulation.CHECKS,
)


def faults(protocol: Protocol, folder: Path) -> Iterator[Fault]:
    """Every fault of a protocol whose shape is right. `folder` is where its materials lie."""
    yield from chain.from_iterable(check(protocol) for check in CHECKS)
    yield from materials.faults(protocol, folder)
