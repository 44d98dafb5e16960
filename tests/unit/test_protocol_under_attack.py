"""What a sceptic tried on `check`: one fault is told once, at once, on its line, and never by a crash."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from forethought.errors import InvalidFormula, ProtocolInvalid, WrongUsage
from forethought.grammar import parse_formula
from forethought.protocol import shipped
from forethought.protocol.loading import load
from forethought.steps.check import check

Told = Callable[[bytes], tuple[str, ...]]
STUDY = shipped.text("sleepstudy")
TRIAL = shipped.text("lend_an_ear")


@pytest.fixture
def told(tmp_path: Path) -> Told:
    def told(text: bytes) -> tuple[str, ...]:
        file = tmp_path / "protocol.yaml"
        file.write_bytes(text)
        with pytest.raises(ProtocolInvalid) as caught:
            load(file)
        return caught.value.problems

    return told


def swapped(old: str, new: str, text: bytes = STUDY) -> bytes:
    assert text.count(old.encode()) == 1
    return text.replace(old.encode(), new.encode())


def line(of: str, text: bytes = STUDY) -> int:
    return text[: text.index(of.encode())].count(b"\n") + 1


def without(section: str, text: bytes) -> bytes:
    """The protocol without one of its sections."""
    before, _, after = text.partition(f"\n{section}:".encode())
    lines = after.split(b"\n")
    rest = next(i for i, one in enumerate(lines[1:], 1) if one and one[:1] not in b" #")
    return before + b"\n" + b"\n".join(lines[rest:])


def test_a_ratio_without_a_share_is_told(told: Told) -> None:
    before, _, after = TRIAL.partition(b"\n  ratio: ")
    problems = told(before + b"\n  ratio: {}\n" + after.split(b"\n", 1)[1])
    assert (
        f"protocol.yaml:{line('  ratio: ', TRIAL)}: the arm `coach` is missing here. Add `coach`." in problems
    )


@pytest.mark.parametrize("degree", ["9" * 5000, "100", "0", "٣"])
def test_a_polynomial_beyond_any_use_is_refused(degree: str) -> None:
    with pytest.raises(InvalidFormula):
        parse_formula(f"y ~ poly(x, {degree})")


def test_a_formula_without_end_is_refused_at_once() -> None:
    begun = time.process_time()
    with pytest.raises(InvalidFormula, match="the formula is longer than 20,000 characters"):
        parse_formula("y ~ " + "x + " * 200_000 + "x")
    assert time.process_time() - begun < 1


def test_a_missing_arms_section_is_one_fault(told: Told) -> None:
    problems = told(without("arms", TRIAL))
    assert [one.split(": ", 1)[1].split(";")[0] for one in problems] == ["arms lists 0 arms"]


def test_of_records_that_nobody_imports_only_that_is_told(told: Told) -> None:
    before, _, after = STUDY.partition(b"\nimports:")
    rest = after[after.index(b"\nanalysis:") :]
    (problem,) = told(before + b"\nimports: {}" + rest)
    assert problem.startswith(f"protocol.yaml:{line('imports:')}: imports has no `responses`")


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029"])
def test_a_sign_that_ends_a_line_for_some_programs_only_is_refused(told: Told, sign: str) -> None:
    text = swapped("\nwaves:", f"\n# a{sign}# b\nwaves:")
    (problem,) = told(text)
    assert problem.startswith(f"protocol.yaml:{line('waves:')}: the character U+{ord(sign):04X} ends a line")


@pytest.mark.parametrize("end", [b"\r", b"\r\n"])
def test_a_tab_is_found_on_its_line_whatever_ends_lines(told: Told, end: bytes) -> None:
    text = swapped("target: ", "target:\t").replace(b"\n", end)
    assert told(text)[0].startswith(f"protocol.yaml:{line('target: ')}: there is a tab")


def test_what_is_no_utf_8_is_found_on_its_line_where_lines_end_in_returns(told: Told) -> None:
    text = STUDY.replace(b"target: ", b"target: \xe9").replace(b"\n", b"\r")
    assert told(text)[0].startswith(f"protocol.yaml:{line('target: ')}: this is not text in UTF-8")


@pytest.mark.parametrize(
    ("key", "seen"),
    [
        ("ana\u200blysis", "ana\\u200blysis"),
        ("\u202eanalysis", "\\u202eanalysis"),
        ("аnalysis", "\\u0430nalysis"),
    ],
)
def test_a_key_that_only_looks_right_shows_why_it_is_not(told: Told, key: str, seen: str) -> None:
    (problem,) = told(swapped("\nanalysis:", f"\n{key}:"))
    assert f"`{seen}` is no key of the protocol. Did you mean `analysis`?" in problem


def test_exchanged_letters_of_a_short_key_are_understood(told: Told) -> None:
    before, _, after = STUDY.partition(b"\n  id: ")
    problems = told(before + b"\n  di: " + after)
    assert problems == (f"protocol.yaml:{line('  id: ')}: `di` is no key of study. Did you mean `id`?",)


def test_a_truth_value_for_a_name_is_one_fault(told: Told) -> None:
    before, _, after = TRIAL.partition(b"\n  - id: video\n")
    problems = told(before + b"\n  - id: true\n" + after)
    assert problems == (
        f"protocol.yaml:{line('  - id: video', TRIAL)}: arms.True.id must be text, not `true`. Put it in quotes.",
    )


def test_an_item_without_a_name_is_never_called_by_what_stands_for_it(told: Told) -> None:
    text = swapped("  sources:\n", "  sources:\n    - {zzz: 1}\n")
    assert "study.sources.#1 has no `location`. Add `location`." in "\n".join(told(text))


@pytest.mark.parametrize(
    "text",
    [
        STUDY + b"x: 1\n" * 20_000,
        STUDY + b"".join(b"k%d: 1\n" % number for number in range(20_000)),
        swapped("  limitations:\n", "  limitations:\n" + "    - 1\n" * 20_000),
        swapped("  authors:\n", "  authors:\n" + "    - {nme: a}\n" * 20_000),
    ],
    ids=["duplicates", "keys", "items", "misspelt"],
)
def test_of_faults_without_number_a_thousand_are_told_soon(told: Told, text: bytes) -> None:
    begun = time.process_time()
    problems = told(text)
    assert time.process_time() - begun < 5
    assert len(problems) == 1001
    assert problems[-1] == "protocol.yaml: there are more than 1,000 problems. Correct these first."


def test_no_line_of_a_report_is_endless(told: Told) -> None:
    assert all(len(one) < 2000 for one in told(b"a: &" + b"x" * 900_000 + b" 1"))


def test_a_path_that_no_system_takes_is_wrong_usage() -> None:
    with pytest.raises(WrongUsage, match="this cannot be looked at"):
        check(Path("a" * 5000))


def test_a_material_whose_name_no_system_takes_is_told(told: Told, tmp_path: Path) -> None:
    (tmp_path / "materials").mkdir()
    name = "a" * 300
    problems = told(swapped("\nwaves:", f"\nmaterials:\n  - {{file: {name}, kind: rubric}}\nwaves:"))
    assert any(f"there is no file materials/{name}" in one for one in problems)


def test_no_item_is_suggested_that_the_scale_has_already(told: Told) -> None:
    text = TRIAL.replace(b"      - baseline_empathy_item_2\n", b"      - baseline_empathy_item_x\n")
    text = text.replace(b"      - baseline_empathy_item_7\n", b"      - baseline_empathy_item_8\n")
    (problem,) = told(text)
    suggested = problem.partition("Did you mean `")[2].rstrip("`?")
    assert f"\n      - {suggested}\n" not in text.decode()
