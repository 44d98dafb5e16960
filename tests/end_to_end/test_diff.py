"""`diff`: what differs between two plans, in words, whatever the plans are."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Forethought = Callable[..., Any]


@pytest.fixture
def locked(forethought: Forethought, tmp_path: Path) -> Path:
    """Sleepstudy, locked."""
    study = tmp_path / "locked"
    assert forethought("init", study, "--from", "sleepstudy").code == 0
    assert forethought("lock", study).code == 0
    return study


def test_diff_says_what_differs_between_files_folders_and_registrations(
    forethought: Forethought, locked: Path, tmp_path: Path
) -> None:
    shutil.copy(locked / "protocol.yaml", tmp_path / "before.yaml")
    file = locked / "protocol.yaml"
    text = file.read_text("utf-8")
    assert "\n  alpha: 0.05" in text
    file.write_text("# a remark\n" + text.replace("\n  alpha: 0.05", "\n  alpha: 0.01"), "utf-8")
    for a, b in (
        (tmp_path / "before.yaml", locked),
        (locked / "registration.json", locked / "protocol.yaml"),
    ):
        said = forethought("diff", a, b)
        assert (said.code, said.lines) == (0, ["analysis.alpha was changed from 0.05 to 0.01"])
    assert forethought("diff", locked, locked).lines == ["no difference"]


def test_diff_reads_a_plan_that_is_no_valid_protocol(forethought: Forethought, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("arms: [{id: control}]\n")
    (tmp_path / "b.yaml").write_text("# a remark\narms:\n  - id: control\n    labl: C\n")
    said = forethought("diff", tmp_path / "a.yaml", tmp_path / "b.yaml", "--json")
    assert said.code == 0
    assert said.json["format"] == "forethought-diff/1"
    assert said.json["differences"] == [
        {"field": "arms.control.labl", "change": "added", "before": None, "after": "C", "words": 'arms.control.labl was added: "C"'}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [("- a\n- b\n", 10, "it is no mapping of keys to values"), ("a: [\n", 10, "this is not YAML"), (None, 2, "there is no such file")],
)  # fmt: skip
def test_diff_refuses_what_is_no_plan(
    forethought: Forethought, locked: Path, tmp_path: Path, text: str | None, code: int, said: str
) -> None:
    if text is not None:
        (tmp_path / "b.yaml").write_text(text)
    refused = forethought("diff", locked, tmp_path / "b.yaml")
    assert refused.code == code
    assert said in refused.err
