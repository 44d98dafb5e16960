"""What the other sections say, from what they were given."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from forethought.protocol.analysis import Pruning
from forethought.protocol.estimands import Population
from forethought.reports.content import Facts, Means, Notice, Report, Section, Table, as_json
from forethought.reports.record import Replay


def part(report: Report, name: str) -> Section:
    (found,) = [section for section in report.sections if section.id == name]
    return found


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def texts(value: Any) -> Iterator[str]:
    """Every text of some content, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


# --- results in full ---


def test_the_tests_of_both_models_are_all_there(simulated_study: Any) -> None:
    shown = tables(part(simulated_study.report(), "results"))
    tests = [table for table in shown if table.caption.endswith("registered tests")]
    assert [sum(len(group.rows) for group in table.groups) for table in tests] == [39, 39]


def test_z_inference_has_no_column_of_df(simulated_study: Any) -> None:
    ols, _, mixed, _ = tables(part(simulated_study.report(), "results"))
    assert "z" in [column.label for column in ols.columns]
    assert "df" not in [column.label for column in ols.columns]
    assert {"df", "t"} <= {column.label for column in mixed.columns}


def test_tests_outside_a_family_have_no_column_of_adjusted_p(real_study: Any) -> None:
    tests, _ = tables(part(real_study.report(), "results"))
    assert "p adjusted" not in [column.label for column in tests.columns]


def test_participants_are_counted_by_arm_beside_each_outcome(simulated_study: Any) -> None:
    tests, *_ = tables(part(simulated_study.report(), "results"))
    assert tests.groups[0].remark == (
        "n = 968: Control 245, Didactic video 245, Personalised feedback 231, Combined training 247"
    )


def test_a_model_that_could_not_be_fitted_gives_its_reason(real_study: Any) -> None:
    (model,) = real_study.results["models"]
    failed = model | {"error": "reaction: there are no records", "fit": None}
    results = real_study.results | {"models": [failed], "findings": []}
    notices = [
        one.text
        for one in part(real_study.report(results=results), "results").blocks
        if isinstance(one, Notice)
    ]
    assert notices == ["reaction: not fitted. reaction: there are no records"]


def test_what_a_fit_warned_of_is_shown(real_study: Any) -> None:
    (model,) = real_study.results["models"]
    warned = model | {"fit": model["fit"] | {"singular": True, "warnings": ["the fit is singular."]}}
    *_, fits = tables(part(real_study.report(results=real_study.results | {"models": [warned]}), "results"))
    assert fits.notes == ("Warning, reaction: the fit is singular.",)
    assert fits.groups[0].rows[0][-1].text == "converged, singular"


def facts(report: Report) -> list[tuple[str, str]]:
    """Terms and values beside the models."""
    lists = [block for block in part(report, "results").blocks if isinstance(block, Facts)]
    return [(fact.term, fact.value) for one in lists for fact in one.items]


PRUNED = {
    "formula": "y ~ Days + (1 | participant)",
    "pruned": [{"formula": "y ~ Days + (Days | participant)", "reason": "not converged"}],
}


def test_a_model_that_gave_way_shows_the_formula_fitted_beside_the_registered_one(real_study: Any) -> None:
    (model,) = real_study.results["models"]
    results = real_study.results | {"models": [model | PRUNED]}
    shown = facts(real_study.report(results=results))
    assert shown[:3] == [
        ("Registered formula", real_study.protocol.analysis.models[0].formula),
        ("Fitted, reaction", "y ~ Days + (1 | participant)"),
        ("Gave way", "y ~ Days + (Days | participant): not converged"),
    ]


def test_a_model_that_stands_as_registered_shows_one_formula(real_study: Any) -> None:
    (model,) = real_study.results["models"]
    whole = model | {"formula": real_study.protocol.analysis.models[0].formula, "pruned": []}
    for results in (real_study.results, real_study.results | {"models": [whole]}):
        terms = [term for term, _ in facts(real_study.report(results=results))]
        assert terms == ["Formula", "Method", "Population"]


def changed_model(study: Any, **changes: Any) -> Any:
    """The study's protocol with its first model changed."""
    first, *others = study.protocol.analysis.models
    models = (first.model_copy(update=changes), *others)
    return study.protocol.model_copy(
        update={"analysis": study.protocol.analysis.model_copy(update={"models": models})}
    )


def test_the_pruning_rule_is_shown_whether_or_not_it_was_used(real_study: Any) -> None:
    rule = Pruning(when=("not_converged", "singular"), formulas=("y ~ Days + (1 | participant)",))
    report = real_study.report(protocol=changed_model(real_study, pruning=rule))
    assert dict(facts(report))["Pruning rule"] == (
        "a fit that does not converge or is singular gives way to y ~ Days + (1 | participant); the last one stands"
    )


def test_a_model_names_the_label_of_its_own_population(simulated_study: Any) -> None:
    analysis = simulated_study.protocol.analysis
    completers = Population(id="completers", label="Per protocol", rule="every_session")
    changed = changed_model(simulated_study, population="completers")
    protocol = changed.model_copy(
        update={
            "analysis": changed.analysis.model_copy(
                update={"populations": (*analysis.populations, completers)}
            )
        }
    )
    shown = [
        value for term, value in facts(simulated_study.report(protocol=protocol)) if term == "Population"
    ]
    assert shown == [
        "Per protocol (of those allocated, whoever held every session)",
        "Everyone as allocated (everyone allocated, in the arm allocated)",
    ]


@pytest.mark.parametrize(
    ("assumption", "words"),
    [
        ("mar", "Missing at random is assumed. "),
        ("mcar", "Missing completely at random is assumed. "),
        ("mnar", "Missing not at random is assumed. "),
        ("not_stated", ""),
    ],
)
def test_what_is_assumed_of_missing_data_is_said_before_the_reason(
    real_study: Any, assumption: str, words: str
) -> None:
    analysis = real_study.protocol.analysis
    missing = analysis.missing_data.model_copy(update={"assumption": assumption})
    changed = real_study.protocol.model_copy(
        update={"analysis": analysis.model_copy(update={"missing_data": missing})}
    )
    first = part(real_study.report(protocol=changed), "preparation").blocks[0]
    assert as_json(first)["text"] == (
        f"Missing data. {words}Each model uses every record that has its outcome and predictors. "
        "Days without a reaction time are left out."
    )


def test_published_numbers_stand_in_the_cells_of_ours(real_study: Any) -> None:
    fixed, _ = tables(part(real_study.report(), "coefficients"))
    intercept = fixed.groups[0].rows[0]
    shown = [(cell.text, cell.published.text, cell.published.agrees) for cell in intercept if cell.published]
    assert shown == [
        ("251.41", "251.405", True),
        ("6.82", "6.825", True),
        ("17.0", "17.000", True),
        ("36.84", "36.838", True),
    ]
    assert fixed.notes[0].startswith(
        "lme4 and lmerTest (lme4 1.1-31, lmerTest 3.1-3): 8 of 8 published numbers agree."
    )


def test_a_published_number_that_differs_is_counted_out(real_study: Any) -> None:
    (model,) = real_study.results["models"]
    (expected,) = model["expected"]
    first, *rows = expected["rows"]
    differing = expected | {"rows": [first | {"agrees": False}, *rows]}
    report = real_study.report(results=real_study.results | {"models": [model | {"expected": [differing]}]})
    assert "7 of 8 published numbers agree" in " ".join(texts(as_json(part(report, "findings"))))


@pytest.mark.parametrize("state", ["simulated", "blinded"])
def test_what_could_not_be_the_published_number_is_not_said_to_differ(real_study: Any, state: str) -> None:
    report = real_study.report(results=real_study.results | {state: True})
    fixed, _ = tables(part(report, "coefficients"))
    assert {cell.published.agrees for row in fixed.groups[0].rows for cell in row if cell.published} == {None}
    assert "agree" not in " ".join(fixed.notes)
    assert "published numbers agree" not in " ".join(texts(as_json(part(report, "findings"))))


def test_the_rounding_rule_is_said_in_words(real_study: Any) -> None:
    fixed, _ = tables(part(real_study.report(), "coefficients"))
    assert "rounded to 3 decimals, it has every digit of the published one" in fixed.notes[0]


def test_a_correlation_of_random_effects_is_not_shown_as_an_sd(real_study: Any) -> None:
    _, random = tables(part(real_study.report(), "coefficients"))
    assert [cell.text for cell in random.groups[0].rows[2]] == [
        "Subject",
        "(Intercept) with Days",
        "9.6043",
        "—",
        ".07",
    ]


def test_a_study_without_arms_has_no_means_by_arm(real_study: Any) -> None:
    assert "means" not in [section.id for section in real_study.report().sections]


def test_means_have_their_interval_from_sd_and_n(simulated_study: Any) -> None:
    (figure,) = [
        block for block in part(simulated_study.report(), "means").blocks if isinstance(block, Means)
    ]
    assert len(figure.panels) == 7
    assert figure.panels[0].series[0].margins[0] == pytest.approx(1.959964 * 1.07 / 242**0.5)


# --- how the study was run ---


def test_a_replay_that_differs_is_shouted(simulated_study: Any) -> None:
    record = replace(simulated_study.record, replay=Replay(replayed=982, agreed=981))
    said = " ".join(texts(as_json(part(simulated_study.report(record=record), "allocation"))))
    assert "981 of 982 allocations come out with the same arm; the others DIFFER" in said


def test_block_sizes_are_withheld_while_blinded(blinded_study: Any, simulated_study: Any) -> None:
    def words(study: Any) -> str:
        return str(as_json(part(study.report(), "allocation")))

    assert "Permuted blocks of 4 or 8" in words(simulated_study)
    assert "Permuted blocks (their sizes are withheld until unblinding)" in words(blinded_study)
    assert " 4 or 8" not in str(as_json(blinded_study.report()))


def test_the_balance_has_a_row_for_each_stratum_and_their_sum(simulated_study: Any) -> None:
    (balance,) = tables(part(simulated_study.report(), "allocation"))
    assert [[cell.text for cell in row] for row in balance.groups[0].rows] == [
        ["sex Female", "124", "123", "122", "123", "492"],
        ["sex Male", "123", "122", "122", "123", "490"],
        ["All strata", "247", "245", "244", "246", "982"],
    ]


def test_software_is_shown_as_registered_and_as_used(simulated_study: Any) -> None:
    *_, software = tables(part(simulated_study.report(), "provenance"))
    numpy = [[cell.text for cell in row] for row in software.groups[0].rows if row[0].text == "numpy"]
    assert numpy == [["numpy", "2.3.5", "2.4.0"]]


def test_the_hashes_of_plan_data_and_ledger_are_given_in_full(simulated_study: Any) -> None:
    (facts,) = [
        block for block in part(simulated_study.report(), "provenance").blocks if isinstance(block, Facts)
    ]
    assert [fact.value for fact in facts.items] == ["3f" * 32, "5d" * 32, "e1" * 32]


def test_deviations_are_listed_and_their_absence_is_said(simulated_study: Any, real_study: Any) -> None:
    (table,) = tables(part(simulated_study.report(), "deviations"))
    assert [cell.text for cell in table.groups[0].rows[0]][:3] == ["software", "numpy 2.3.5", "numpy 2.4.0"]
    assert "None found" in " ".join(texts(as_json(part(real_study.report(), "deviations"))))


def test_only_the_run_differs_from_run_to_run(simulated_study: Any) -> None:
    later = replace(
        simulated_study.run, made_at=simulated_study.run.made_at + timedelta(days=1), by="another"
    )
    first, second = simulated_study.report(), simulated_study.report(run=later)
    assert first.run != second.run
    assert replace(first, run=second.run) == second


def test_a_table_of_rows_that_do_not_fit_its_columns_cannot_be_made(simulated_study: Any) -> None:
    (table, *_) = tables(part(simulated_study.report(), "results"))
    with pytest.raises(ValueError, match="columns"):
        replace(table, columns=table.columns[1:])
