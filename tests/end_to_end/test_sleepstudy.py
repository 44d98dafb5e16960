"""Sleepstudy through the command line: a newcomer's first report on real data, its numbers beside lme4's."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

LME4 = Path(__file__).parents[1] / "reference" / "lmm"
"""lme4 1.1-31 and lmerTest 3.1-3 under R 4.2.2; fit.R there wrote the JSON."""

SHIPPED = Path(str(files("forethought.protocols").joinpath("sleepstudy", "data", "sleepstudy.csv")))
FORMULA = "Reaction ~ Days + (Days | Subject)"
STEPS = ("init", "check", "import", "analyze", "report")

FIT_KEYS = """
    formula n_obs n_groups criterion log_likelihood reml theta sigma variance_components coefficients
    converged singular warnings
"""
JSON_FORMATS = "studies init check lock import score results report freeze status log fit"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's folder. Its name is longer than any terminal is wide."""
    return tmp_path_factory.mktemp("sleep") / ("a-long-name" * 15)


@pytest.fixture(scope="module")
def said(forethought: Callable[..., Any], study: Path) -> Mapping[str, Any]:
    """What each step said, the steps being run once in their order."""
    return {
        "init": forethought("init", study, "--from", "sleepstudy"),
        "check": forethought("check", study),
        "import": forethought("import", study, study / "inbox" / "sleepstudy.csv", "--as", "responses"),
        "analyze": forethought("analyze", study),
        "report": forethought("report", study),
    }


@pytest.fixture(scope="module")
def results(said: Mapping[str, Any], study: Path) -> dict[str, Any]:
    return json.loads((study / "reports" / "results.json").read_text("utf-8"))


def lme4(name: str) -> dict[str, Any]:
    return json.loads((LME4 / f"{name}.json").read_text("utf-8"))


# --- what the steps say ---


@pytest.mark.parametrize("step", STEPS)
def test_the_step_succeeds(said: Mapping[str, Any], step: str) -> None:
    assert said[step].code == 0


@pytest.mark.parametrize("step", STEPS)
def test_the_step_says_nothing_on_stderr(said: Mapping[str, Any], step: str) -> None:
    assert said[step].err == ""


def test_init_prints_the_folder_alone_on_a_line(said: Mapping[str, Any], study: Path) -> None:
    assert said["init"].lines[0] == str(study)


def test_analyze_prints_the_path_of_the_results_alone_on_a_line(said: Mapping[str, Any], study: Path) -> None:
    assert said["analyze"].lines[0] == str(study / "reports" / "results.json")


def test_report_prints_the_path_of_the_report_and_nothing_else(said: Mapping[str, Any], study: Path) -> None:
    assert said["report"].out == f"{study / 'reports' / 'report.html'}\n"


def test_the_imported_file_leaves_the_inbox(said: Mapping[str, Any], study: Path) -> None:
    assert list((study / "inbox").iterdir()) == []


def test_the_imported_file_is_kept_byte_for_byte_where_only_its_owner_reads(
    said: Mapping[str, Any], study: Path
) -> None:
    (kept,) = (study / "secrets" / "raw").iterdir()
    assert kept.read_bytes() == SHIPPED.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


# --- the numbers ---


def test_a_finding_has_the_keys_of_the_contract_in_their_order(
    results: dict[str, Any], finding_keys: list[str]
) -> None:
    assert [list(finding) for finding in results["findings"]] == [finding_keys] * 2


@pytest.mark.parametrize(("row", "contrast"), [(0, "Intercept"), (1, "slowing")])
def test_estimate_se_df_t_and_p_agree_with_lme4(results: dict[str, Any], row: int, contrast: str) -> None:
    """Five digits: at the sixth, lme4's optimum and the exact one part (SE of the intercept)."""
    (finding,) = [finding for finding in results["findings"] if finding["contrast"] == contrast]
    found = [finding[name] for name in ("estimate", "se", "df", "statistic", "p")]
    assert found == pytest.approx(lme4("sleep_slope")["satt"]["tab"][row], rel=1e-5)


def test_the_log_likelihood_agrees_with_lme4(results: dict[str, Any]) -> None:
    expected = lme4("sleep_slope")["tight"]["logLik"]
    assert results["models"][0]["fit"]["log_likelihood"] == pytest.approx(expected, rel=1e-9)


def test_the_variances_agree_with_lme4(results: dict[str, Any]) -> None:
    found = [row["variance_or_covariance"] for row in results["models"][0]["fit"]["variance_components"]]
    expected = [row["vcov"] for row in lme4("sleep_slope")["tight"]["vc"]]
    assert found == pytest.approx(expected, rel=1e-4)


def test_every_value_that_the_protocol_expects_is_reproduced(results: dict[str, Any]) -> None:
    (expected,) = results["models"][0]["expected"]
    assert [row["agrees"] for row in expected["rows"]] == [True] * 8


def test_no_finding_is_called_confirmatory_without_a_lock(results: dict[str, Any]) -> None:
    assert [(one["registered"], one["confirmatory"]) for one in results["findings"]] == [(False, False)] * 2


def words(page: Path) -> str:
    """What a reader sees of a page, in one line."""
    text = re.sub(r"<style.*?</style>|<[^>]+>", " ", page.read_text("utf-8"), flags=re.DOTALL)
    return " ".join(text.split())


def test_the_report_shows_the_slope_and_its_se_beside_those_of_lme4(
    said: Mapping[str, Any], study: Path
) -> None:
    shown = words(study / "reports" / "report.html")
    assert "10.46729 ✓" in shown
    assert "1.54579 ✓" in shown


def test_the_report_says_that_nobody_was_randomised(said: Mapping[str, Any], study: Path) -> None:
    assert "This study is not randomised" in words(study / "reports" / "report.html")


# --- JSON for programs ---


@pytest.fixture(scope="module")
def in_json(forethought: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What each command says with `--json`, by the name of its format."""
    study = tmp_path_factory.mktemp("json") / "sleep"
    inbox = study / "inbox" / "sleepstudy.csv"
    commands: dict[str, tuple[object, ...]] = {
        "studies": ("init", "--list"),
        "init": ("init", study, "--from", "sleepstudy"),
        "check": ("check", study),
        "lock": ("lock", study),
        "import": ("import", study, inbox, "--as", "responses"),
        "score": ("score", study),
        "results": ("analyze", study),
        "report": ("report", study),
        "freeze": ("freeze", study),
        "status": ("status", study),
        "log": ("log", study),
        "fit": ("fit", SHIPPED, FORMULA),
    }
    return {name: forethought(*command, "--json") for name, command in commands.items()}


@pytest.mark.parametrize("name", JSON_FORMATS.split())
def test_json_output_is_one_object_that_names_its_format_first(in_json: Mapping[str, Any], name: str) -> None:
    assert in_json[name].code == 0, in_json[name].err
    assert next(iter(in_json[name].json.items())) == ("format", f"forethought-{name}/1")


def test_analyze_prints_as_json_what_it_writes_to_results_json(
    in_json: Mapping[str, Any],
) -> None:
    study = Path(in_json["init"].json["folder"])
    written = json.loads((study / "reports" / "results.json").read_text("utf-8"))
    assert in_json["results"].json == written


def test_a_study_locked_before_its_data_has_confirmatory_findings(
    in_json: Mapping[str, Any],
) -> None:
    assert all(finding["confirmatory"] for finding in in_json["results"].json["findings"])


# --- every step twice ---


@pytest.fixture
def twin(said: Mapping[str, Any], study: Path, tmp_path: Path) -> Path:
    """A copy of the finished study."""
    return shutil.copytree(study, tmp_path / "twin")


def test_every_step_run_again_succeeds(forethought: Callable[..., Any], twin: Path) -> None:
    again = [
        forethought("import", twin, SHIPPED, "--as", "responses"),
        forethought("analyze", twin),
        forethought("report", twin),
    ]
    assert [one.code for one in again] == [0, 0, 0]


def test_import_run_again_adds_nothing_and_says_so(
    forethought: Callable[..., Any], rows: Callable[[Path], Any], twin: Path
) -> None:
    before = rows(twin)
    again = forethought("import", twin, SHIPPED, "--as", "responses")
    assert again.lines == ["sleepstudy.csv was imported before: nothing added."]
    assert rows(twin) == before


def test_analyze_run_again_gives_the_same_bytes(forethought: Callable[..., Any], twin: Path) -> None:
    results = twin / "reports" / "results.json"
    before = results.read_bytes()
    forethought("analyze", twin)
    assert results.read_bytes() == before


@pytest.mark.parametrize("step", ["analyze", "report"])
def test_a_step_run_again_changes_no_table_but_the_ledger(
    forethought: Callable[..., Any], rows: Callable[[Path], Any], twin: Path, step: str
) -> None:
    before = rows(twin)
    forethought(step, twin)
    after = rows(twin)
    assert [name for name in before if before[name] != after[name]] == ["events"]


def test_a_report_made_at_another_time_differs_in_the_line_that_says_when(
    forethought: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, twin: Path
) -> None:
    page = twin / "reports" / "report.html"
    before = page.read_text("utf-8").splitlines()
    monkeypatch.setattr(
        "forethought.steps.setting.wall_clock", lambda: datetime(2031, 1, 2, 3, 4, tzinfo=UTC)
    )
    forethought("report", twin)
    (changed,) = set(page.read_text("utf-8").splitlines()) - set(before)
    assert "Made 2031-01-02 03:04 UTC" in changed


def test_the_ledger_only_grows(
    forethought: Callable[..., Any], rows: Callable[[Path], Any], twin: Path
) -> None:
    before = rows(twin)["events"]
    forethought("analyze", twin)
    assert rows(twin)["events"][: len(before)] == before


# --- one model without a study ---


def test_fit_has_the_keys_of_the_contract_in_their_order(
    in_json: Mapping[str, Any],
) -> None:
    assert [key for key in in_json["fit"].json if key in FIT_KEYS.split()] == FIT_KEYS.split()


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        ("coefficients", "term estimate se df statistic p ci_low ci_high"),
        ("variance_components", "group term1 term2 variance_or_covariance sd_or_correlation"),
    ],
)
def test_the_rows_of_a_fits_tables_have_the_keys_of_the_contract(
    in_json: Mapping[str, Any], part: str, keys: str
) -> None:
    assert {tuple(row) for row in in_json["fit"].json[part]} == {tuple(keys.split())}


@pytest.mark.parametrize(("name", "options"), [("sleep_slope", ()), ("sleep_slope_ml", ("--ml",))])
def test_fit_agrees_with_lme4_and_lmertest(
    forethought: Callable[..., Any], name: str, options: tuple[str, ...]
) -> None:
    found = forethought("fit", SHIPPED, FORMULA, "--json", *options).json["coefficients"]
    columns = ("estimate", "se", "df", "statistic", "p")
    for row, expected in zip(found, lme4(name)["satt"]["tab"], strict=True):
        assert [row[column] for column in columns] == pytest.approx(expected, rel=1e-5)


# --- the installed program, in a process of its own ---


def program(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The `forethought` that is installed beside this Python, on a narrow terminal."""
    return subprocess.run(
        [Path(sys.executable).with_name("forethought"), *map(str, arguments)],
        env=os.environ | {"COLUMNS": "40"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_installed_program_says_what_this_process_says(
    forethought: Callable[..., Any],
) -> None:
    told = program("fit", SHIPPED, FORMULA, "--json")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == forethought("fit", SHIPPED, FORMULA, "--json").out


def test_the_installed_program_wraps_no_path(twin: Path) -> None:
    deep = twin.rename(twin.with_name("a-long-name" * 15))
    told = program("report", deep)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == f"{deep / 'reports' / 'report.html'}\n"


def test_a_reader_who_has_seen_enough_is_no_error(said: Mapping[str, Any], study: Path) -> None:
    with subprocess.Popen(
        [Path(sys.executable).with_name("forethought"), "log", study, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as talking:
        assert talking.stdout is not None
        assert talking.stderr is not None
        talking.stdout.close()
        assert talking.stderr.read() == ""
    assert talking.returncode == 0
