"""Mistakes: each has its exit code, says where, what and what to do, and leaves everything as it was."""

import csv
import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest

SHIPPED = Path(str(files("forethought.protocols").joinpath("sleepstudy", "data", "sleepstudy.csv")))
NO_SUCH_SEED = "0" * 63

Study = Any
Refuses = Callable[..., str]


@pytest.fixture
def refuses(forethought: Callable[..., Any]) -> Refuses:
    """Runs a command that must be refused with a code; what it says. Each line is `where: what. What to do.`"""

    def refused(code: int, *arguments: object) -> str:
        said = forethought(*arguments)
        assert (said.code, said.out) == (code, "")
        lines = said.err.splitlines()
        assert lines
        assert [line for line in lines if not re.fullmatch(r"\S.*?: .+[^.]\. \S.*[^.][.?]", line)] == []
        return said.err

    return refused


@pytest.fixture
def unchanged(
    content: Callable[[Path], dict[str, str]], rows: Callable[[Path], Any]
) -> Iterator[Callable[[Path], Path]]:
    """Watches a folder: at the end of the test its files, and the rows of its database, must be as they were."""
    watched: list[tuple[Path, Any, Any]] = []

    def look(folder: Path) -> tuple[Any, Any]:
        if not (folder / "study.duckdb").is_file():
            return content(folder), None
        return {n: c for n, c in content(folder).items() if n != "study.duckdb"}, rows(folder)

    def watch(folder: Path) -> Path:
        watched.append((folder, *look(folder)))
        return folder

    yield watch
    assert watched
    for folder, *before in watched:
        assert list(look(folder)) == before


@pytest.fixture(scope="module")
def made(forethought: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies that were just begun, for the tests to copy."""
    place = tmp_path_factory.mktemp("made")
    recruits = place / "unlocked" / "inbox" / "prolific_export_lend_an_ear.csv"
    for command in (
        ("init", place / "sleep", "--from", "sleepstudy"),
        ("init", place / "real", "--from", "lend_an_ear"),
        ("init", place / "unlocked", "--from", "lend_an_ear"),
        ("simulate", place / "unlocked", "--seed", 7, "--participants", 20),
        ("import", place / "unlocked", recruits),
    ):
        assert forethought(*command).code == 0
    return place


@pytest.fixture
def sleep(made: Path, tmp_path: Path) -> Path:
    """Sleepstudy, nothing imported yet."""
    return shutil.copytree(made / "sleep", tmp_path / "sleep")


@pytest.fixture
def real(made: Path, tmp_path: Path) -> Path:
    """Lend an Ear for real people, nothing imported yet."""
    return shutil.copytree(made / "real", tmp_path / "real")


@pytest.fixture
def unlocked(made: Path, tmp_path: Path) -> Path:
    """Lend an Ear with imported recruits, and no lock."""
    return shutil.copytree(made / "unlocked", tmp_path / "unlocked")


@pytest.fixture
def locked(ear: Study, tmp_path: Path) -> Path:
    """Lend an Ear, locked, with imported recruits and nobody allocated."""
    return shutil.copytree(ear.recruited, tmp_path / "locked")


@pytest.fixture
def scored(ear: Study, tmp_path: Path) -> Path:
    """Lend an Ear with all its data, analysed blinded."""
    return shutil.copytree(ear.blinded, tmp_path / "scored")


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


# --- 2: wrong usage ---

ON_A_STUDY: dict[str, tuple[object, ...]] = {
    "lock": (),
    "simulate": ("--seed", 1),
    "import": (SHIPPED,),
    "randomize": (),
    "schedule": (),
    "score": (),
    "assignments": ("handed.csv",),
    "analyze": (),
    "report": (),
    "status": (),
    "log": (),
    "freeze": (),
    "unblind": ("--by", "A. Person", "--reason", "Because"),
    "launch": (),
}


@pytest.mark.parametrize("command", ON_A_STUDY)
def test_a_missing_folder_is_wrong_usage_of(refuses: Refuses, tmp_path: Path, command: str) -> None:
    told = refuses(2, command, tmp_path / "nowhere", *ON_A_STUDY[command])
    assert told.startswith(f"{tmp_path / 'nowhere'}: there is no such folder. ")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", ON_A_STUDY)
def test_a_folder_that_is_no_study_is_wrong_usage_of(
    refuses: Refuses, unchanged: Callable[[Path], Path], tmp_path: Path, command: str
) -> None:
    told = refuses(2, command, unchanged(tmp_path), *ON_A_STUDY[command])
    assert "this folder has no protocol.yaml, so it is no study" in told


def test_a_missing_export_is_wrong_usage(
    refuses: Refuses, unchanged: Callable[[Path], Path], sleep: Path
) -> None:
    told = refuses(2, "import", unchanged(sleep), sleep / "inbox" / "nothing.csv")
    assert "nothing.csv: there is no such file." in told


def test_a_missing_protocol_is_wrong_usage(refuses: Refuses, tmp_path: Path) -> None:
    assert "there is no such file" in refuses(2, "check", tmp_path / "protocol.yaml")


def test_missing_data_for_fit_are_wrong_usage(refuses: Refuses, tmp_path: Path) -> None:
    assert "there is no such file" in refuses(2, "fit", tmp_path / "data.csv", "y ~ x + (1 | g)")


def test_a_missing_seed_file_is_wrong_usage(
    refuses: Refuses, unchanged: Callable[[Path], Path], unlocked: Path
) -> None:
    refuses(2, "lock", unchanged(unlocked), "--seed-file", unlocked / "seed.txt")


def test_a_seed_that_is_none_is_wrong_usage_and_not_repeated(
    refuses: Refuses, unchanged: Callable[[Path], Path], unlocked: Path, tmp_path: Path
) -> None:
    file = write(tmp_path / "seed.txt", NO_SUCH_SEED)
    assert NO_SUCH_SEED not in refuses(2, "lock", unchanged(unlocked), "--seed-file", file)


def test_a_folder_that_holds_something_is_not_made_a_study(
    refuses: Refuses, unchanged: Callable[[Path], Path], tmp_path: Path
) -> None:
    write(tmp_path / "notes.txt", "mine")
    told = refuses(2, "init", unchanged(tmp_path), "--from", "sleepstudy")
    assert "this folder is not empty" in told


def test_init_run_again_leaves_the_study_alone(
    refuses: Refuses, unchanged: Callable[[Path], Path], sleep: Path
) -> None:
    refuses(2, "init", unchanged(sleep), "--from", "sleepstudy")


def test_a_study_that_is_not_shipped_is_wrong_usage_and_the_shipped_ones_are_named(
    refuses: Refuses, tmp_path: Path
) -> None:
    told = refuses(2, "init", tmp_path / "study", "--from", "sleepstudies")
    assert "There is `lend_an_ear`, `manybabies1` and `sleepstudy`." in told
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("command", ["import", "randomize"])
def test_a_wave_that_the_protocol_does_not_have_is_wrong_usage_of(
    refuses: Refuses, unchanged: Callable[[Path], Path], locked: Path, ear: Study, command: str
) -> None:
    arguments = (ear.export("conversations"),) if command == "import" else ()
    told = refuses(2, command, unchanged(locked), *arguments, "--wave", 9)
    assert "the protocol has no such wave." in told


def test_an_assignment_file_that_is_there_is_not_overwritten(
    refuses: Refuses, unchanged: Callable[[Path], Path], scored: Path, tmp_path: Path
) -> None:
    file = write(tmp_path / "handed.csv", "mine")
    told = refuses(2, "assignments", unchanged(scored), file)
    assert "this file exists" in told
    assert file.read_text() == "mine\n"


def test_a_study_whose_database_is_gone_is_wrong_usage(refuses: Refuses, sleep: Path) -> None:
    (sleep / "study.duckdb").unlink()
    assert "this study has no database" in refuses(2, "import", sleep, SHIPPED)


def test_a_database_that_is_none_is_wrong_usage(
    refuses: Refuses, content: Callable[[Path], dict[str, str]], sleep: Path
) -> None:
    (sleep / "study.duckdb").write_bytes(b"not a database" * 1000)
    before = content(sleep)
    refuses(2, "status", sleep)
    assert content(sleep) == before


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("--log-level", "nonsense", "init", "--list"), "`nonsense` is none of debug, info, warning, error"),
        (("status",), "Missing argument 'STUDY'"),
        (("status", "study", "--loud"), "No such option: --loud"),
        (("init", "study"), "give a folder and --from NAME"),
        (("import", "study", "file", "--as", "nonsense"), "'nonsense' is not one of 'recruits'"),
        (("simulate", "study", "--seed", "x"), "--seed"),
        (("status", "study", "--wait", "-1"), "--wait"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_wrong_usage(
    refuses: Refuses, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert what in refuses(2, *arguments)
    assert list(tmp_path.iterdir()) == []


# --- 10: the protocol ---

TYPOS = {
    "  title: Reaction": ("  titel: Reaction", "title"),
    "    participant: Subject": ("    partcipant: Subject", "participant"),
    "      kind: mixed": ("      kind: mixd", "mixed"),
    "      formula: y ~ Days": ("      formula: y ~ Dayz", "Days"),
    "      direction: greater": ("      directoin: greater", "direction"),
    "      estimand: ": ("      estimnd: ", "estimand"),
}
"""Misspelt keys, kinds and variables of a protocol, in the order of its lines, and the words that were meant."""


@pytest.fixture
def misspelt(sleep: Path) -> Path:
    for right, (wrong, _) in TYPOS.items():
        edit(sleep / "protocol.yaml", right, wrong)
    return sleep


@pytest.mark.parametrize(
    "command", ["check", "lock", "import", "score", "analyze", "report", "status", "freeze"]
)
def test_every_typo_of_a_protocol_is_named_at_once_with_its_line_and_the_word_meant_by(
    refuses: Refuses, unchanged: Callable[[Path], Path], misspelt: Path, command: str
) -> None:
    told = refuses(10, command, unchanged(misspelt), *ON_A_STUDY.get(command, ())).splitlines()
    assert len(told) == len(TYPOS)
    text = (misspelt / "protocol.yaml").read_text("utf-8")
    for line, (wrong, meant) in zip(told, TYPOS.values(), strict=True):
        number = text[: text.index(wrong)].count("\n") + 1
        assert re.match(rf"\S*protocol\.yaml:{number}: ", line)
        assert line.endswith(f"Did you mean `{meant}`?")


def test_names_that_lead_nowhere_are_found_in_formulas_too(
    refuses: Refuses, unchanged: Callable[[Path], Path], sleep: Path
) -> None:
    edit(sleep / "protocol.yaml", "(Days | participant)", "(Days | partcipant)")
    told = refuses(10, "check", unchanged(sleep))
    assert told.endswith("Did you mean `participant`?\n")


@pytest.mark.parametrize(
    "text",
    [
        "a: [1\nb: 2\n",
        "",
        "\0",
        "- a\n",
        "format: forethought-protocol/9\n",
        "format: &f forethought-protocol/2\ncopy: *f\n",
        "study: !!python/object/apply:os.system [exit]\n",
        "- " * 100_000,
        "a: 1\n---\nb: 2\n",
    ],
)
def test_a_file_that_is_no_protocol_is_invalid(refuses: Refuses, tmp_path: Path, text: str) -> None:
    (tmp_path / "protocol.yaml").write_text(text)
    refuses(10, "check", tmp_path / "protocol.yaml")


# --- 11: the lock ---


def test_nobody_is_allocated_without_a_lock(
    refuses: Refuses, unchanged: Callable[[Path], Path], unlocked: Path
) -> None:
    told = refuses(11, "randomize", unchanged(unlocked))
    assert "the study is not locked. Run `forethought lock` on it first." in told


@pytest.mark.parametrize("name", ["qualtrics", "conversations", "ratings"])
def test_outcomes_are_not_imported_without_a_lock(
    refuses: Refuses, unchanged: Callable[[Path], Path], unlocked: Path, ear: Study, name: str
) -> None:
    refuses(11, "import", unchanged(unlocked), ear.export(name))


@pytest.mark.parametrize("command", ["schedule", "score", "analyze", "freeze", "assignments", "unblind"])
def test_a_randomised_study_without_a_lock_does_not(
    refuses: Refuses, unchanged: Callable[[Path], Path], unlocked: Path, tmp_path: Path, command: str
) -> None:
    arguments = (tmp_path / "handed.csv",) if command == "assignments" else ON_A_STUDY[command]
    refuses(11, command, unchanged(unlocked), *arguments)


@pytest.mark.parametrize(
    "command", ["lock", "randomize", "schedule", "score", "analyze", "report", "freeze", "unblind"]
)
def test_a_protocol_edited_after_the_lock_stops(
    refuses: Refuses, unchanged: Callable[[Path], Path], scored: Path, command: str
) -> None:
    edit(scored / "protocol.yaml", "smallest_effect: 0.2", "smallest_effect: 0.1")
    told = refuses(11, command, unchanged(scored), *ON_A_STUDY[command])
    assert "the protocol was edited after the lock" in told
    assert "smallest_effect was changed from 0.2 to 0.1" in told


def test_a_material_edited_after_the_lock_stops_the_allocation(
    refuses: Refuses, unchanged: Callable[[Path], Path], locked: Path
) -> None:
    edit(locked / "materials" / "consent.md", "the", "The")
    told = refuses(11, "randomize", unchanged(locked))
    assert "consent.md: this material was changed after the lock" in told


def test_a_comment_in_the_protocol_is_no_edit(forethought: Callable[..., Any], locked: Path) -> None:
    with (locked / "protocol.yaml").open("a") as file:
        file.write("# a comment\n")
    assert forethought("randomize", locked).code == 0


def test_an_edited_registration_stops_the_allocation(
    refuses: Refuses, unchanged: Callable[[Path], Path], locked: Path
) -> None:
    edit(locked / "registration.json", '"smallest_effect": 0.2', '"smallest_effect": 0.1')
    refuses(11, "randomize", unchanged(locked))


def test_another_seed_than_the_committed_one_allocates_nobody(
    refuses: Refuses, unchanged: Callable[[Path], Path], locked: Path, ear: Study
) -> None:
    edit(locked / "secrets" / "seeds.json", ear.seed, hashlib.sha256(b"another").hexdigest())
    told = refuses(11, "randomize", unchanged(locked))
    assert "is not the one that was committed to" in told


# --- 12: data ---


def test_a_header_that_fits_no_import_is_refused(
    refuses: Refuses, unchanged: Callable[[Path], Path], scored: Path, tmp_path: Path
) -> None:
    file = write(tmp_path / "strange.csv", "colour,size,forethought_simulation", "red,1,7")
    told = refuses(12, "import", unchanged(scored), file)
    assert f"{file}:1: its source is not recognised" in told


def test_a_column_that_the_protocol_maps_and_the_file_lacks_is_named_with_its_likeness(
    refuses: Refuses, unchanged: Callable[[Path], Path], sleep: Path, tmp_path: Path
) -> None:
    file = write(tmp_path / "renamed.csv", "Reaktion,Days,Subject", "1,1,a")
    told = refuses(12, "import", unchanged(sleep), file, "--as", "responses")
    assert f"{file}:1: " in told
    assert "it lacks the column `Reaction` (did you mean `Reaktion`?)" in told


@pytest.mark.parametrize(
    ("bytes_", "what"),
    [
        (b"", "the file is empty"),
        (b"Reaction,Days,Subject\n", "there is a header and no row of data"),
        (b"Reaction,Days,Subject\n1,2,a\n1,2\n", "cells in row 2: 2, in the header: 3"),
        (b"Reaction;Days;Subject\n1;2;a\n", "parted by semicolons"),
        (b'Reaction,Days,Subject\n"1,2,a\n', "never closed"),
        (b"PK\x03\x04 and so on", "a spreadsheet or an archive"),
        ("Reaction,Days,Subject\n1,2,ä\n".encode("latin-1"), "is not UTF-8"),
    ],
    ids=["empty", "header alone", "ragged", "semicolons", "open quotation", "spreadsheet", "Latin-1"],
)
def test_a_file_that_is_no_export_is_refused_wholly(
    refuses: Refuses, unchanged: Callable[[Path], Path], sleep: Path, tmp_path: Path, bytes_: bytes, what: str
) -> None:
    file = tmp_path / "broken.csv"
    file.write_bytes(bytes_)
    assert what in refuses(12, "import", unchanged(sleep), file)


def test_a_source_whose_header_the_file_does_not_have_is_refused(
    refuses: Refuses, unchanged: Callable[[Path], Path], sleep: Path
) -> None:
    refuses(12, "import", unchanged(sleep), SHIPPED, "--source", "qualtrics")


def test_nothing_is_analysed_where_there_is_nothing(
    refuses: Refuses, unchanged: Callable[[Path], Path], sleep: Path
) -> None:
    told = refuses(12, "analyze", unchanged(sleep))
    assert told == "analysis: there is no outcome yet. Import the outcomes first.\n"


def test_nothing_is_analysed_where_nobody_was_rated(
    refuses: Refuses, unchanged: Callable[[Path], Path], locked: Path
) -> None:
    refuses(12, "analyze", unchanged(locked))


def test_fit_refuses_a_file_that_is_no_csv(refuses: Refuses, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_bytes(b"\xff\xfe\x00\x01")
    refuses(12, "fit", tmp_path / "data.csv", "y ~ x + (1 | g)")


# --- 13: the gate ---


def test_the_gate_does_not_open_before_the_freeze(
    refuses: Refuses, unchanged: Callable[[Path], Path], scored: Path
) -> None:
    told = refuses(13, "unblind", unchanged(scored), "--by", "A. Person", "--reason", "Curious")
    assert "enrolment is still open. Freeze the study first." in told


@pytest.mark.parametrize("option", ["--by", "--reason"])
def test_the_gate_does_not_open_for_nobody_or_nothing(
    refuses: Refuses, unchanged: Callable[[Path], Path], ear: Study, tmp_path: Path, option: str
) -> None:
    study = shutil.copytree(ear.frozen, tmp_path / "study")
    words = {"--by": "A. Person", "--reason": "Finished"} | {option: "  "}
    refuses(2, "unblind", unchanged(study), *(part for pair in words.items() for part in pair))


def test_nobody_is_allocated_after_the_freeze(
    refuses: Refuses, unchanged: Callable[[Path], Path], ear: Study, tmp_path: Path
) -> None:
    study = shutil.copytree(ear.frozen, tmp_path / "study")
    assert "enrolment is closed" in refuses(13, "randomize", unchanged(study))


def test_there_is_nothing_to_hand_over_before_the_allocation(
    refuses: Refuses, unchanged: Callable[[Path], Path], locked: Path, tmp_path: Path
) -> None:
    told = refuses(13, "assignments", unchanged(locked), tmp_path / "handed.csv")
    assert "nobody is allocated yet" in told
    assert not (tmp_path / "handed.csv").exists()


@pytest.mark.parametrize("name", ["prolific", "qualtrics", "conversations", "ratings"])
def test_a_real_study_takes_no_export_that_simulate_wrote(
    forethought: Callable[..., Any],
    refuses: Refuses,
    unchanged: Callable[[Path], Path],
    ear: Study,
    real: Path,
    name: str,
) -> None:
    assert forethought("lock", real).code == 0
    told = refuses(13, "import", unchanged(real), ear.export(name))
    assert "`simulate` wrote this export, and the study is real" in told


def as_if_real(export: Path, to: Path) -> Path:
    """The export without the column by which `simulate` signs."""
    with export.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    mark = lines[0].index("forethought_simulation")
    with to.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*line[:mark], *line[mark + 1 :]] for line in lines)
    return to


@pytest.mark.parametrize("name", ["prolific", "qualtrics", "conversations", "ratings"])
def test_a_simulated_study_takes_no_export_of_a_real_service(
    refuses: Refuses, unchanged: Callable[[Path], Path], ear: Study, locked: Path, tmp_path: Path, name: str
) -> None:
    told = refuses(13, "import", unchanged(locked), as_if_real(ear.export(name), tmp_path / "real.csv"))
    assert "the study is simulated for ever" in told


def test_a_study_with_real_rows_is_never_simulated(
    forethought: Callable[..., Any],
    refuses: Refuses,
    unchanged: Callable[[Path], Path],
    ear: Study,
    real: Path,
    tmp_path: Path,
) -> None:
    recruits = as_if_real(ear.export("prolific"), tmp_path / "real.csv")
    assert forethought("import", real, recruits).code == 0
    assert "holds real rows" in refuses(13, "simulate", unchanged(real), "--seed", 1)


# --- 14: the database ---

HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.readline(); c.close()"


@pytest.fixture
def holder(scored: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes to the database of `scored`, until it is sent a line."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, scored / "study.duckdb"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize(
    "command",
    [
        "lock", "simulate", "import", "randomize", "schedule", "score", "assignments", "analyze", "report", "status",
        "log", "freeze", "unblind",
    ],
)  # fmt: skip
def test_a_database_in_use_is_given_up_after_the_wait_with_the_pid_that_holds_it_by(
    refuses: Refuses,
    content: Callable[[Path], dict[str, str]],
    ear: Study,
    scored: Path,
    holder: subprocess.Popen[str],
    tmp_path: Path,
    command: str,
) -> None:
    """Sooner than after the ten seconds that are waited without `--wait`."""
    own = {"import": (ear.export("ratings"),), "assignments": (tmp_path / "handed.csv",)}
    before = content(scored)
    start = time.monotonic()
    told = refuses(14, command, scored, *own.get(command, ON_A_STUDY[command]), "--wait", 0.5)
    assert time.monotonic() - start < 9
    assert told.startswith(f"study.duckdb: process {holder.pid} holds the database. Wait")
    assert content(scored) == before
    assert not (tmp_path / "handed.csv").exists()


def test_a_writer_waits_its_turn(
    forethought: Callable[..., Any], scored: Path, holder: subprocess.Popen[str]
) -> None:
    assert holder.stdin is not None
    waiting = subprocess.Popen(
        [Path(sys.executable).with_name("forethought"), "score", scored, "--wait", "60"],
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(3)
    assert waiting.poll() is None
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert waiting.communicate(timeout=60) == ("0 new scores, 3,404 before.\n", None)
    assert waiting.returncode == 0


# --- 15: models ---


@pytest.mark.parametrize(
    ("formula", "what"),
    [
        ("y ~ x + (1 | one)", "the grouping factor `one` has one level"),
        ("y ~ one + (1 | g)", "the factor `one` has one level, same"),
        ("y ~ z + (1 | g)", "the data have no column `z`"),
        ("y ~ x", "the formula has no random term"),
        ("constant ~ x + (1 | g)", "without any residual"),
    ],
)
def test_a_model_that_cannot_be_fitted_says_why(
    refuses: Refuses, tmp_path: Path, formula: str, what: str
) -> None:
    data = write(
        tmp_path / "data.csv",
        "y,x,one,g,constant",
        *(
            f"{y},{x},same,{g},2"
            for y, x, g in [(1, 1, "a"), (2, 2, "a"), (4, 1, "b"), (3, 5, "b"), (7, 2, "c")]
        ),
    )
    assert what in refuses(15, "fit", data, formula)


def test_a_formula_that_does_not_parse_shows_where_it_ends(
    forethought: Callable[..., Any], tmp_path: Path
) -> None:
    data = write(tmp_path / "data.csv", "y,g", "1,a")
    told = forethought("fit", data, "y ~ (1|g")
    assert (told.code, told.out) == (10, "")
    assert told.err.splitlines() == [
        "formula, column 9: the formula ends too early. Close the random term with `)`.",
        "y ~ (1|g",
        "        ^",
    ]


def test_data_to_which_no_registered_model_can_be_fitted_leave_no_results(
    forethought: Callable[..., Any],
    refuses: Refuses,
    unchanged: Callable[[Path], Path],
    sleep: Path,
    tmp_path: Path,
) -> None:
    one = write(tmp_path / "one.csv", "Reaction,Days,Subject", "250,0,a", "260,1,a", "280,2,a")
    assert forethought("import", sleep, one).code == 0
    told = refuses(15, "analyze", unchanged(sleep))
    assert "no model could be fitted. model: the grouping factor `participant` has one level." in told


# --- 20: the ledger ---


def test_a_ledger_with_an_event_taken_out_is_refused(
    refuses: Refuses, unchanged: Callable[[Path], Path], scored: Path
) -> None:
    with duckdb.connect(scored / "study.duckdb") as con:
        con.execute("DELETE FROM events WHERE seq = 4")
    refuses(20, "log", unchanged(scored))


# --- 1 and 130: ours, and the user's Ctrl-C ---


def test_a_fault_of_ours_is_told_with_its_traceback_and_a_request_to_report_it(
    forethought: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, sleep: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault for a test")

    monkeypatch.setattr("forethought.steps.status.status", broken)
    told = forethought("status", sleep)
    assert (told.code, told.out) == (1, "")
    assert "Traceback (most recent call last)" in told.err
    assert told.err.splitlines()[-2:] == [
        "RuntimeError: a fault for a test",
        "forethought: this is a fault of the program, not yours. Please report it with the lines above.",
    ]


def test_an_interruption_is_answered_in_one_line(
    forethought: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, sleep: Path
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("forethought.steps.status.status", interrupted)
    told = forethought("status", sleep)
    assert (told.code, told.out) == (130, "")
    assert told.err == "forethought: interrupted. Every step is safe to repeat: run it again.\n"


def test_a_refusal_that_nobody_reads_to_its_end_keeps_its_exit_code(tmp_path: Path) -> None:
    """As in `forethought check protocol.yaml 2>&1 | head -1`."""
    protocol = tmp_path / "protocol.yaml"
    protocol.write_text("format: forethought-protocol/9\n")
    with subprocess.Popen(
        [Path(sys.executable).with_name("forethought"), "check", protocol], stderr=subprocess.PIPE
    ) as run:
        assert run.stderr is not None
        run.stderr.close()
        assert run.wait(60) == 10
