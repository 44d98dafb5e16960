"""Lend an Ear through the command line, step by step: nothing tells an arm before the gate, everything after it."""

import csv
import json
import re
import shutil
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.stats.multitest import multipletests

ARMS = {"control": "Control", "video": "Influencer", "coach": "AICoach", "both": "CoachPlusInfluencer"}
"""Each arm's id and the code by which the platform knows it, as in the shipped protocol."""

BEFORE_UNBLINDING = (
    "init", "lock", "simulate", "import recruits", "randomize", "schedule", "assignments", "simulate again",
    "import responses", "import conversations", "import ratings", "schedule again", "score", "analyze", "report",
    "status", "log", "freeze",
)  # fmt: skip

OUTCOMES = (
    "validating_emotions", "encouraging_elaboration", "demonstrating_understanding",
    "advice_giving", "self_oriented", "dismissing_emotions",
)  # fmt: skip
AGAINST_CONTROL = ("video_x_round", "coach_x_round", "both_x_round")
PAIRWISE = ("coach_vs_video", "both_vs_video", "both_vs_coach")

Study = Any


def table(study: Path, query: str) -> pd.DataFrame:
    """Rows of the study's database, read with DuckDB and nothing of ours."""
    with duckdb.connect(study / "study.duckdb", read_only=True) as con:
        return con.execute(query).df()


def change(study: Path, statement: str) -> None:
    with duckdb.connect(study / "study.duckdb") as con:
        con.execute(statement)


def results(study: Path) -> dict[str, Any]:
    return json.loads((study / "reports" / "results.json").read_text("utf-8"))


def words(study: Path) -> str:
    """What a reader sees of the report, in one line."""
    page = (study / "reports" / "report.html").read_text("utf-8")
    return " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).split())


@pytest.fixture
def blinded(ear: Study, tmp_path: Path) -> Path:
    """A copy of the study, analysed and not yet unblinded."""
    return shutil.copytree(ear.blinded, tmp_path / "study")


@pytest.fixture
def unblinded(ear: Study, tmp_path: Path) -> Path:
    """A copy of the study after its unblinding."""
    return shutil.copytree(ear.unblinded, tmp_path / "study")


# --- the steps ---


def test_no_step_says_anything_on_stderr(ear: Study) -> None:
    assert {step: said.err for step, said in ear.said.items() if said.err} == {}


def test_everyone_eligible_is_allocated_once(ear: Study) -> None:
    assert ear.said["randomize"].lines == ["160 people allocated, 0 before."]
    assert table(ear.blinded, "FROM allocations")["participant_id"].nunique() == 160


def test_the_arms_are_in_balance(ear: Study) -> None:
    """Blocks of 4 and 8 in three strata: an unfinished block of each can hold 4 people of one arm too many."""
    counts = Counter(table(ear.blinded, "FROM allocations")["arm"])
    assert set(counts) == set(ARMS)
    assert max(counts.values()) - min(counts.values()) <= 3 * 4


def test_each_person_has_three_sessions_with_three_scenarios(ear: Study) -> None:
    sessions = table(ear.blinded, "FROM sessions").groupby("participant_id")
    assert set(sessions.size()) == {3}
    assert set(sessions["stimulus"].nunique()) == {3}


def test_the_handover_names_the_code_of_each_persons_arm(ear: Study) -> None:
    with ear.assignments.open(newline="") as file:
        header, *handed = csv.reader(file)
    allocated = table(ear.blinded, "FROM allocations ORDER BY participant_id")
    assert header == ["participant", "condition"]
    assert handed == [
        [person, ARMS[arm]] for person, arm in zip(allocated["participant_id"], allocated["arm"], strict=True)
    ]


def test_the_handover_is_readable_by_its_owner_alone(ear: Study) -> None:
    assert ear.assignments.stat().st_mode & 0o777 == 0o600


def test_nobody_is_handed_over_twice_by_accident(
    forethought: Callable[..., Any], blinded: Path, tmp_path: Path
) -> None:
    again = forethought("assignments", blinded, tmp_path / "again.csv")
    assert again.lines == [str(tmp_path / "again.csv"), "0 people handed over, 160 before."]


def test_who_completed_has_three_conversations(ear: Study) -> None:
    counted = table(ear.blinded, "SELECT participant_id, count(*) AS held FROM conversations GROUP BY ALL")
    completers = table(
        ear.blinded,
        "SELECT participant_id FROM sessions WHERE held_at IS NOT NULL GROUP BY ALL HAVING count(*) = 3",
    )
    assert 120 < len(completers) < 160
    assert set(counted.merge(completers)["held"]) == {3}


def test_survey_previews_are_quarantined_with_their_reason(ear: Study) -> None:
    assert table(ear.blinded, "FROM quarantine")["reason"].tolist() == ["survey preview"] * 2


def test_every_row_of_every_export_is_kept_sealed(ear: Study) -> None:
    kept = table(
        ear.blinded, "SELECT kind, count(*) AS n FROM raw_rows JOIN payloads USING (raw_row_id) GROUP BY ALL"
    )
    rows = {}
    for kind, name in (("recruits", "prolific"), ("conversations", "conversations"), ("ratings", "ratings")):
        with ear.export(name).open(newline="", encoding="utf-8") as file:
            rows[kind] = sum(1 for _ in csv.reader(file)) - 1
    assert dict(zip(kept["kind"], kept["n"], strict=True)) == rows | {"responses": 157}


@pytest.mark.parametrize("step", ["randomize", "schedule", "score"])
def test_a_step_run_again_changes_nothing_at_all(
    forethought: Callable[..., Any], rows: Callable[[Path], Any], blinded: Path, step: str
) -> None:
    before = rows(blinded)
    assert forethought(step, blinded).code == 0
    assert rows(blinded) == before


@pytest.mark.parametrize("name", ["prolific", "qualtrics", "conversations", "ratings"])
def test_an_export_imported_again_adds_nothing(
    forethought: Callable[..., Any], rows: Callable[[Path], Any], ear: Study, blinded: Path, name: str
) -> None:
    before = rows(blinded)
    again = forethought("import", blinded, ear.export(name))
    assert (again.code, again.lines) == (0, [f"{ear.export(name).name} was imported before: nothing added."])
    assert rows(blinded) == before


def test_analyze_run_again_gives_the_same_bytes(forethought: Callable[..., Any], blinded: Path) -> None:
    before = (blinded / "reports" / "results.json").read_bytes()
    forethought("analyze", blinded)
    assert (blinded / "reports" / "results.json").read_bytes() == before


def test_the_same_seeds_give_the_same_arms_to_the_same_arrivals(
    forethought: Callable[..., Any], ear: Study, tmp_path: Path
) -> None:
    """Pseudonyms differ between studies, so that arms are compared in the order of arrival."""
    study = shutil.copytree(ear.recruited, tmp_path / "study")
    forethought("randomize", study)
    order = "SELECT wave, arrival, stratum, block, position, arm FROM allocations ORDER BY wave, arrival"
    pd.testing.assert_frame_equal(table(study, order), table(ear.blinded, order))


# --- blinded ---


def test_122_findings_are_reported(ear: Study) -> None:
    """Six registered regressions and one of overall empathy give 6 contrasts and 5 other coefficients each,
    seven mixed models 6 contrasts each, and the population per protocol 3."""
    assert len(results(ear.blinded)["findings"]) == 7 * (6 + 5) + 7 * 6 + 3


def test_sessions_that_nobody_has_marked_held_are_marked_before_the_analysis(
    forethought: Callable[..., Any], ear: Study, tmp_path: Path
) -> None:
    """The population per protocol rests on them: without the marks it would be empty."""
    unmarked = shutil.copytree(ear.unmarked, tmp_path / "study")
    assert forethought("score", unmarked).code == 0
    assert forethought("analyze", unmarked).code == 0
    assert results(unmarked)["findings"] == results(ear.blinded)["findings"]


def test_every_finding_has_the_keys_of_the_contract_in_their_order(
    ear: Study, finding_keys: list[str]
) -> None:
    assert {tuple(finding) for finding in results(ear.blinded)["findings"]} == {tuple(finding_keys)}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("blinded", True),
        ("verdict", "unevaluable"),
        ("confirmatory", False),
        ("registered", True),
        ("simulated", True),
    ],
)
def test_before_unblinding_every_finding_has(ear: Study, key: str, value: object) -> None:
    assert {finding[key] for finding in results(ear.blinded)["findings"]} == {value}


def test_before_unblinding_every_finding_warns_of_its_placebo_arms(ear: Study) -> None:
    assert all("placebo" in finding["warnings"][0] for finding in results(ear.blinded)["findings"])


OTHER_ARMS = {
    "everyone is in the next arm": """
        UPDATE allocations SET arm = CASE arm
        WHEN 'control' THEN 'video' WHEN 'video' THEN 'coach' WHEN 'coach' THEN 'both' ELSE 'control' END
    """,
    "everyone is in one arm": "UPDATE allocations SET arm = 'control'",
    "arms are drawn without a design": """
        UPDATE allocations
        SET arm = list_extract(['control', 'video', 'coach', 'both'], 1 + CAST(hash(participant_id) % 4 AS INTEGER))
    """,
}


@pytest.mark.parametrize("statement", OTHER_ARMS.values(), ids=OTHER_ARMS)
def test_blinded_results_are_the_same_bytes_when(
    forethought: Callable[..., Any], ear: Study, blinded: Path, statement: str
) -> None:
    change(blinded, statement)
    told = forethought("analyze", blinded)
    assert (told.code, told.err) == (0, "")
    assert (blinded / "reports" / "results.json").read_bytes() == (
        ear.blinded / "reports" / "results.json"
    ).read_bytes()


CHECKS = re.compile(r'<section id="allocation-checks".*?</section>', re.DOTALL)


@pytest.mark.parametrize("statement", OTHER_ARMS.values(), ids=OTHER_ARMS)
def test_the_blinded_report_is_the_same_but_for_the_answers_of_its_checks_when(
    forethought: Callable[..., Any], ear: Study, blinded: Path, statement: str
) -> None:
    """So that it holds no arm of anybody and no arm's count; that arms were changed is what the checks are for."""
    change(blinded, statement)
    assert forethought("report", blinded).code == 0
    then, now = ((study / "reports" / "report.html").read_text("utf-8") for study in (ear.blinded, blinded))
    assert CHECKS.sub("", now) == CHECKS.sub("", then)
    ((was,), (found,)) = (CHECKS.findall(page) for page in (then, now))
    differing = set(re.findall(r">([^<]+)<", found)) - set(re.findall(r">([^<]+)<", was))
    assert differing
    assert not any(re.search(r"control|video|coach|both", text) for text in differing), differing


@pytest.mark.parametrize("statement", OTHER_ARMS.values(), ids=OTHER_ARMS)
def test_status_says_the_same_before_unblinding_when(
    forethought: Callable[..., Any], blinded: Path, statement: str
) -> None:
    before = forethought("status", blinded, "--json").out
    change(blinded, statement)
    assert forethought("status", blinded, "--json").out == before


def test_unblinded_results_are_others_when_everyone_is_in_the_next_arm(
    forethought: Callable[..., Any], ear: Study, unblinded: Path
) -> None:
    """So that the three tests above can fail: behind the gate the same change shows."""
    change(unblinded, OTHER_ARMS["everyone is in the next arm"])
    assert forethought("analyze", unblinded).code == 0
    assert results(unblinded)["findings"] != results(ear.unblinded)["findings"]


def test_a_blinded_analysis_needs_no_secret(
    forethought: Callable[..., Any], ear: Study, blinded: Path
) -> None:
    shutil.rmtree(blinded / "secrets")
    assert forethought("analyze", blinded).code == 0
    assert results(blinded) == results(ear.blinded)


def test_no_estimate_of_an_arms_effect_is_the_same_before_and_after_unblinding(ear: Study) -> None:
    before, after = (
        [
            finding["estimate"]
            for finding in results(study)["findings"]
            if finding["contrast"] in (*AGAINST_CONTROL, *PAIRWISE)
        ]
        for study in (ear.blinded, ear.unblinded)
    )
    assert len(before) == len(after) == 7 * 6 * 2 + 3
    assert [one for one, other in zip(before, after, strict=True) if one == other] == []


def test_a_freeze_does_not_open_the_gate(forethought: Callable[..., Any], ear: Study, tmp_path: Path) -> None:
    frozen = shutil.copytree(ear.frozen, tmp_path / "study")
    forethought("analyze", frozen)
    assert results(frozen) == results(ear.blinded)


@pytest.mark.parametrize("step", BEFORE_UNBLINDING)
def test_no_arm_is_named_before_unblinding_by(ear: Study, step: str) -> None:
    named = {*ARMS, *ARMS.values()} - {"both"}  # a word of English
    assert named.isdisjoint(re.findall(r"\w+", ear.said[step].out))


def test_no_table_but_the_allocations_has_an_arm_in_a_cell(
    rows: Callable[[Path], dict[str, list[tuple[Any, ...]]]], ear: Study
) -> None:
    cells = {
        name: {cell for row in found for cell in row if isinstance(cell, str)}
        for name, found in rows(ear.blinded).items()
    }
    arms = {*ARMS, *ARMS.values()}
    assert {name for name, values in cells.items() if values & arms} == {"allocations"}


@pytest.fixture(scope="session")
def coach_texts(ear: Study) -> set[str]:
    """What the coach wrote, which gives away two of the arms."""
    with ear.export("conversations").open(newline="", encoding="utf-8") as file:
        return {row["coach_feedback"] for row in csv.DictReader(file)} - {""}


def test_the_words_of_the_coach_are_nowhere_outside_the_secrets(
    everything: Callable[[Path], bytes], ear: Study, coach_texts: set[str]
) -> None:
    assert len(coach_texts) > 10
    shown = everything(ear.blinded)
    assert [text for text in coach_texts if text.encode() in shown] == []


def test_the_code_of_an_arm_received_is_in_no_table(ear: Study) -> None:
    columns = table(ear.blinded, "SELECT table_name, column_name FROM information_schema.columns")
    assert not set(columns["column_name"]) & {"condition", "received", "coach_feedback"}


# --- secrets and identities ---


def test_the_seed_is_nowhere_outside_the_secrets_before_unblinding(
    everything: Callable[[Path], bytes], ear: Study
) -> None:
    shown = everything(ear.frozen)
    seed = bytes.fromhex(ear.seed)
    assert [form for form in (ear.seed.encode(), seed, b64encode(seed)) if form in shown] == []


def test_no_command_prints_the_seed_before_unblinding(ear: Study) -> None:
    assert [step for step in BEFORE_UNBLINDING if ear.seed in ear.said[step].out + ear.said[step].err] == []


def test_unblinding_reveals_the_seed_in_the_ledger(everything: Callable[[Path], bytes], ear: Study) -> None:
    """Which also shows that the search above can find one."""
    assert ear.seed.encode() in everything(ear.unblinded)


def test_no_key_is_ever_outside_the_secrets(everything: Callable[[Path], bytes], ear: Study) -> None:
    secrets = ear.unblinded / "secrets"
    keys = [
        (secrets / name).read_text().strip() for name in ("pseudonym.key", "ledger.salt", "study.key")
    ] + [json.loads(line)["key"] for line in (secrets / "keys.jsonl").read_text().splitlines()]
    shown = everything(ear.unblinded)
    assert len(keys) > 160
    assert [key for key in keys if key.encode() in shown or bytes.fromhex(key) in shown] == []


def source_ids(study: Path) -> list[str]:
    with (study / "secrets" / "identities.jsonl").open() as lines:
        return [json.loads(line)["source_id"] for line in lines]


def test_no_id_of_the_recruitment_service_is_ever_outside_the_secrets(
    everything: Callable[[Path], bytes], ear: Study
) -> None:
    """In no table, so not in the ledger either; in no report, and not in the registration."""
    ids = source_ids(ear.unblinded)
    assert len(ids) == 170
    shown = everything(ear.unblinded)
    assert [one for one in ids if one.encode() in shown] == []


def test_the_ids_are_those_of_the_export(ear: Study) -> None:
    with ear.export("prolific").open(newline="", encoding="utf-8") as file:
        assert {row["Participant id"] for row in csv.DictReader(file)} == set(source_ids(ear.unblinded))


def test_no_command_prints_an_id_of_the_recruitment_service(ear: Study) -> None:
    printed = "".join(said.out + said.err for said in ear.said.values())
    assert [one for one in source_ids(ear.unblinded) if one in printed] == []


def test_the_handover_by_pseudonym_names_nobody(ear: Study) -> None:
    handed = ear.assignments.read_text()
    assert [one for one in source_ids(ear.unblinded) if one in handed] == []


def test_secrets_are_readable_by_their_owner_alone(ear: Study) -> None:
    secrets = ear.unblinded / "secrets"
    modes = {path.stat().st_mode & 0o777 for path in secrets.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in (secrets, secrets / "raw")}
    assert (modes, folders) == ({0o600}, {0o700})


# --- the gate ---


def test_the_ledger_tells_the_study_in_its_order(ear: Study) -> None:
    """The second schedule marked the sessions held; a step that changed nothing left no event."""
    assert table(ear.unblinded, "FROM events ORDER BY seq")["action"].tolist() == [
        "init", "lock", "simulate", "import", "randomize", "schedule", "assignments", "simulate", "import",
        "import", "import", "schedule", "score", "analyze", "report", "freeze", "unblind", "analyze", "report",
    ]  # fmt: skip


def test_an_edited_ledger_is_not_printed(forethought: Callable[..., Any], unblinded: Path) -> None:
    change(unblinded, "UPDATE events SET actor = 'somebody else' WHERE seq = 5")
    told = forethought("log", unblinded)
    assert (told.code, told.out) == (20, "")


def test_the_unblinding_names_who_opened_the_gate_and_why(ear: Study) -> None:
    (detail,) = table(ear.unblinded, "FROM events WHERE action = 'unblind'")["detail"]
    assert {"by": "A. Person", "reason": "Everyone has finished"}.items() <= json.loads(detail).items()


def test_results_from_before_the_gate_are_not_reported_behind_it(
    forethought: Callable[..., Any], ear: Study, tmp_path: Path
) -> None:
    study = shutil.copytree(ear.frozen, tmp_path / "study")
    forethought("unblind", study, "--by", "A. Person", "--reason", "Everyone has finished")
    told = forethought("report", study)
    assert told.code == 13
    assert "Run `forethought analyze` again first." in told.err


# --- unblinded ---


def test_after_unblinding_primary_and_secondary_findings_are_confirmatory_and_sensitivity_is_not(
    ear: Study,
) -> None:
    found = {(finding["role"], finding["confirmatory"]) for finding in results(ear.unblinded)["findings"]}
    assert found == {("primary", True), ("secondary", True), ("sensitivity", False)}


def test_the_report_replays_every_allocation(ear: Study) -> None:
    assert "160 of 160 allocations come out with the same arm; all agree." in words(ear.unblinded)


def test_the_replay_finds_one_person_whose_arm_was_changed(
    forethought: Callable[..., Any], unblinded: Path
) -> None:
    change(
        unblinded,
        "UPDATE allocations SET arm = CASE arm WHEN 'both' THEN 'control' ELSE 'both' END WHERE arrival = 1",
    )
    forethought("analyze", unblinded)
    forethought("report", unblinded)
    assert "159 of 160 allocations come out with the same arm" in words(unblinded)


def test_the_counts_by_arm_add_up_to_the_count(ear: Study) -> None:
    findings = results(ear.unblinded)["findings"]
    assert [sum(finding["n_by_arm"].values()) for finding in findings] == [one["n"] for one in findings]


def test_the_report_counts_the_arms_after_unblinding(ear: Study) -> None:
    counts = Counter(table(ear.unblinded, "FROM allocations")["arm"])
    row = " ".join(str(counts[arm]) for arm in ARMS)
    assert f"All strata {row} 160" in words(ear.unblinded)


@pytest.fixture(scope="session")
def advice(ear: Study) -> pd.DataFrame:
    """Ratings of advice giving with the true arms, put together by hand."""
    return table(
        ear.unblinded,
        """
        SELECT participant_id AS person, arm, value, CAST(session != 'conversation_1' AS INTEGER) AS round
        FROM scores JOIN allocations USING (participant_id)
        WHERE outcome = 'advice_giving' AND scorer = 'llm_judge'
        """,
    )


@pytest.fixture(scope="session")
def by_statsmodels(advice: pd.DataFrame) -> Any:
    """The registered regression by statsmodels itself, clustered by participant: CR1, normal inference."""
    return smf.ols("value ~ C(arm, Treatment('control')) * round", advice).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(advice["person"])[0]}
    )


def test_the_registered_regression_agrees_with_statsmodels(ear: Study, by_statsmodels: Any) -> None:
    """The same algorithm on the same rows in another order: rounding alone may differ."""
    (model,) = [
        one
        for one in results(ear.unblinded)["models"]
        if (one["model"], one["outcome"]) == ("registered", "advice_giving")
    ]
    found = {row["term"]: (row["estimate"], row["se"], row["p"]) for row in model["fit"]["coefficients"]}
    names = {
        name: name.replace("C(arm, Treatment('control'))", "arm") for name in by_statsmodels.params.index
    }
    assert set(found) == set(names.values())
    for theirs, ours in names.items():
        expected = tuple(
            float(part[theirs])
            for part in (by_statsmodels.params, by_statsmodels.bse, by_statsmodels.pvalues)
        )
        assert found[ours] == pytest.approx(expected, rel=1e-9)


def test_a_pairwise_contrast_agrees_with_statsmodels(ear: Study, by_statsmodels: Any) -> None:
    (finding,) = [
        one
        for one in results(ear.unblinded)["findings"]
        if (one["model"], one["outcome"], one["contrast"]) == ("registered", "advice_giving", "both_vs_coach")
    ]
    arm = "C(arm, Treatment('control'))[T.{}]:round"
    weights = np.array(
        [
            {arm.format("both"): 1, arm.format("coach"): -1}.get(name, 0)
            for name in by_statsmodels.params.index
        ]
    )
    expected = by_statsmodels.t_test(weights)
    low, high = expected.conf_int()[0]
    assert [finding[name] for name in ("estimate", "se", "p", "ci_low", "ci_high")] == pytest.approx(
        [expected.effect[0], expected.sd.item(), float(expected.pvalue), low, high], rel=1e-9
    )


def test_the_counts_by_arm_are_those_of_people_with_a_rating(ear: Study, advice: pd.DataFrame) -> None:
    counted = advice.groupby("arm")["person"].nunique().to_dict()
    found = [
        finding["n_by_arm"]
        for finding in results(ear.unblinded)["findings"]
        if finding["outcome"] == "advice_giving"
    ]
    assert found == [counted] * len(found)
    assert found


def p_values(ear: Study, key: str) -> Mapping[tuple[str, str], float]:
    """By outcome and contrast, of the registered model."""
    return {
        (finding["outcome"], finding["contrast"]): finding[key]
        for finding in results(ear.unblinded)["findings"]
        if finding["model"] == "registered"
    }


def test_holm_adjusts_the_18_comparisons_with_control_together(ear: Study) -> None:
    family = [(outcome, contrast) for outcome in OUTCOMES for contrast in AGAINST_CONTROL]
    raw, adjusted = p_values(ear, "p"), p_values(ear, "p_adjusted")
    expected = multipletests([raw[test] for test in family], method="holm")[1]
    assert [adjusted[test] for test in family] == pytest.approx(list(expected), rel=1e-12)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_holm_adjusts_the_three_pairwise_contrasts_of_each_outcome_by_themselves(
    ear: Study, outcome: str
) -> None:
    raw, adjusted = p_values(ear, "p"), p_values(ear, "p_adjusted")
    expected = multipletests([raw[outcome, contrast] for contrast in PAIRWISE], method="holm")[1]
    assert [adjusted[outcome, contrast] for contrast in PAIRWISE] == pytest.approx(list(expected), rel=1e-12)


def test_the_effect_that_was_played_is_found_only_behind_the_gate(ear: Study) -> None:
    """The world's effect of both trainings on giving advice is -1.035 (the published coefficient), here with a
    standard error of about a quarter. Five of them: pseudonyms, and with them the placebo, are new in each run."""
    z = [
        (one["estimate"] - played) / one["se"]
        for study, played in ((ear.unblinded, -1.035), (ear.blinded, 0.0))
        for one in results(study)["findings"]
        if (one["model"], one["outcome"], one["contrast"]) == ("registered", "advice_giving", "both_x_round")
    ]
    assert [abs(one) < 5 for one in z] == [True, True]


# --- simulated ---


@pytest.mark.parametrize("stage", ["blinded", "unblinded"])
def test_the_report_says_on_its_banner_and_in_its_title_that_nobody_took_part(ear: Study, stage: str) -> None:
    page = (getattr(ear, stage) / "reports" / "report.html").read_text("utf-8")
    assert "<title>SIMULATED DATA" in page
    assert "SIMULATED DATA: no person took part in this study" in words(getattr(ear, stage))


def test_a_blinded_report_says_so(ear: Study) -> None:
    assert "placebo" in words(ear.blinded)
    assert "placebo" not in words(ear.unblinded)
