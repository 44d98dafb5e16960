"""Older formats of the protocol, read as what they said then.

A file keeps the rules of the format that it names. Its fingerprint is of what it says, never of what is made of it
here, so that a later release cannot move it. What an older format did not ask for is said to be not stated.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from forethought.protocol.problems import Fault, suggestion

CURRENT = "forethought-protocol/2"
FIRST = "forethought-protocol/1"

NOT_STATED = "Not stated: format 1 of the protocol did not ask."

_SECTIONS_OF_1 = (
    "format", "study", "waves", "arms", "allocation", "sessions", "stimuli", "materials", "imports", "outcomes",
    "preparation", "analysis", "simulation",
)  # fmt: skip
_RULES_OF_1: Mapping[str, tuple[str, str]] = {
    "two_sided": (
        "p_adjusted < alpha and (ci_low > 0 or ci_high < 0)",
        "ci_low > -smallest_effect and ci_high < smallest_effect",
    )
}
_ONE_SIDE = ("p_adjusted < alpha and ci_low > 0", "ci_high < smallest_effect")

Data = dict[str, Any]


def upgraded(data: Mapping[str, object]) -> Mapping[str, object]:
    """The data as the current format says them; data of an unknown format are returned as they are."""
    upgrade = _UPGRADES.get(str(data.get("format")))
    return data if upgrade is None else upgrade(deepcopy(dict(data)))


def too_new(data: Mapping[str, object]) -> tuple[Fault, ...]:
    """Sections that the format of the file did not have."""
    if data.get("format") != FIRST:
        return ()
    return tuple(
        Fault((key,), f"`{key}` is no section of {FIRST}", suggestion(key, _SECTIONS_OF_1, _NEWER))
        for key in data
        if key not in _SECTIONS_OF_1
    )


_NEWER = f"Write `format: {CURRENT}` to use it, or remove it"


def _from_1(data: Data) -> Data:
    """Format 1 had estimands and missing data as prose, one population, and nothing on recruitment or sharing."""
    data["format"] = CURRENT
    randomised = isinstance(data.get("allocation"), dict)
    if isinstance(study := data.get("study"), dict):
        study.setdefault("type", "experiment" if randomised else "observational")
        study.setdefault("framework", "superiority" if randomised else "exploratory")
        study.setdefault("existing_data", {"status": "not_stated", "explanation": NOT_STATED})
        study.setdefault("funding", NOT_STATED)
        study.setdefault("conflicts", NOT_STATED)
    if isinstance(allocation := data.get("allocation"), dict):
        allocation.setdefault(
            "dropouts", {"count": "everyone_allocated", "replace": "never", "statement": NOT_STATED}
        )
        allocation.setdefault("seed", {"drawn_by": "either", "revealed": "at_unblinding"})
        allocation.setdefault("concealment", NOT_STATED)
    if isinstance(analysis := data.get("analysis"), dict):
        _analysis_from_1(analysis)
    data.setdefault("recruitment", deepcopy(_RECRUITMENT))
    data.setdefault("blinding", deepcopy(_BLINDING))
    data.setdefault("data_sharing", deepcopy(_DATA_SHARING))
    scorers = [one.get("scorer") for one in _mappings(data.get("outcomes")) if one.get("kind") == "rated"]
    if named := [one for one in dict.fromkeys(map(str, filter(None, scorers)))]:
        data.setdefault(
            "raters", [{"id": one, "kind": "not_stated", "description": NOT_STATED} for one in named]
        )
    return data


def _analysis_from_1(analysis: Data) -> None:
    if analysis.get("population") in _POPULATIONS:
        analysis.setdefault("populations", [dict(_POPULATIONS[analysis["population"]])])
    if isinstance(said := analysis.get("missing_data"), str):
        analysis["missing_data"] = {
            "assumption": "not_stated", "method": "available_records", "statement": said
        }  # fmt: skip
    estimands = []
    for hypothesis in _mappings(analysis.get("hypotheses")):
        corroborates, falsifies = _RULES_OF_1.get(str(hypothesis.get("direction")), _ONE_SIDE)
        hypothesis.setdefault("corroborate_if", corroborates)
        hypothesis.setdefault("falsify_if", falsifies)
        if isinstance(said := hypothesis.get("estimand"), str) and "id" in hypothesis:
            estimands.append(_estimand(hypothesis["id"], said))
            hypothesis["estimand"] = hypothesis["id"]
    if estimands:
        analysis.setdefault("estimands", estimands)


def _estimand(name: object, said: str) -> Data:
    """The prose of format 1, in which the five attributes are not told apart."""
    apart = "Not stated apart from the summary."
    event = {"event": apart, "strategy": "treatment_policy", "handling": apart}
    return {
        "id": name,
        "treatment": apart,
        "population": apart,
        "variable": apart,
        "intercurrent_events": [event],
        "summary": said,
    }


def _mappings(items: object) -> list[Data]:
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


_POPULATIONS: Mapping[object, Mapping[str, str]] = {
    "intention_to_treat": {
        "id": "intention_to_treat",
        "label": "Intention to treat",
        "rule": "randomised",
    },
    "all_records": {"id": "all_records", "label": "All records", "rule": "all_records"},
}
_RECRUITMENT: Data = {
    "population": NOT_STATED,
    "procedure": NOT_STATED,
    "compensation": NOT_STATED,
    "consent": {"procedure": NOT_STATED},
    "sample_size": {"rationale": NOT_STATED, "stopping": {"rule": "fixed", "statement": NOT_STATED}},
    "distress": NOT_STATED,
}
_BLINDING: Data = {
    "participants": False,
    "deliverers": False,
    "raters": False,
    "analysts": True,
    "how": "Analyses use a placebo allocation until the unblinding. Format 1 did not ask for more.",
}
_DATA_SHARING: Data = {
    "level": "not_stated",
    "data": NOT_STATED,
    "code": NOT_STATED,
    "materials": NOT_STATED,
}
_UPGRADES: Mapping[str, Callable[[Data], Data]] = {FIRST: _from_1}
