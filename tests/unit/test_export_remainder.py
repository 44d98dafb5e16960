"""What a form has no question for, and what only some protocols say: each in words, or not at all."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from forethought.protocol import plain_yaml, shipped
from forethought.protocol.formats import upgraded
from forethought.protocol.shape import examine
from forethought.registration import Registration
from forethought.registration.records import SeedCommitment, Timestamp
from forethought.reports.forms import design, measures, remainder, sampling
from forethought.reports.forms.form import Plan

DATA: Any = plain_yaml.parse(shipped.text("lend_an_ear")).data
LOCKED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def plan(registration: Registration | None = None, **sections: object) -> Plan:
    """Lend an Ear with other sections: `study={...}` is laid over what the section says."""
    data = deepcopy(DATA)
    for name, value in sections.items():
        data[name] = {**data[name], **value} if isinstance(value, dict) and name in data else value
    found = examine(upgraded(data))
    assert found.protocol is not None, found.faults
    return Plan(protocol=found.protocol, fingerprint="a" * 64, registration=registration)


def registration(**given: Any) -> Registration:
    return Registration(
        study_id="lend_an_ear",
        fingerprint="b" * 64,
        protocol_sha256="c" * 64,
        locked_at=LOCKED,
        locked_by="ann",
        git_commit=None,
        materials={},
        software={},
        seeds=(SeedCommitment(wave=1, commitment="d" * 64, supplied=True),),
        allocation_algorithm=None,
        protocol={},
        **given,
    )


POOLING = {"method": "together", "statement": "The same people are asked.", "heterogeneity": "by_wave"}
QUOTA = {"id": "q", "variable": "sex", "value": "Female", "at_most": 1200, "reason": "enough women"}
RATER = {
    "id": "judge",
    "kind": "language_model",
    "description": "It reads.",
    "model": "some-model-1",
    "temperature": 0.0,
    "repeats": 3,
    "rubric": "rubric.md",
    "blinded_to": ["arm"],
}

SAID: list[tuple[dict[str, Any], Callable[[Plan], str], str]] = [
    (
        {"wave_pooling": POOLING},
        remainder.other,
        (
            "Waves: all are analysed together, each person once. The same people are asked. How the arms differ between "
            "waves is shown by the model `by_wave`."
        ),
    ),
    (
        {"study": {"registry": {"name": "OSF", "id": "abc12"}}},
        remainder.other,
        "Registered at OSF: abc12.",
    ),
    ({"study": {"public_involvement": "Twice."}}, remainder.other, "Involvement of the public: Twice."),
    ({"study": {"funding": "None"}}, remainder.other, "Funding: None."),
    (
        {"data_sharing": {"level": "open", "data": "All.", "licence": "CC0", "where": "OSF"}},
        remainder.other,
        "The data are open to everyone. Data: All. ",
    ),
    (
        {"recruitment": {"quotas": [QUOTA]}},
        sampling.procedures,
        "1. each wave takes at most 1,200 whose sex is “Female”; others are counted as “enough women”.",
    ),
    ({"study": {"setting": "A laboratory"}}, sampling.procedures, "Setting: A laboratory."),
    (
        {"raters": [RATER]},
        measures.measured,
        (
            "judge (a language model, model some-model-1, temperature 0, 3 ratings of each conversation, rubric in "
            "rubric.md, not told the arm): It reads."
        ),
    ),
    (
        {"raters": [{**RATER, "blinded_to": ["arm", "session"]}]},
        design.blinding,
        "The rater judge is not told the arm or the session.",
    ),
    (
        {"stimuli": {"sessions": ["conversation_1"]}},
        design.study_design,
        "in these sessions: First conversation",
    ),
]


@pytest.mark.parametrize(
    ("sections", "answer", "text"), SAID, ids=lambda value: str(getattr(value, "__name__", value))[:30]
)
def test_what_the_protocol_says_is_told(
    sections: dict[str, Any], answer: Callable[[Plan], str], text: str
) -> None:
    assert text in answer(plan(**sections))


@pytest.mark.parametrize("label", ["Waves: ", "Registered at ", "Licence: ", "Quotas", "Timestamps"])
def test_what_the_protocol_does_not_say_is_not_told(label: str) -> None:
    of = plan()
    assert label not in remainder.other(of) + sampling.procedures(of)


def test_a_lock_is_told_with_its_time_its_fingerprint_and_its_commitments() -> None:
    text = remainder.registered(plan(registration()))
    assert "The protocol was locked on 2026-03-02 09:00 UTC." in text
    assert f"Its fingerprint (SHA-256) at the lock is {'b' * 64}." in text
    assert f"- Wave 1: {'d' * 64} (SHA-256 of nonce, seed and wave; given by a person)." in text


def test_a_timestamp_is_told_with_its_service_and_its_time() -> None:
    given = {"record": "e" * 64, "service": "https://time.example", "at": LOCKED, "token": "", "root": ""}
    stamp = Timestamp.model_validate(given)
    text = remainder.registered(plan(registration(timestamps=(stamp,))))
    assert f"- 2026-03-02 09:00 UTC, https://time.example, of the record {'e' * 64}." in text


def test_who_locked_the_plan_is_not_told() -> None:
    assert "ann" not in remainder.registered(plan(registration())).split()


def test_the_parts_that_are_assumed_are_counted() -> None:
    number = json.dumps(DATA).count('"assumed": true')
    assert number > 20
    assert remainder.assumed(plan()) == (
        f"{number} parts of the protocol are marked as assumed: the study's sources do not state them."
    )
