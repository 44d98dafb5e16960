"""No error tells a secret, nor does a lock that was killed, nor an amendment."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Forethought = Callable[..., Any]
Rows = Callable[[Path], dict[str, list[tuple[Any, ...]]]]
Everything = Callable[[Path], bytes]
Walk = Any
Search = Any


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("lock", "--blocks"), ("lock",), ("randomize",), ("schedule",), ("amend", "--reason", "R"), ("status",),
    ("monitor", "--burst", "2"), ("freeze",), ("report",),
)  # fmt: skip
DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a seed too short": lambda waves: waves["1"].update(seed=waves["1"]["seed"][:-2]),
    "another seed": lambda waves: waves["1"].update(seed=waves["2"]["seed"]),
    "other sizes": lambda waves: waves["1"].update(block_sizes=[20, 28]),
    "sizes that are words": lambda waves: waves["1"].update(block_sizes="12, 20, 28"),
    "another list key": lambda waves: waves["1"].update(list_key=waves["2"]["list_key"]),
    "no first wave": lambda waves: waves.pop("1"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_error_about_damaged_secrets_tells_them(
    search: Search, forethought: Forethought, walk: Walk, tmp_path: Path, damage: str
) -> None:
    study = shutil.copytree(walk.blinded, tmp_path / "study")
    kept = study / "secrets" / "seeds.json"
    data = json.loads(kept.read_text())
    DAMAGES[damage](data["waves"])
    kept.write_text(json.dumps(data))
    codes = set()
    for name, *arguments in COMMANDS:
        given = [*arguments, walk.blocks] if arguments == ["--blocks"] else arguments
        said = forethought("--log-level", "debug", name, study, *given)
        codes.add(said.code)
        assert search.told((said.out + said.err).encode(), walk.waves) == []
        assert walk.waves["1"]["seed"][:-2] not in said.out + said.err
        assert search.sequences(said.out + said.err) == []
        assert "Traceback" not in said.err
    assert codes <= {0, 11, 13, 20}
    # A key of the list is tried when the next person comes; here nobody waits.
    assert bool(codes & {11, 20}) == (damage != "another list key")


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--seed-file", "5a" * 32 + "\n" + "5b" * 32, "it does not hold the seeds that were committed to"),
        ("--seed-file", "5a" * 31 + "\n" + "5b" * 32, "this is not a seed"),
        ("--blocks", "12 20 28\n16 25", "a block size is no multiple of 4"),
        ("--blocks", "12 20 28\n", "it has 1 lines for 2 waves"),
    ],
)
def test_no_error_about_a_file_of_secrets_tells_what_is_in_it(
    search: Search, forethought: Forethought, walk: Walk, tmp_path: Path, option: str, text: str, said: str
) -> None:
    study = shutil.copytree(walk.locked, tmp_path / "study")
    (tmp_path / "given.txt").write_text(text)
    refused = forethought("--log-level", "debug", "lock", study, option, tmp_path / "given.txt")
    assert (refused.code, said in refused.err) == (2, True)
    assert "5a5a" not in refused.err
    assert search.sequences(refused.err) == []
    assert search.told(refused.err.encode(), walk.waves) == []


@pytest.mark.parametrize("function", ["locking.write", "seeds.keep"])
def test_a_killed_lock_tells_nothing_and_is_finished_by_the_next(
    search: Search,
    forethought: Forethought,
    walk: Walk,
    rows: Rows,
    everything: Everything,
    tmp_path: Path,
    function: str,
) -> None:
    study = shutil.copytree(walk.planned, tmp_path / "study")
    module, name = function.split(".")
    program = (
        "import os, signal, sys\n"
        f"from forethought.registration import {module} as place\n"
        "from forethought.cli.entry import main\n"
        f"really = place.{name}\n"
        "def then_die(*arguments):\n"
        "    really(*arguments)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"place.{name} = then_die\n"
        "main(sys.argv[1:])\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, "--log-level", "debug", "lock", str(study), "--blocks", walk.blocks],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -9
    kept = (study / "secrets" / "seeds.json").read_bytes()
    waves = json.loads(kept)["waves"]
    assert search.told(killed.stdout + killed.stderr + everything(study), waves) == []
    said = forethought("--log-level", "debug", "lock", study)
    assert said.code == 0, said.err
    assert (study / "secrets" / "seeds.json").read_bytes() == kept
    assert search.told((said.out + said.err).encode() + everything(study), waves) == []
    assert len(rows(study)["sealed_list"]) == 2 * 3 * 40
    assert forethought("status", study, "--json").json["fits_lock"]


def with_a_third_wave(data: dict[str, Any]) -> None:
    data["waves"].append({**data["waves"][0], "number": 3, "opens": "2027-06-01T09:00:00+00:00"})


@pytest.mark.parametrize("given", [True, False], ids=["from a file", "drawn"])
def test_an_amendment_seals_the_sizes_and_the_list_of_a_new_wave(
    search: Search,
    forethought: Forethought,
    walk: Walk,
    rows: Rows,
    everything: Everything,
    tmp_path: Path,
    given: bool,
) -> None:
    study = shutil.copytree(walk.blinded, tmp_path / "study")
    search.edit(study, with_a_third_wave)
    (tmp_path / "blocks.txt").write_text("8, 36, 44")
    blocks = ["--blocks", tmp_path / "blocks.txt"] if given else []
    said = forethought("--log-level", "debug", "amend", study, "--reason", "R", *blocks)
    assert said.code == 0, said.err
    waves = json.loads((study / "secrets" / "seeds.json").read_text())["waves"]
    assert {number: waves[number] for number in walk.waves} == walk.waves
    third = waves["3"]
    assert (third["block_sizes"] == [8, 36, 44]) == given
    assert search.told((said.out + said.err).encode() + everything(study), {"3": third}) == []
    assert not re.search(r"8\D{1,12}36\D{1,12}44", said.out + said.err + search.own_text(study))
    assert len(rows(study)["sealed_list"]) == 3 * 3 * 40
    assert forethought("status", study, "--json").json["fits_lock"]


def test_no_answer_depends_on_whether_sizes_given_again_are_the_sealed_ones(
    forethought: Forethought, walk: Walk, tmp_path: Path
) -> None:
    study, file = shutil.copytree(walk.locked, tmp_path / "study"), tmp_path / "blocks.txt"
    said = []
    for sizes in ("12 20 28\n16 24", "12 20 28\n16 28", "4 8\n4 8"):
        file.write_text(sizes)
        answer = forethought("--log-level", "debug", "lock", study, "--blocks", file)
        said.append((answer.code, answer.out, answer.err))
    assert said[0][0] == 0
    assert "sealed before: --blocks changes nothing" in said[0][2]
    assert said[1:] == said[:1] * 2
    assert json.loads((study / "secrets" / "seeds.json").read_text())["waves"] == walk.waves


def test_other_sizes_for_an_amended_wave_change_nothing_and_are_answered_as_the_same(
    search: Search, forethought: Forethought, walk: Walk, tmp_path: Path
) -> None:
    study = shutil.copytree(walk.locked, tmp_path / "study")
    search.edit(study, with_a_third_wave)
    file, said = tmp_path / "blocks.txt", []
    for text in ("8, 36, 44", "8 36 44", "8 36 48"):
        file.write_text(text)
        said.append(forethought("amend", study, "--reason", "R", "--blocks", file))
    assert [one.code for one in said] == [0, 0, 0]
    assert said[1].err == said[2].err
    assert said[1].out == said[2].out
    waves = json.loads((study / "secrets" / "seeds.json").read_text())["waves"]
    assert waves["3"]["block_sizes"] == [8, 36, 44]
    assert not re.search(r"36|44|48", said[2].err.replace(str(tmp_path), ""))


def test_sizes_for_a_protocol_that_tells_them_are_wrong_usage(
    search: Search, forethought: Forethought, walk: Walk, tmp_path: Path
) -> None:
    study = shutil.copytree(walk.planned, tmp_path / "study")
    search.edit(study, lambda data: data["allocation"].update(block_sizes=[4, 8]))
    said = forethought("lock", study, "--blocks", walk.blocks)
    assert said.code == 2
    assert said.err.startswith("--blocks: the protocol does not seal its block sizes")
    assert not (study / "registration.json").exists()
