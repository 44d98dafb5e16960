"""The forms of registries under chance: whatever a valid protocol says, each question has its answer, whole."""

import json
from copy import deepcopy
from importlib.resources import files
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from forethought.protocol import plain_yaml, shipped
from forethought.protocol.checks import faults
from forethought.protocol.formats import upgraded
from forethought.protocol.paths import value_at
from forethought.protocol.shape import examine
from forethought.protocol.vocabulary import required_at
from forethought.reports.forms.aspredicted import LONGEST, aspredicted, fitted
from forethought.reports.forms.aspredicted import QUESTIONS as ASPREDICTED_QUESTIONS
from forethought.reports.forms.form import Filled, Plan
from forethought.reports.forms.osf import osf
from forethought.reports.forms.osf_schema import QUESTIONS

DATA: dict[str, Any] = {name: plain_yaml.parse(shipped.text(name)).data for name in shipped.names()}
MATERIALS = {name: Path(str(files("forethought.protocols").joinpath(name, "materials"))) for name in DATA}
CHOICES: dict[str, tuple[object, ...]] = {
    "type": ("experiment", "observational", "meta_analysis", "other"),
    "framework": ("superiority", "equivalence", "noninferiority", "exploratory"),
    "status": ("prior_to_creation", "prior_to_analysis", "following_analysis", "not_stated"),
    "participants": (True, False),
    "deliverers": (True, False),
    "analysts": (True, False),
    "direction": ("greater", "less", "better", "two_sided"),
    "level": ("open", "on_request", "none", "not_stated"),
    "method": ("none", "holm"),
    "assumption": ("mcar", "mar", "mnar", "not_stated"),
    "strategy": ("treatment_policy", "hypothetical", "principal_stratum"),
    "anchor": ("allocation", "previous_session"),
    "drawn_by": ("forethought", "statistician", "either"),
    "opens": (0, 1, 5),
    "closes": (180, 1440, 10000),
    "target": (1, 60, 90),
}
TEXTS = ("title", "summary", "description", "statement", "label", "reason", "rationale", "ethics", "question")

REQUIRED = [f"{one.id}.question" if one.kind == "object" else one.id for one in QUESTIONS if one.required]
ASPREDICTED = [one.id for one in ASPREDICTED_QUESTIONS]

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1)
few = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values, inner and outer."""
    items: Any = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    return [path for key, inner in items for path in ((*at, key), *paths(inner, (*at, key)))]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A shipped protocol with some fields removed, some choices made otherwise and some texts by chance."""
    name = draw(st.sampled_from(sorted(DATA)))
    data = deepcopy(DATA[name])
    for _ in range(draw(st.integers(0, 12))):
        at = draw(st.sampled_from(paths(data)))
        around: Any = value_at(data, at[:-1])
        key = at[-1]
        if isinstance(key, str) and key not in required_at(at[:-1], data) and draw(st.booleans()):
            del around[key]
        elif key in CHOICES and isinstance(around[key], str | bool | int):
            around[key] = draw(st.sampled_from(CHOICES[str(key)]))
        elif key in TEXTS:
            around[key] = draw(texts)
    found = examine(upgraded(data)).protocol
    assume(found is not None and not list(faults(found, MATERIALS[name])))
    assert found is not None
    return Plan(protocol=found, fingerprint="f" * 64, registration=None)


def responses(filled: Filled) -> dict[str, Any]:
    payload: Any = json.loads(json.dumps(dict(filled.payload)))
    found = payload["data"]["attributes"]["registration_responses"]
    assert isinstance(found, dict)
    return found


@given(plans())
@few
def test_every_question_that_osf_requires_has_an_answer(plan: Plan) -> None:
    answers = responses(osf(plan))
    assert [key for key in REQUIRED if not "".join(answers.get(key, "")).strip()] == []


@given(plans())
@few
def test_osf_is_told_each_hypothesis_and_the_title_word_for_word(plan: Plan) -> None:
    text = osf(plan).text
    said = [plan.protocol.study.title, *(one.statement for one in plan.protocol.analysis.hypotheses)]
    assert [one for one in said if one not in text] == []


@given(plans())
@few
def test_aspredicted_fits_the_page_or_says_by_how_much_it_does_not(plan: Plan) -> None:
    filled = aspredicted(plan)
    length = sum(map(len, responses(filled).values()))
    told = [line for line in filled.warnings if "longer than the 3,200" in line]
    assert bool(told) == (length > LONGEST)
    assert [line for line in told if f"{length - LONGEST:,} character" not in line] == []


@given(chance=st.data())
@few
def test_a_sound_protocol_by_chance_is_answered_by_both_forms(
    protocols: st.SearchStrategy[dict[str, Any]], chance: st.DataObject
) -> None:
    found = examine(upgraded(chance.draw(protocols))).protocol
    assert found is not None
    plan = Plan(protocol=found, fingerprint="f" * 64, registration=None)
    for filled, required in ((osf(plan), REQUIRED), (aspredicted(plan), ASPREDICTED)):
        answers = responses(filled)
        assert [key for key in required if not "".join(answers.get(key, "")).strip()] == []
        assert found.study.title in filled.text


versions = st.dictionaries(
    st.sampled_from("abcdef"),
    st.lists(st.integers(0, 60).map(lambda size: "x" * size), min_size=1, max_size=4),
    min_size=1,
)


@given(versions, st.integers(0, 300))
def test_an_answer_could_not_be_fuller_than_it_is(answers: dict[str, list[str]], room: int) -> None:
    ordered = {name: sorted(texts, key=len, reverse=True) for name, texts in answers.items()}
    chosen = fitted(ordered, room)
    length = sum(map(len, chosen.values()))
    for name, texts in ordered.items():
        assert chosen[name] in texts
        fuller = [text for text in texts if len(text) > len(chosen[name])]
        if length <= room and fuller:
            assert length - len(chosen[name]) + len(fuller[-1]) > room
        if length > room:
            assert len(chosen[name]) == len(texts[-1])
