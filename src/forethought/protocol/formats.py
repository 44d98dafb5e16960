"""Older formats of the protocol, read as what they said then.

A file keeps the rules of the format that it names. Its fingerprint is of what it says, never of what is made of it
here, so that a later release cannot move it. What an older format did not ask for is said to be not stated.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from forethought.protocol.paths import spoken, value_at
from forethought.protocol.problems import Fault, KeyPath, listed, suggestion
from forethought.protocol.sentences import shown

CURRENT = "forethought-protocol/2"
FIRST = "forethought-protocol/1"

NOT_STATED = "Not stated: format 1 of the protocol did not ask."
NOT_TOLD_APART = "Not stated apart from the summary."

_NEWER_THAN_1: Mapping[tuple[str, ...], tuple[str, ...]] = {
    (): ("recruitment", "blinding", "wave_pooling", "raters", "data_sharing"),
    ("study",): (
        "background", "keywords", "contact", "type", "framework", "existing_data", "funding", "conflicts",
        "registry", "setting", "public_involvement",
    ),
    ("study", "authors"): ("orcid",),
    ("allocation",): ("unit", "dropouts", "seed", "concealment"),
    ("sessions",): ("materials",),
    ("outcomes",): ("reverse", "missing_items"),
    ("analysis",): ("populations", "sides", "estimands", "exploratory"),
    ("analysis", "models"): ("population", "pruning", "leaves_out"),
    ("analysis", "hypotheses"): ("corroborate_if", "falsify_if"),
}  # fmt: skip
_MAY_BE_UNSAID: tuple[KeyPath, ...] = (
    ("study", "existing_data", "status"),
    ("data_sharing", "level"),
    ("analysis", "missing_data", "assumption"),
)
_RULES_OF_1: Mapping[str, tuple[str, str]] = {
    "two_sided": (
        "p_adjusted < alpha and (ci_low > 0 or ci_high < 0)",
        "ci_low > -smallest_effect and ci_high < smallest_effect",
    )
}
_ONE_SIDE = ("p_adjusted < alpha and ci_low > 0", "ci_high < smallest_effect")

Data = dict[str, Any]


KNOWN = (FIRST, CURRENT)
"""The formats that this release reads."""


def upgraded(data: Mapping[str, object]) -> Mapping[str, object]:
    """The data as the current format says them; data of an unknown format are returned as they are."""
    upgrade = _UPGRADES.get(str(data.get("format")))
    return data if upgrade is None else upgrade(deepcopy(dict(data)))


def misnamed(data: Mapping[str, object]) -> str | None:
    """The key that was meant to be `format`, where none is spelt so."""
    if "format" in data:
        return None
    return next((key for key, value in data.items() if value in KNOWN), None)


def unknown(data: Mapping[str, object]) -> Fault | None:
    """What is wrong with the format that the data name: without it no other rule can be known."""
    if data.get("format") in KNOWN:
        return None
    reads = f"this release reads {listed(KNOWN)}"
    if "format" not in data:
        return Fault((), f"the protocol has no `format`; {reads}", f"Begin with `format: {CURRENT}`")
    named = data["format"]
    what = "format is empty" if named is None else f"format cannot be {shown(named)}"
    return Fault(("format",), f"{what}; {reads}", suggestion(named, KNOWN, f"Write `format: {CURRENT}`"))


def too_new(data: Mapping[str, object]) -> tuple[Fault, ...]:
    """Sections and keys that the format of the file did not have."""
    return tuple(_too_new(data)) if data.get("format") == FIRST else ()


def _too_new(data: Mapping[str, object]) -> Iterator[Fault]:
    for at, mapping in ((), data), *_places(data):
        newer = _NEWER_THAN_1.get(tuple(step for step in at if isinstance(step, str)), ())
        for key in newer:
            if key in mapping:
                remedy = f"Write `format: {CURRENT}` to use it, or remove it"
                yield Fault((*at, key), f"`{key}` is no {_noun(at)} of {FIRST}", remedy)


def _noun(at: KeyPath) -> str:
    return "key" if at else "section"


def _places(data: Mapping[str, object]) -> Iterator[tuple[KeyPath, Data]]:
    """The mappings inside sections that a later format gave more keys."""
    for path in filter(None, _NEWER_THAN_1):
        found = value_at(data, path)
        if isinstance(found, dict):
            yield path, found
        elif isinstance(found, list):
            for index, one in enumerate(found):
                if isinstance(one, dict):
                    yield (*path, index), one


def not_said(data: Mapping[str, object]) -> tuple[Fault, ...]:
    """What the current format asks for where the first one did not, and what only the first may leave unsaid."""
    return tuple(_not_said(data)) if data.get("format") == CURRENT else ()


def _not_said(data: Mapping[str, object]) -> Iterator[Fault]:
    raters = [("raters", index, "kind") for index, _ in enumerate(_mappings(data.get("raters")))]
    for at in (*_MAY_BE_UNSAID, *raters):
        if value_at(data, at) == "not_stated":
            what = f"{spoken(at, data)} is `not_stated`; only a protocol of format 1 may leave this unsaid"
            yield Fault(at, what, "State it")
    waves = data.get("waves")
    several = isinstance(waves, list) and len(waves) > 1
    if several and isinstance(data.get("allocation"), dict) and "wave_pooling" not in data:
        what = "there are several waves and no `wave_pooling`"
        yield Fault(("waves",), what, "Add it: how the waves become one analysis, and how they may differ")


def origin(at: KeyPath, data: Mapping[str, object]) -> KeyPath:
    """Where the file itself says what the upgraded data say at this place."""
    if data.get("format") != FIRST:
        return at
    if at[:2] == ("analysis", "populations"):
        return ("analysis", "population")
    if at[:2] == ("analysis", "estimands") and len(at) > 2:
        hypotheses = value_at(data, ("analysis", "hypotheses"))
        told = [
            index
            for index, one in enumerate(hypotheses if isinstance(hypotheses, list) else ())
            if isinstance(one, dict) and isinstance(one.get("estimand"), str)
        ]
        return ("analysis", "hypotheses", told[int(at[2])], "estimand")
    return at


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
        _analysis_from_1(analysis, likely="intention_to_treat" if randomised else "all_records")
    data.setdefault("recruitment", deepcopy(_RECRUITMENT))
    data.setdefault("blinding", deepcopy(_BLINDING if randomised else _NOBODY_BLINDED))
    data.setdefault("data_sharing", deepcopy(_DATA_SHARING))
    scorers = [one.get("scorer") for one in _mappings(data.get("outcomes")) if one.get("kind") == "rated"]
    if named := tuple(dict.fromkeys(map(str, filter(None, scorers)))):
        data.setdefault(
            "raters", [{"id": one, "kind": "not_stated", "description": NOT_STATED} for one in named]
        )
    return data


def _analysis_from_1(analysis: Data, *, likely: str) -> None:
    meant = analysis.get("population")
    known = isinstance(meant, str) and meant in _POPULATIONS
    analysis.setdefault("populations", [dict(_POPULATIONS[str(meant) if known else likely])])
    if "missing_data" in analysis and not isinstance(analysis["missing_data"], dict):
        said = analysis["missing_data"]
        analysis["missing_data"] = {
            "assumption": "not_stated", "method": "available_records", "statement": said
        }  # fmt: skip
    estimands: dict[str, Data] = {}
    for hypothesis in _mappings(analysis.get("hypotheses")):
        corroborates, falsifies = _RULES_OF_1.get(str(hypothesis.get("direction")), _ONE_SIDE)
        hypothesis.setdefault("corroborate_if", corroborates)
        hypothesis.setdefault("falsify_if", falsifies)
        named, said = hypothesis.get("id"), hypothesis.get("estimand")
        if isinstance(said, str):
            free = _is_name(named) and named not in estimands
            name = str(named) if free else f"estimand_{len(estimands) + 1}"
            estimands[name] = _estimand(name, said)
            hypothesis["estimand"] = name
    if estimands:
        analysis.setdefault("estimands", [*estimands.values()])


def _is_name(text: object) -> bool:
    """Whether the text can be a name, so that it may name the estimand too."""
    return (
        isinstance(text, str)
        and text.isascii()
        and text.isidentifier()
        and text[0] != "_"
        and len(text) <= 64
    )


def _estimand(name: object, said: str) -> Data:
    """The prose of format 1, in which the five attributes are not told apart."""
    apart = NOT_TOLD_APART
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
_NOBODY_BLINDED: Data = {
    **dict.fromkeys(("participants", "deliverers", "raters", "analysts"), False),
    "how": "Nothing is allocated that could be hidden.",
}
_DATA_SHARING: Data = {
    "level": "not_stated",
    "data": NOT_STATED,
    "code": NOT_STATED,
    "materials": NOT_STATED,
}
_UPGRADES: Mapping[str, Callable[[Data], Data]] = {FIRST: _from_1}
