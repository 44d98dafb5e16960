"""What the sections of a protocol say of each other: every contradiction, with the place of the offending value."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from forethought.protocol.checks import (
    allocation,
    design,
    estimands,
    hypotheses,
    imports,
    inference,
    materials,
    methods,
    models,
    names,
    outcomes,
    pruning,
    raters,
    recruitment,
    references,
    simulation,
    together,
    waves,
)
from forethought.protocol.checks.cautions import cautions
from forethought.protocol.checks.check import Check
from forethought.protocol.problems import Fault
from forethought.protocol.protocol import Protocol

__all__ = ["CHECKS", "cautions", "faults"]

CHECKS: tuple[Check, ...] = (
    *names.CHECKS,
    *design.CHECKS,
    *allocation.CHECKS,
    *methods.CHECKS,
    *together.CHECKS,
    *waves.CHECKS,
    *imports.CHECKS,
    *recruitment.CHECKS,
    *raters.CHECKS,
    *outcomes.CHECKS,
    *estimands.CHECKS,
    *models.CHECKS,
    *pruning.CHECKS,
    *references.CHECKS,
    *hypotheses.CHECKS,
    *inference.CHECKS,
    *materials.CHECKS,
    *simulation.CHECKS,
)


def faults(protocol: Protocol, folder: Path, *, unsound: frozenset[str] = frozenset()) -> Iterator[Fault]:
    """Every fault of a protocol whose shape is right. `folder` is where its materials lie.

    What rests on one of the unsound sections, in which something else stands than the author's, is not judged.
    """
    unknown = unsound | _lacking(protocol)
    able = (one for one in CHECKS if one.can_judge(unsound if one.find in _TELL_WHAT_LACKS else unknown))
    yield from chain.from_iterable(check.find(protocol) for check in able)
    if "materials" not in unsound:
        yield from materials.missing_files(protocol, folder)


_TELL_WHAT_LACKS = frozenset(
    {design.arms_fit_the_allocation, imports.people_come_from_somewhere, recruitment.quotas_can_be_counted}
)
"""The checks that report an absent section, so that no other needs to."""


def _lacking(protocol: Protocol) -> frozenset[str]:
    """Sections without which there is no study: one fault each, of which many others would follow."""
    people = "recruits" if protocol.randomised else "responses"
    lacking = {f"imports.{people}"} if getattr(protocol.imports, people) is None else set[str]()
    if protocol.randomised and not protocol.arms:
        lacking.add("arms")
    return frozenset(lacking)
