"""The plan as registries ask for it: every question is answered, nothing is cut, and nothing secret gets out."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from forethought.protocol import plain_yaml, shipped
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.formats import upgraded
from forethought.protocol.shape import examine
from forethought.reports.forms.aspredicted import LONGEST, aspredicted, fitted
from forethought.reports.forms.form import Filled, Plan
from forethought.reports.forms.osf import osf
from forethought.reports.forms.osf_schema import QUESTIONS

OLD = Path(__file__).parents[1] / "golden" / "protocols" / "format_1"
TEXTS = {name: shipped.text(name) for name in shipped.names()} | {
    f"{file.stem} in format 1": file.read_bytes() for file in sorted(OLD.glob("*.yaml"))
}
DATA: dict[str, Any] = {name: plain_yaml.parse(text).data for name, text in TEXTS.items()}

OBJECTS = ("q6", "q10", "q14", "q15", "q16", "q17")
REQUIRED = ("q2", "q3", "q4", "q6", "q8", "q10", "q11", "q15", "q17")
EXISTING = {
    "prior_to_creation": ("Registration prior to creation of data", "No, no data"),
    "prior_to_observation": ("Registration prior to any human observation of the data", "It's complicated."),
    "prior_to_access": ("Registration prior to accessing the data", "It's complicated."),
    "prior_to_analysis": ("Registration prior to analysis of the data", "It's complicated."),
    "following_analysis": ("Registration following analysis of the data", "Yes, we already"),
}
NO_BLINDING = "No blinding is involved in this study."
BLINDED = {
    "participants": "For studies that involve human subjects, they will not know the treatment group",
    "deliverers": "Personnel who interact directly with the study subjects",
    "analysts": "Personnel who analyze the data collected from the study are not aware",
}
STRANGE = '<b>bold</b> & "quoted" | *stars* [link](x) `code` # no heading \\n ±5 %'


def plan(data: Any) -> Plan:
    found = examine(upgraded(data))
    assert found.protocol is not None, found.faults
    return Plan(protocol=found.protocol, fingerprint=fingerprint(data), registration=None)


def changed(name: str = "lend_an_ear", **at: object) -> Plan:
    """A shipped protocol with other values: `study__title="x"` says study.title."""
    data = deepcopy(DATA[name])
    for path, value in at.items():
        *around, key = path.split("__")
        inner = data
        for step in around:
            inner = inner[int(step)] if step.isdigit() else inner[step]
        inner[key] = value
    return plan(data)


def responses(filled: Filled) -> dict[str, Any]:
    payload: Any = filled.payload
    found = payload["data"]["attributes"]["registration_responses"]
    assert isinstance(found, dict)
    return found


def both(of: Plan) -> str:
    """All that the two forms say, as text and as JSON."""
    filled = (aspredicted(of), osf(of))
    return "\n".join(one.text + json.dumps(dict(one.payload), ensure_ascii=False) for one in filled)


# --- OSF Preregistration


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("question", REQUIRED)
def test_every_question_that_osf_requires_has_an_answer(name: str, question: str) -> None:
    key = f"{question}.question" if question in OBJECTS else question
    answer = responses(osf(plan(DATA[name])))[key]
    assert "".join(answer).strip()


def test_the_required_questions_are_those_of_version_3() -> None:
    assert tuple(one.id for one in QUESTIONS if one.required) == REQUIRED
    assert tuple(one.id for one in QUESTIONS if one.kind == "object") == OBJECTS


def test_each_question_of_version_3_is_two_further_in_version_2() -> None:
    assert [(one.id, one.former) for one in QUESTIONS] == [(f"q{n}", f"q{n + 2}") for n in range(2, 24)]


def test_the_text_has_every_question_once_in_its_order_with_its_id_in_version_2() -> None:
    text = osf(plan(DATA["lend_an_ear"])).text
    headings = [line for line in text.splitlines() if line.startswith("## q")]
    assert headings == [f"## {one.id} {one.title} (version 2: {one.former})" for one in QUESTIONS]
    assert "## q2 Hypotheses (version 2: q4)" in headings


@pytest.mark.parametrize("name", DATA)
def test_a_response_has_the_flat_key_and_the_type_that_osfs_validator_takes(name: str) -> None:
    for key, answer in responses(osf(plan(DATA[name]))).items():
        question, _, part = key.partition(".")
        if part == "uploader":
            assert (question in OBJECTS, answer) == (True, [])
        elif key == "q4":
            assert isinstance(answer, list)
        else:
            assert (part == "question") == (question in OBJECTS)
            assert isinstance(answer, str)


def test_the_payload_is_a_draft_registration_with_title_description_and_tags() -> None:
    payload: Any = osf(changed(study__keywords=["empathy", "training"], study__background="Why.")).payload
    data = payload["data"]
    assert data["type"] == "draft_registrations"
    assert data["attributes"]["title"] == DATA["lend_an_ear"]["study"]["title"]
    assert data["attributes"]["tags"] == ["empathy", "training"]
    assert data["attributes"]["description"].endswith("\n\nWhy.")


@pytest.mark.parametrize("status", EXISTING)
def test_existing_data_are_chosen_in_the_words_of_each_form(status: str) -> None:
    of = changed(study__existing_data={"status": status, "explanation": "Nobody looked."})
    in_osf, in_aspredicted = EXISTING[status]
    assert responses(osf(of))["q8"] == in_osf
    assert responses(aspredicted(of))["data"].startswith(in_aspredicted)
    assert "Nobody looked." in responses(osf(of))["q9"]


def test_of_data_that_are_not_stated_the_weakest_claim_is_made_and_said() -> None:
    filled = osf(plan(DATA["lend_an_ear in format 1"]))
    assert responses(filled)["q8"] == "Registration following analysis of the data"
    assert [line for line in filled.warnings if "study.existing_data" in line] == list(filled.warnings) != []


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        (
            "experiment",
            "Experiment - A researcher randomly assigns treatments to study subjects, this includes",
        ),
        (
            "observational",
            "Observational Study - Data is collected from study subjects that are not randomly",
        ),
        ("meta_analysis", "Meta-Analysis - A systematic review of published studies."),
        ("other", "Other"),
    ],
)
def test_the_study_type_is_chosen_in_osfs_words(kind: str, begins: str) -> None:
    assert responses(osf(changed(study__type=kind)))["q3"].startswith(begins)


@pytest.mark.parametrize("blind", [(), ("analysts",), ("participants", "deliverers"), tuple(BLINDED)])
def test_blinding_is_chosen_for_each_who_does_not_know(blind: tuple[str, ...]) -> None:
    who = {name: name in blind for name in (*BLINDED, "raters")}
    chosen = responses(osf(changed(blinding={**who, "how": "So."})))["q4"]
    expected = [BLINDED[name] for name in blind] or [NO_BLINDING]
    assert len(chosen) == len(expected)
    assert all(option.startswith(begins) for option, begins in zip(chosen, expected, strict=True))


def test_blinded_raters_alone_are_told_in_words_and_a_warning_says_why() -> None:
    who = dict.fromkeys(BLINDED, False)
    filled = osf(changed(blinding={**who, "raters": True, "how": "Masked."}))
    assert responses(filled)["q4"] == [NO_BLINDING]
    assert "Those who rate outcomes do not know the arms." in responses(filled)["q5"]
    assert len(filled.warnings) == 1


def test_without_hypotheses_the_form_says_that_nothing_is_claimed() -> None:
    data = deepcopy(DATA["sleepstudy"])
    data["analysis"]["hypotheses"] = []
    assert responses(osf(plan(data)))["q2"].startswith("No hypothesis is tested")


# --- AsPredicted


@pytest.mark.parametrize("name", DATA)
def test_the_answers_of_the_shipped_studies_fit_one_page(name: str) -> None:
    filled = aspredicted(plan(DATA[name]))
    assert sum(map(len, responses(filled).values())) <= LONGEST
    assert [line for line in filled.warnings if "longer than" in line] == []


def test_what_cannot_fit_is_kept_whole_and_a_warning_counts_what_is_over() -> None:
    long = "A claim that goes on and on. " * 200 + "And ends here"
    filled = aspredicted(changed("sleepstudy", analysis__hypotheses__0__statement=long))
    over = sum(map(len, responses(filled).values())) - LONGEST
    assert over > 0
    assert long in filled.text
    assert (
        f"{over:,} characters longer than the 3,200 of one page, and nothing was cut." in filled.warnings[0]
    )


def test_the_questions_are_numbered_as_the_form_numbers_them() -> None:
    text = aspredicted(plan(DATA["sleepstudy"])).text
    titles = [line for line in text.splitlines() if line.split(")")[0].isdigit()]
    assert [title.split(")")[0] for title in titles] == [str(n) for n in range(1, 11)]
    assert titles[7] == "8) Anything else you would like to pre-register?"


def test_hypotheses_that_differ_in_their_outcomes_alone_are_told_together() -> None:
    answer = responses(aspredicted(plan(DATA["lend_an_ear"])))["hypothesis"]
    assert answer.startswith(
        "6 primary hypotheses of one form, on Validating emotions, Encouraging elaboration, "
    )


def test_a_study_of_another_type_is_described() -> None:
    answers = responses(aspredicted(changed("sleepstudy", study__type="other", study__summary="A diary.")))
    assert (answers["study_type"], answers["study_type_other"]) == ("Other (describe below)", "A diary.")


ANSWERS = {"a": ("aaaaaaaaaa", "aaaaa", "a"), "b": ("bbbbbb", "bbbbb"), "c": ("cc",)}


@pytest.mark.parametrize(
    ("room", "lengths"),
    [
        (18, [10, 6, 2]),  # all in full
        (17, [5, 6, 2]),  # the answer that saves most gives way, and no other
        (9, [1, 6, 2]),
        (8, [1, 5, 2]),
        (3, [1, 5, 2]),  # nothing more to shorten
    ],
)
def test_answers_are_as_full_as_the_room_allows(room: int, lengths: list[int]) -> None:
    assert [len(text) for text in fitted(ANSWERS, room).values()] == lengths


def test_room_that_the_last_step_leaves_goes_to_the_answers_again() -> None:
    answers = {"small": ("s" * 10, "s" * 6), "large": ("l" * 30, "l" * 27, "l" * 7)}
    assert [len(text) for text in fitted(answers, 20).values()] == [10, 7]


# --- both


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("form", [osf, aspredicted])
def test_no_answer_has_a_stop_too_many_or_an_empty_place(name: str, form: Any) -> None:
    text = form(plan(DATA[name])).text
    found = [wrong for wrong in ("..", ". .", ".).", "()", " ,", ":.", "  ") if wrong in text]
    assert found == []


@pytest.mark.parametrize("field", ["study__title", "study__summary", "study__ethics", "arms__0__description"])
def test_signs_of_markup_come_through_unharmed(field: str) -> None:
    filled = osf(changed(**{field: STRANGE}))
    assert STRANGE in filled.text
    assert STRANGE in json.loads(json.dumps([str(dict(filled.payload)), filled.text]))[1]
    assert any(STRANGE in str(value) for value in _leaves(dict(filled.payload)))


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [leaf for item in items for leaf in _leaves(item)]
    return [value]


def test_no_form_tells_the_sizes_of_blocks() -> None:
    said = both(changed(allocation__block_sizes=[40404, 80808]))
    assert [size for size in ("40404", "80808", "40,404", "80,808") if size in said] == []
    assert "The sizes of the blocks are withheld until the end" in said


def test_no_form_tells_a_note_of_an_assumption() -> None:
    assert "a private remark" not in both(changed(allocation__note="a private remark"))


def test_an_unlocked_study_says_so_with_its_fingerprint() -> None:
    of = plan(DATA["sleepstudy"])
    told = f"The protocol is not locked yet. Its fingerprint (SHA-256) is {of.fingerprint}."
    assert told in osf(of).text
