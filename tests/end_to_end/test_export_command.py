"""`export` and `schema` as a person runs them: text to paste, JSON for OSF, and what they refuse."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Forethought = Callable[..., Any]
FORMS = ("aspredicted", "osf")
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "protocol.md"


@pytest.fixture(scope="module")
def study(forethought: Forethought, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that is not locked."""
    folder = tmp_path_factory.mktemp("export") / "study"
    assert forethought("init", folder, "--from", "lend_an_ear").code == 0
    return folder


@pytest.fixture(scope="module")
def locked(forethought: Forethought, study: Path) -> Path:
    """The same study, locked with drawn seeds."""
    folder = shutil.copytree(study, study.parent / "locked")
    assert forethought("lock", folder).code == 0
    return folder


@pytest.mark.parametrize("form", FORMS)
def test_a_plan_that_is_not_locked_is_exported_too(forethought: Forethought, study: Path, form: str) -> None:
    said = forethought("export", study, "--form", form)
    assert (said.code, said.err) == (0, "")
    assert "Lend an Ear" in said.out


@pytest.mark.parametrize("form", FORMS)
def test_the_file_says_what_the_folder_says(forethought: Forethought, study: Path, form: str) -> None:
    by_file = forethought("export", study / "protocol.yaml", "--form", form)
    assert by_file.out == forethought("export", study, "--form", form).out


def test_the_text_for_osf_begins_each_answer_with_its_question(forethought: Forethought, study: Path) -> None:
    lines = forethought("export", study, "--form", "osf").lines
    assert lines[0] == "# OSF Preregistration, version 3"
    assert [line.split()[1] for line in lines if line.startswith("## q")] == [f"q{n}" for n in range(2, 24)]


def test_json_is_one_value_with_the_schema_and_the_payload(forethought: Forethought, study: Path) -> None:
    value = forethought("export", study, "--form", "osf", "--json").json
    assert {key: value[key] for key in value if key != "payload"} == {
        "format": "forethought-export/1",
        "form": "osf",
        "schema": "OSF Preregistration",
        "schema_version": 3,
        "warnings": [],
    }
    assert value["payload"]["data"]["type"] == "draft_registrations"


@pytest.mark.parametrize("form", FORMS)
def test_a_locked_plan_shows_its_fingerprint(forethought: Forethought, locked: Path, form: str) -> None:
    registration = json.loads((locked / "registration.json").read_text())
    said = forethought("export", locked, "--form", form)
    assert said.code == 0
    assert registration["fingerprint"] in said.out
    assert "not locked" not in said.out


def test_a_locked_plan_publishes_its_commitments(forethought: Forethought, locked: Path) -> None:
    registration = json.loads((locked / "registration.json").read_text())
    commitments = [seed["commitment"] for seed in registration["seeds"]]
    out = forethought("export", locked, "--form", "osf").out
    assert commitments
    assert [one for one in commitments if one not in out] == []


@pytest.mark.parametrize("form", FORMS)
def test_no_export_tells_a_seed_or_a_nonce(forethought: Forethought, locked: Path, form: str) -> None:
    waves = json.loads((locked / "secrets" / "seeds.json").read_text())["waves"].values()
    said = forethought("export", locked, "--form", form, "--json").out
    said += forethought("export", locked, "--form", form).out
    assert waves
    assert [wave for wave in waves if wave["seed"] in said or wave["nonce"] in said] == []


def test_an_export_writes_nothing(
    forethought: Forethought, locked: Path, content: Callable[[Path], dict[str, str]]
) -> None:
    before = content(locked)
    for form in FORMS:
        forethought("export", locked, "--form", form)
    assert content(locked) == before


def test_a_text_that_is_too_long_is_printed_whole_with_a_warning_on_stderr(
    forethought: Forethought, study: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(study, tmp_path / "long")
    file, long = folder / "protocol.yaml", "and on " * 500 + "to the end"
    file.write_text(file.read_text().replace('title: "Lend an Ear', f'title: "{long} Lend an Ear'))
    said = forethought("export", folder, "--form", "aspredicted")
    assert said.code == 0
    assert long in said.out
    assert said.err.startswith("aspredicted: the answers are ")
    assert "longer than the 3,200 of one page, and nothing was cut." in said.err


def test_a_broken_protocol_is_refused_with_every_problem(
    forethought: Forethought, study: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(study, tmp_path / "broken")
    file = folder / "protocol.yaml"
    file.write_text(file.read_text().replace("alpha", "alfa").replace("  title:", "  titel:", 1))
    said = forethought("export", folder, "--form", "osf")
    assert (said.code, said.out) == (10, "")
    assert "`titel` is no key of study. Did you mean `title`?" in said.err


def test_a_plan_edited_after_the_lock_is_refused(
    forethought: Forethought, locked: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(locked, tmp_path / "edited")
    file = folder / "protocol.yaml"
    file.write_text(file.read_text().replace("target: 968", "target: 900"))
    said = forethought("export", folder, "--form", "osf")
    assert (said.code, said.out) == (11, "")


def test_an_amended_plan_shows_each_fingerprint_and_the_reason(
    forethought: Forethought, locked: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(locked, tmp_path / "amended")
    file = folder / "protocol.yaml"
    file.write_text(file.read_text().replace("target: 968", "target: 900"))
    assert forethought("amend", folder, "--reason", "The money is short").code == 0
    registration = json.loads((folder / "registration.json").read_text())
    fingerprints = [one["fingerprint"] for one in (registration, *registration["amendments"])]
    said = forethought("export", folder, "--form", "osf")
    assert (said.code, len(set(fingerprints))) == (0, 2)
    assert [one for one in fingerprints if one not in said.out] == []
    assert "for this reason: The money is short." in said.out
    assert "900 participants are to complete the study." in said.out


@pytest.mark.parametrize("arguments", [("--form", "clinicaltrials"), ()])
def test_another_form_is_refused(forethought: Forethought, study: Path, arguments: tuple[str, ...]) -> None:
    said = forethought("export", study, *arguments)
    assert (said.code, said.out) == (2, "")


def test_a_path_without_a_protocol_is_refused(forethought: Forethought, tmp_path: Path) -> None:
    said = forethought("export", tmp_path, "--form", "osf")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        f"{tmp_path}/protocol.yaml: there is no such file. Give a protocol.yaml or a study's folder.\n"
    )


def test_the_reference_is_printed_as_it_is_in_docs(forethought: Forethought) -> None:
    said = forethought("schema", "--markdown")
    assert (said.code, said.err) == (0, "")
    assert said.out == PAGE.read_text(encoding="utf-8")


def test_the_schema_is_json_as_before(forethought: Forethought) -> None:
    assert forethought("schema").json["$schema"] == "https://json-schema.org/draft/2020-12/schema"
