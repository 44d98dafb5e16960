"""The secret seeds come from where the plan says: drawn by the machine, or given by a statistician."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Forethought = Callable[..., Any]


def edit(study: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = study / "protocol.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    change(data)
    file.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")


@pytest.mark.parametrize(
    ("drawn_by", "with_file", "code"),
    [
        ("statistician", False, 2),
        ("statistician", True, 0),
        ("forethought", True, 2),
        ("forethought", False, 0),
        ("either", True, 0),
        ("either", False, 0),
    ],
)
def test_the_seeds_come_from_where_the_plan_says(
    forethought: Forethought, tmp_path: Path, drawn_by: str, with_file: bool, code: int
) -> None:
    study = tmp_path / "study"
    forethought("init", study, "--from", "lend_an_ear")
    edit(
        study,
        lambda data: data["allocation"].update(seed={"drawn_by": drawn_by, "revealed": "at_unblinding"}),
    )
    (tmp_path / "seed.txt").write_text(f"{'5a' * 32}\n")
    said = forethought("lock", study, *(["--seed-file", tmp_path / "seed.txt"] if with_file else []))
    assert said.code == code
    assert (study / "registration.json").exists() == (code == 0)
    if code:
        assert said.err.startswith("--seed-file: the protocol says that")
        assert not (study / "secrets" / "seeds.json").exists()
