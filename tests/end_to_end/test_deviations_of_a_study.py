"""From the lock to the report: what was done otherwise is found, classed, and told with what was not done."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Forethought = Callable[..., Any]
Rows = Callable[[Path], dict[str, list[tuple[Any, ...]]]]

BEFORE, AFTER, UNDECLARED = "declared before data", "declared after data", "undeclared"


def edit(study: Path, old: str, new: str) -> None:
    """Change the protocol, in one place."""
    text = (study / "protocol.yaml").read_text("utf-8")
    assert text.count(old) == 1, old
    (study / "protocol.yaml").write_text(text.replace(old, new), "utf-8")


def words(study: Path) -> str:
    """What a reader of the report sees, in one line."""
    page = (study / "reports" / "report.html").read_text("utf-8")
    return " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


def section(study: Path, title: str) -> str:
    """The words of one section of the report."""
    page = (study / "reports" / "report.html").read_text("utf-8")
    (found,) = re.findall(rf"<section[^>]*>\s*<h2[^>]*>{title}</h2>(.*?)</section>", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


# --- a study that allocates nobody, amended before its data and after ---


@pytest.fixture(scope="module")
def sleep(forethought: Forethought, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sleepstudy: its target amended before the data, its alpha after, frozen and reported."""
    study = tmp_path_factory.mktemp("deviations") / "sleep"

    def step(*arguments: object) -> None:
        said = forethought(*arguments)
        assert said.code == 0, said.err

    step("init", study, "--from", "sleepstudy")
    step("lock", study)
    edit(study, "    target: 18", "    target: 20")
    step("amend", study, "--reason", "Two more can be had.")
    step("import", study, study / "inbox" / "sleepstudy.csv", "--as", "responses")
    step("analyze", study)
    edit(study, "  alpha: 0.05", "  alpha: 0.01")
    step("amend", study, "--reason", "A reviewer asked.", "--declare", "We used another room.")
    step("analyze", study)
    step("freeze", study)
    step("report", study)
    return study


def test_each_deviation_is_classed_by_the_first_outcome(sleep: Path, rows: Rows) -> None:
    found = {(kind, done): own for _, kind, _, done, own, _ in rows(sleep)["deviations"]}
    assert found == {
        ("sample size", "18 participants with data to analyse"): UNDECLARED,
        ("alpha", "alpha 0.01"): AFTER,
        ("amendment", "waves.1.target: 20"): BEFORE,
        ("declared", "We used another room."): AFTER,
    }


def test_the_report_lists_them_with_the_reason_of_the_amendment(sleep: Path) -> None:
    told = section(sleep, "Deviations")
    assert "alpha alpha 0.05 alpha 0.01 declared after data Amendment 2: A reviewer asked." in told
    assert "undeclared —" in told


def test_the_report_tells_each_amendment_with_its_stage(sleep: Path) -> None:
    told = section(sleep, "Registration")
    assert "Stage before the first outcome Reason Two more can be had." in told
    assert "Stage after the first outcome Reason A reviewer asked." in told
    assert "analysis.alpha was changed from 0.05 to 0.01." in told


def test_what_was_not_done_is_told_apart_from_what_was_only_to_be_explored(sleep: Path) -> None:
    told = section(sleep, "Registered, but not done")
    assert told.startswith(
        "Everything that was registered was done. Exploratory questions without a recorded result"
    )


def test_status_tells_the_amendments_and_the_fingerprint_that_stands(
    forethought: Forethought, sleep: Path
) -> None:
    lines = forethought("status", sleep).lines
    told = forethought("status", sleep, "--json").json
    assert (told["amendments"], told["fits_lock"], told["misfit"]) == (2, True, None)
    assert f"protocol    locked, amended 2 times, fingerprint {told['fingerprint'][:12]}" in lines


def test_a_report_made_again_changes_no_deviation(
    forethought: Forethought, rows: Rows, sleep: Path, tmp_path: Path
) -> None:
    study = shutil.copytree(sleep, tmp_path / "again")
    before = rows(study)["deviations"]
    assert forethought("report", study).code == 0
    assert rows(study)["deviations"] == before


# --- a randomised study ---


def test_a_blinded_report_says_nothing_of_tests_that_were_not_run(ear: Any, rows: Rows) -> None:
    kinds = {kind for _, kind, *_ in rows(ear.blinded)["deviations"]}
    assert kinds.isdisjoint({"not done", "extra tests", "alpha", "formula", "pruning"})
    assert "can be said once the analysis has been run on the true arms" in section(
        ear.blinded, "Registered, but not done"
    )


def without_overall_pairwise(analysis: dict[str, Any]) -> None:
    """Take out one hypothesis, with the family and the estimand that it alone has."""
    for part, name in (
        ("hypotheses", "overall_pairwise"),
        ("families", "overall_pairwise"),
        ("estimands", "trainings_compared_on_overall_empathy"),
    ):
        analysis[part] = [one for one in analysis[part] if one["id"] != name]


@pytest.fixture(scope="module")
def dropped(forethought: Forethought, ear: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lend an Ear, a hypothesis of which was taken out when its result was known."""
    study = shutil.copytree(ear.unblinded, tmp_path_factory.mktemp("dropped") / "study")
    file = study / "protocol.yaml"
    data = yaml.safe_load(file.read_text("utf-8"))
    without_overall_pairwise(data["analysis"])
    file.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), "utf-8")
    assert forethought("amend", study, "--reason", "It came out the wrong way.").code == 0
    for step in ("analyze", "report"):
        said = forethought(step, study)
        assert said.code == 0, said.err
    return study


def test_a_hypothesis_that_was_taken_out_after_data_is_told_as_not_run(dropped: Path, rows: Rows) -> None:
    found = [
        (planned, done, own)
        for _, kind, planned, done, own, _ in rows(dropped)["deviations"]
        if kind == "not done"
    ]
    contrasts = "contrasts `coach_vs_video`, `both_vs_video`, `both_vs_coach` on outcome `overall_empathy`"
    assert sorted(found) == [
        (f"hypothesis `overall_pairwise`, model `{model}`: {contrasts}", "not run", AFTER)
        for model in ("mixed", "overall")
    ]


def test_the_report_lists_it_among_what_was_registered_and_not_done(dropped: Path) -> None:
    assert "Hypothesis `overall_pairwise`" in section(dropped, "Registered, but not done")


def test_the_report_says_at_its_head_that_the_plan_was_amended_after_data(dropped: Path) -> None:
    assert "Amended after data" in words(dropped)


def test_an_unblinded_study_as_registered_has_its_deviations_of_conduct_alone(ear: Any, rows: Rows) -> None:
    kinds = {kind for _, kind, *_ in rows(ear.unblinded)["deviations"]}
    assert kinds <= {"sample size", "windows", "pruning"}
    assert "sample size" in kinds
