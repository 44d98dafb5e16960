"""Older formats are read as what they said; a format that is not known, and what a format did not have, is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol import plain_yaml
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.loading import LoadedProtocol, load

OLD = Path(__file__).parents[1] / "golden" / "protocols" / "format_1"
STUDIES = sorted(one.stem for one in OLD.glob("*.yaml"))
EAR = (OLD / "lend_an_ear.yaml").read_text(encoding="utf-8")


def load_text(text: str, folder: Path) -> LoadedProtocol:
    file = folder / "protocol.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file)


@pytest.fixture
def told(tmp_path: Path) -> Callable[[str], list[str]]:
    """The problems of a text, without the file's name."""

    def told(text: str) -> list[str]:
        with pytest.raises(ProtocolInvalid) as caught:
            load_text(text, tmp_path)
        return [problem.removeprefix("protocol.yaml:") for problem in caught.value.problems]

    return told


def swapped(old: str, new: str, text: str = EAR) -> tuple[str, int]:
    """The text with one change, and its line."""
    assert text.count(old) == 1
    return text.replace(old, new), text[: text.index(old)].count("\n") + 1


def test_three_studies_of_format_1_are_kept() -> None:
    assert STUDIES == ["lend_an_ear", "manybabies1", "sleepstudy"]


@pytest.mark.parametrize("name", STUDIES)
def test_a_protocol_of_format_1_is_still_read(name: str) -> None:
    assert load(OLD / f"{name}.yaml").protocol.study.id == name


@pytest.mark.parametrize("name", STUDIES)
def test_the_fingerprint_is_of_what_the_file_says_and_not_of_what_is_made_of_it(name: str) -> None:
    loaded = load(OLD / f"{name}.yaml")
    assert loaded.data["format"] == "forethought-protocol/1"
    assert loaded.fingerprint == fingerprint(plain_yaml.parse((OLD / f"{name}.yaml").read_bytes()).data)


def test_what_format_1_did_not_ask_is_not_stated() -> None:
    protocol = load(OLD / "lend_an_ear.yaml").protocol
    assert protocol.data_sharing.level == "not_stated"
    assert protocol.study.existing_data.status == "not_stated"
    assert protocol.analysis.missing_data.assumption == "not_stated"
    assert [(rater.id, rater.kind, rater.rubric) for rater in protocol.raters] == [
        ("llm_judge", "not_stated", None)
    ]


def test_two_waves_of_format_1_need_no_word_on_pooling(tmp_path: Path) -> None:
    data: Any = plain_yaml.parse(EAR.encode()).data
    data["waves"].append(data["waves"][0] | {"number": 2})
    assert len(load_text(json.dumps(data), tmp_path).protocol.waves) == 2


@pytest.mark.parametrize("section", ["recruitment", "blinding", "wave_pooling", "raters", "data_sharing"])
def test_a_section_of_format_2_in_a_file_of_format_1_is_refused(
    told: Callable[[str], list[str]], section: str
) -> None:
    text, line = swapped("\nwaves:\n", f"\n{section}: x\nwaves:\n")
    said = (
        f"{line + 1}: `{section}` is no section of forethought-protocol/1. "
        "Write `format: forethought-protocol/2` to use it, or remove it."
    )
    assert said in told(text)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("  id: lend_an_ear\n", "  id: lend_an_ear\n  funding: Someone pays.\n", "funding"),
        ("  strata: [sex]\n", "  strata: [sex]\n  concealment: Nobody looks.\n", "concealment"),
        ("      role: secondary\n      cluster: participant\n", "      role: secondary\n      leaves_out: {sex: So.}\n      cluster: participant\n", "leaves_out"),
        ("  population: intention_to_treat\n", "  population: intention_to_treat\n  sides: two\n", "sides"),
    ],
)  # fmt: skip
def test_a_key_of_format_2_in_a_file_of_format_1_is_refused(
    told: Callable[[str], list[str]], old: str, new: str, key: str
) -> None:
    text, line = swapped(old, new)
    at = line + new[: new.index(f"{key}:")].count("\n")
    said = f"{at}: `{key}` is no key of forethought-protocol/1. Write `format: forethought-protocol/2` to use it, or remove it."
    assert told(text) == [said]


READS = "this release reads `forethought-protocol/1` and `forethought-protocol/2`"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("format: forethought-protocol/3", f"format cannot be `forethought-protocol/3`; {READS}. Did you mean `forethought-protocol/2`?"),
        ("format: forethought_protocol/1", f"format cannot be `forethought_protocol/1`; {READS}. Did you mean `forethought-protocol/1`?"),
        ("format: 2", f"format cannot be `2`; {READS}. Write `format: forethought-protocol/2`."),
        ("format:", f"format is empty; {READS}. Write `format: forethought-protocol/2`."),
        ("format: [a]", f"format cannot be a list; {READS}. Write `format: forethought-protocol/2`."),
    ],
)  # fmt: skip
def test_an_unknown_format_is_one_problem_and_no_flood(
    told: Callable[[str], list[str]], written: str, said: str
) -> None:
    text, line = swapped("format: forethought-protocol/1", written)
    assert told(text) == [f"{line}: {said}"]


def test_a_missing_format_is_one_problem_and_no_flood(told: Callable[[str], list[str]]) -> None:
    text, _ = swapped("format: forethought-protocol/1\n", "")
    line = text[: text.index("study:")].count("\n") + 1
    assert told(text) == [
        f"{line}: the protocol has no `format`; {READS}. Begin with `format: forethought-protocol/2`."
    ]


def test_a_misspelt_key_of_the_format_is_one_problem(told: Callable[[str], list[str]]) -> None:
    text, line = swapped("format: forethought-protocol/1", "formt: forethought-protocol/1")
    assert told(text) == [f"{line}: `formt` is no key of the protocol. Did you mean `format`?"]


UNSAID: list[tuple[tuple[str | int, ...], str]] = [
    (("study", "existing_data", "status"), "study.existing_data.status"),
    (("data_sharing", "level"), "data_sharing.level"),
    (("analysis", "missing_data", "assumption"), "analysis.missing_data.assumption"),
    (("raters", 0, "kind"), "raters.judge.kind"),
]


@pytest.mark.parametrize(("at", "spoken"), UNSAID)
def test_only_format_1_may_leave_something_unsaid(
    told: Callable[[str], list[str]], tmp_path: Path, at: tuple[str | int, ...], spoken: str
) -> None:
    whole = Path(__file__).parent / "protocol_faults" / "whole.yaml"
    data: Any = plain_yaml.parse(whole.read_bytes()).data
    inner = data
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = "not_stated"
    if at[0] == "raters":
        for key in ("prompt", "model", "temperature"):
            inner.pop(key)
    text = json.dumps(data, indent=1)
    line = plain_yaml.parse(text.encode()).line(at)
    said = f"{line}: {spoken} is `not_stated`; only a protocol of format 1 may leave this unsaid. State it."
    assert told(text) == [said]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  population: intention_to_treat\n", "  population: intention_to_tread\n", "`intention_to_tread` is no population. Did you mean `intention_to_treat`?"),
        ("  population: intention_to_treat\n", "  population: all_records\n", "the population `all_records` is of records without arms, but arms are allocated. Write randomised, every_session or sessions_in_window."),
        ("  population: intention_to_treat\n", "  populatoin: intention_to_treat\n", "`populatoin` is no key of analysis. Did you mean `population`?"),
        ("\nanalysis:\n", "\nanalyses:\n", "`analyses` is no key of the protocol. Did you mean `analysis`?"),
    ],
)  # fmt: skip
def test_faults_of_a_file_of_format_1_are_told_in_its_own_places(
    told: Callable[[str], list[str]], old: str, new: str, said: str
) -> None:
    text, line = swapped(old, new)
    assert told(text) == [f"{line + old.startswith(chr(10))}: {said}"]


def test_an_empty_estimand_of_format_1_is_found_at_its_hypothesis(told: Callable[[str], list[str]]) -> None:
    text = (OLD / "sleepstudy.yaml").read_text(encoding="utf-8")
    start, end = text.index("      estimand: >-"), text.index("      assumed: true\n      note: The smallest")
    line = text[:start].count("\n") + 1
    (said,) = told(text[:start] + "      estimand: ''\n" + text[end:])
    assert said.startswith(f"{line}: ")
    assert said.endswith(" is empty. Write a value, or remove the key.")


@pytest.mark.parametrize("value", ["5", "[a]", "true"])
def test_prose_of_format_1_that_is_no_text_is_told_on_its_line(
    told: Callable[[str], list[str]], value: str
) -> None:
    text = (OLD / "sleepstudy.yaml").read_text(encoding="utf-8")
    old = "  missing_data: No value is missing in these data; a record without one would be left out.\n"
    (said,) = told(text.replace(old, f"  missing_data: {value}\n"))
    line = text[: text.index(old)].count("\n") + 1
    assert said.startswith(f"{line}: analysis.missing_data.statement must be text")


def test_an_estimand_of_format_1_is_not_said_to_be_of_treatment_policy(tmp_path: Path) -> None:
    data: Any = plain_yaml.parse(EAR.encode()).data
    rule = {"test": "at_most", "value": 1}
    criterion = {"id": "rude", "variable": "advice_giving", "rule": rule, "reason": "rude"}
    data["preparation"] = [{"step": "exclude", "criterion": criterion}]
    warnings = load_text(json.dumps(data), tmp_path).warnings
    assert [one for one in warnings if "known only after allocation" in one] == []
