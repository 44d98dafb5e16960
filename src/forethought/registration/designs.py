"""What of a plan decides who gets which arm: fixed once somebody has one."""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter

from forethought.files import canonical_json
from forethought.protocol.allocation import Allocation, Design, NoAllocation, Randomization, algorithm, exact
from forethought.protocol.formats import upgraded

LEVELS = "imports.recruits.variables"
"""Of a list drawn ahead: the levels of its strata, for each of which it has places."""

_DECISIVE = (
    "method", "unit", "cluster", "ratio", "initial_simple", "caps", "drawn", "list_length", "strata", "size",
    "block_sizes", "chance", "tolerance", "block_size", "factors", "imbalance", "variables", "criterion", "at_most",
    "most_draws",
)  # fmt: skip
_DECISIVE_OF_DROPOUTS = ("count", "in_progress_minutes", "replace")


def allocation_of(data: Mapping[str, object]) -> Design | NoAllocation:
    """The allocation of a plan as its file says it, of whatever format; what it does not say has its default."""
    said = upgraded(data)["allocation"]
    design: Design | NoAllocation = _parser().validate_json(canonical_json(said))
    return design


def algorithm_of(data: Mapping[str, object]) -> str | None:
    """The newest arithmetic for the design of this plan; None where nobody is allocated."""
    design = allocation_of(data)
    return algorithm(design) if isinstance(design, Randomization) else None


def changed(before: Mapping[str, object], now: Mapping[str, object]) -> tuple[str, ...]:
    """The fields of the second plan that would draw arms otherwise than the first; of another method that alone."""
    was, becomes = _decisive(before), _decisive(now)
    found = tuple(name for name in {**was, **becomes} if was.get(name) != becomes.get(name))
    if "allocation.method" in found:
        return ("allocation.method",)
    return tuple(name for name in found if name != LEVELS or "allocation.drawn" not in found)


def _decisive(data: Mapping[str, object]) -> Mapping[str, object]:
    design = allocation_of(data)
    said = design.model_dump()
    if "chance" in said:
        said["chance"] = exact(said["chance"])
    found = {f"allocation.{name}": said.get(name) for name in _DECISIVE}
    if isinstance(design, Randomization):
        rules = design.dropouts.model_dump()
        found |= {f"allocation.dropouts.{name}": rules[name] for name in _DECISIVE_OF_DROPOUTS}
        if design.drawn == "ahead":
            found[LEVELS] = _levels(data, design.covariates)
    return found


def _levels(data: Mapping[str, object], names: tuple[str, ...]) -> Mapping[str, object]:
    imports = cast("Mapping[str, Any]", upgraded(data).get("imports", {}))
    variables = imports.get("recruits", {}).get("variables", ())
    return {one["name"]: one.get("levels", []) for one in variables if one["name"] in names}


@cache
def _parser() -> TypeAdapter[Any]:
    return TypeAdapter(Allocation)
