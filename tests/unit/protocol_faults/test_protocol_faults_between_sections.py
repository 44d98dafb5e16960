"""What sections say of each other: one change to a sound protocol, one fault, on its line, with a remedy."""

from collections.abc import Callable
from typing import Any

import pytest

MODELS = ("analysis", "models")
HYPOTHESES = ("analysis", "hypotheses")
STOPPING = ("recruitment", "sample_size", "stopping")
LOOKS: dict[str, Any] = {
    "rule": "group_sequential",
    "looks": [0.5, 1],
    "spending": "pocock",
    "statement": "A board looks.",
}
NOT_YET = "group-sequential looks (`{}`) are not in this release; it has one analysis, at the end. Write `rule: fixed`."
UNHELD = "is none of the materials, so that the lock would not hold it. Did you mean"

ESTIMAND = {
    "treatment": "One.",
    "population": "All.",
    "variable": "Warmth.",
    "intercurrent_events": [{"event": "None.", "strategy": "treatment_policy", "handling": "None."}],
    "summary": "A difference.",
}

FAULTS: dict[str, tuple[tuple[str | int, ...], object, str]] = {
    # what the whole plan must have
    "a contrast of an arm that does not exist": (("analysis", "contrasts", 0, "weights"), {"arm[T.trainign]:round": 1}, "`arm[T.trainign]:round` is no coefficient of the model `main`. Did you mean `arm[T.training]:round`?"),
    "an outcome that no session measures": ((*MODELS, 0, "outcomes", 2), "trait", "`trait` is measured in no planned session, so that `main` has no records of it. Model an outcome that a session measures."),
    "a model term that no measure yields": ((*MODELS, 1, "formula"), "y ~ arm + sx", "`sx` in the formula of `of_mood` is no variable of the analysis data set. Did you mean `sex`?"),
    "a hypothesis that no contrast tests": ((*HYPOTHESES, 2, "contrasts", 0), "inmood", "`inmood` is no contrast. Did you mean `in_mood`?"),
    "a hypothesis without contrasts": ((*HYPOTHESES, 0, "contrasts"), [], "analysis.hypotheses.warmer.contrasts lists 0, and needs 1 or more. Add to the list."),
    "a contrast that no hypothesis tests": (("analysis", "contrasts", 3), {"id": "spare", "label": "Spare", "weights": {"round": 1}}, "no hypothesis tests the contrast `spare`. Add it to a hypothesis, or remove it."),
    "a stratum that is not known at allocation": (("allocation", "strata", 1), "mood", "the stratum variable `mood` is none of imports.recruits.variables, known at allocation. There is `sex`, `age` and `town`."),
    "a formula that does not parse": ((*MODELS, 1, "formula"), "y ~ arm +", "formula, column 10: the formula ends too early. Name a column."),
    "blocks that do not divide by the ratio": (("allocation", "block_sizes", 1), 3, "blocks of 3 cannot hold the ratio, whose shares sum to 2. Use multiples of 2."),
    "windows that overlap": (("sessions", 1, "window", "opens"), 60, "`after` opens at 60, when `before` may last until 60. Let it open after 60."),
    # estimands and populations
    "an estimand that is not there": ((*HYPOTHESES, 2, "estimand"), "mood_gian", "`mood_gian` is no estimand. Did you mean `mood_gain`?"),
    "an unknown population": (("analysis", "population"), "everybody", "`everybody` is no population. Did you mean `everyone`?"),
    "an unknown population of a model": ((*MODELS, 2, "population"), "completed", "`completed` is no population. Did you mean `complete`?"),
    "records where people are allocated": (("analysis", "populations", 0, "rule"), "all_records", "the population `everyone` is of records without arms, but arms are allocated. Write randomised, every_session or sessions_in_window."),
    "an estimand twice": (("analysis", "estimands", 2), {**ESTIMAND, "id": "gain"}, "there is another estimand `gain` before this one. Rename one, or remove one."),
    "a population twice": (("analysis", "populations", 2), {"id": "everyone", "label": "All", "rule": "randomised"}, "there is another population `everyone` before this one. Rename one, or remove one."),
    "an exploratory question twice": (("analysis", "exploratory", 1), {"id": "by_age", "question": "Again?", "how": "So."}, "there is another exploratory question `by_age` before this one. Rename one, or remove one."),
    # pruning, and what a model leaves out
    "a pruned formula that does not parse": ((*MODELS, 0, "pruning", "formulas", 1), "y ~ arm * round +", "formula, column 18: the formula ends too early. Name a column."),
    "a pruned formula without random effects": ((*MODELS, 0, "pruning", "formulas", 1), "y ~ arm * round + sex + wave", "a pruned formula of `main` has no random term. Keep one, as `+ (1 | participant)`."),
    "a pruned formula of another outcome": ((*MODELS, 0, "pruning", "formulas", 1), "tact ~ arm * round + sex + wave + (1 | participant)", "a pruned formula of `main` begins with `tact`. Begin it with `y ~`."),
    "a pruned formula with other fixed effects": ((*MODELS, 0, "pruning", "formulas", 1), "y ~ arm + round + sex + wave + (1 | participant)", "a pruned formula of `main` has other fixed effects, `1 + arm + round + sex + wave`, than the model, `1 + arm + round + sex + wave + arm:round`. Prune random effects alone."),
    "a pruned formula of an unknown variable": ((*MODELS, 0, "pruning", "formulas", 1), "y ~ arm * round + sex + wave + (1 | partcipant)", "`partcipant` in the formula of `main` is no variable of the analysis data set. Did you mean `participant`?"),
    "a pruned formula that is the model's own": ((*MODELS, 0, "pruning", "formulas", 1), "y ~ arm * round + sex + wave + (round | participant) + (1 | scenario)", "a pruned formula of `main` was tried before. Write a simpler one, or remove it."),
    "something left out that was never in": ((*MODELS, 1, "leaves_out"), {"wave": "No.", "sexe": "No."}, "`sexe` is no stratum, nor the wave, so that `of_mood` leaves nothing out. Did you mean `sex`?"),
    "something left out that is in the formula": ((*MODELS, 1, "leaves_out"), {"wave": "No.", "sex": "No."}, "the formula of `of_mood` has `sex`, and leaves_out says that it has not. Remove it in one of the two places."),
    # raters
    "a scorer that is no rater": (("outcomes", 0, "scorer"), "jugde", "the scorer `jugde` of `warmth` is none of the raters. Did you mean `judge`?"),
    "a rater of nothing": (("raters", 2), {"id": "idle", "kind": "person", "description": "Sits.", "rubric": "rubric.md"}, "no outcome is scored by the rater `idle`. Name it as a scorer, or remove it."),
    "a rater twice": (("raters", 2), {"id": "judge", "kind": "person", "description": "Sits.", "rubric": "rubric.md"}, "there is another rater `judge` before this one. Rename one, or remove one."),
    "a person with a prompt": (("raters", 1, "prompt"), "prompt.md", "`prompt` is of a language model, and `experts` is a panel. Remove it, or write `kind: language_model`."),
    "a person with a model": (("raters", 1, "model"), "some-model-1", "`model` is of a language model, and `experts` is a panel. Remove it, or write `kind: language_model`."),
    "a person with a temperature": (("raters", 1, "temperature"), 0.5, "`temperature` is of a language model, and `experts` is a panel. Remove it, or write `kind: language_model`."),
    # files that the lock would not hold
    "a rubric that is no material": (("raters", 1, "rubric"), "rubrics.md", f"`rubrics.md` {UNHELD} `rubric.md`?"),
    "a prompt that is no material": (("raters", 0, "prompt"), "promt.md", f"`promt.md` {UNHELD} `prompt.md`?"),
    "a session's file that is no material": (("sessions", 1, "materials", 0), "tusk.md", f"`tusk.md` {UNHELD} `task.md`?"),
    "a consent form that is no material": (("recruitment", "consent", "material"), "consents.md", f"`consents.md` {UNHELD} `consent.md`?"),
    # quotas and stopping
    "a quota of an unknown variable": (("recruitment", "quotas", 0, "variable"), "sexe", "the quota `women` is of `sexe`, which is none of imports.recruits.variables. Did you mean `sex`?"),
    "a quota of a number": (("recruitment", "quotas", 0, "variable"), "age", "the quota `women` is of `age`, which is no category with levels. List its levels in imports.recruits.variables."),
    "a quota of an unknown level": (("recruitment", "quotas", 0, "value"), "female", "`female` is no level of `sex`. Did you mean `Female`?"),
    "a quota's name twice": (("recruitment", "quotas", 1), {"id": "women", "variable": "sex", "value": "Male", "at_most": 9, "reason": "enough"}, "there is another quota `women` before this one. Rename one, or remove one."),
    "a harm twice": (("recruitment", "harms", 1), {"id": "upset", "label": "Upset", "assessed": "So."}, "there is another harm `upset` before this one. Rename one, or remove one."),
    # waves
    "a model of the waves that is not there": (("wave_pooling", "heterogeneity"), "by_waves", "`by_waves` is no model. Did you mean `by_wave`?"),
    "a model of the waves that claims something": ((*MODELS, 2, "role"), "primary", "the model `by_wave` is primary, and shows only how the waves differ. Name a model of the role sensitivity or exploratory."),
    "a model of the waves without their interaction": ((*MODELS, 2, "formula"), "y ~ arm * round + wave + (1 | participant)", "the formula of `by_wave` has no interaction of arm and wave. Name a model with one, as `y ~ arm * wave`."),
    # scales and criteria
    "a reversed item that is none": (("outcomes", 3, "reverse", 0), "mood_11", "`mood_11` is keyed the other way, and is no item of `mood`. Did you mean `mood_1`?"),
    "a reversed item without bounds": (("outcomes", 3, "reverse", 1), "mood_3", "`mood_3` is keyed the other way, and has no bounds. Give its variable a minimum and a maximum, or codes."),
    "a criterion twice for and against": ((*HYPOTHESES, 2, "falsify_if"), "p < alpha", "the same criterion speaks for `happier` and against it. Say what would speak against it."),
}  # fmt: skip
ELSEWHERE = {
    "something left out that was never in": (*MODELS, 1, "leaves_out", "sexe"),
    "something left out that is in the formula": (*MODELS, 1, "leaves_out", "sex"),
    "a contrast of an arm that does not exist": ("analysis", "contrasts", 0, "weights", "arm[T.trainign]:round"),
    "a contrast that no hypothesis tests": ("analysis", "contrasts", 3, "id"),
    "an estimand twice": ("analysis", "estimands", 2, "id"),
    "a population twice": ("analysis", "populations", 2, "id"),
    "an exploratory question twice": ("analysis", "exploratory", 1, "id"),
    "a rater of nothing": ("raters", 2, "id"),
    "a rater twice": ("raters", 2, "id"),
    "a quota's name twice": ("recruitment", "quotas", 1, "id"),
    "a harm twice": ("recruitment", "harms", 1, "id"),
    "a model of the waves that claims something": ("wave_pooling", "heterogeneity"),
    "a model of the waves without their interaction": ("wave_pooling", "heterogeneity"),
}  # fmt: skip
"""Where the fault is, if it is not where the change was made."""


@pytest.mark.parametrize("name", FAULTS)
def test_is_found_on_its_line(name: str, changed: Callable[..., Any]) -> None:
    at, value, said = FAULTS[name]
    changed((at, value)).only(ELSEWHERE.get(name, at), said)


def test_a_family_that_leaves_out_a_test_of_a_primary_hypothesis_is_found(
    changed: Callable[..., Any],
) -> None:
    said = changed((("analysis", "families", 0, "contrasts"), ["start"]))
    what = "`gain` of `tact`, a primary test of `warmer`, is in no family. Add it to a family of the model `main`; its method may be none."
    said.includes((*HYPOTHESES, 0, "contrasts"), what)


def test_a_family_that_leaves_out_a_test_of_another_hypothesis_is_found(changed: Callable[..., Any]) -> None:
    at = ("analysis", "families", 0, "contrasts")
    said = changed((at, ["gain"]))
    assert len(said.problems) == 2
    what = "`start` of `warmth`, a test of `alike_before`, is left out of the family `of_gains`. Add it, or put it in a family of its own."
    said.includes(at, what)


def test_an_estimand_that_no_hypothesis_is_about_is_found(changed: Callable[..., Any]) -> None:
    said = changed(((*HYPOTHESES, 2, "estimand"), "gain"))
    what = "no hypothesis is about the estimand `mood_gain`. Name it in a hypothesis, or remove it."
    said.only(("analysis", "estimands", 1, "id"), what)


def test_a_rater_without_a_rubric_is_found(changed: Callable[..., Any], whole: Any) -> None:
    rater = {key: value for key, value in whole["raters"][1].items() if key != "rubric"}
    what = "the rater `experts` has no `rubric`. Add it: the file with the meaning of each point."
    changed((("raters", 1), rater)).only(("raters", 1), what)


def test_a_language_model_without_a_prompt_is_found(changed: Callable[..., Any], whole: Any) -> None:
    rater = {key: value for key, value in whole["raters"][0].items() if key != "prompt"}
    what = "the language model `judge` has no `prompt`. Add it: the file with its prompt."
    changed((("raters", 0), rater)).only(("raters", 0), what)


def test_a_second_quota_of_the_same_people_is_found(changed: Callable[..., Any], whole: Any) -> None:
    quota = whole["recruitment"]["quotas"][0] | {"id": "ladies"}
    at = ("recruitment", "quotas", 1)
    what = "there is another quota of `Female` before this one. Keep one of the two."
    changed((at, quota)).only((*at, "value"), what)


def test_quotas_need_recruits(changed: Callable[..., Any]) -> None:
    said = changed((("imports", "recruits"), ...))
    what = (
        "the quota `women` counts recruits, and imports has none. Add imports.recruits, or remove the quota."
    )
    said.includes(("recruitment", "quotas", 0), what)


def test_several_waves_without_a_word_on_pooling_are_found(changed: Callable[..., Any]) -> None:
    what = "there are several waves and no `wave_pooling`. Add it: how the waves become one analysis, and how they may differ."
    changed((("wave_pooling",), ...)).only(("waves",), what)


def test_pooling_of_one_wave_is_found(changed: Callable[..., Any], whole: Any) -> None:
    said = changed((("waves",), whole["waves"][:1]))
    said.only(
        ("wave_pooling",), "wave_pooling is of several waves, and there is one. Remove it, or add a wave."
    )


def test_a_population_by_sessions_needs_sessions(changed: Callable[..., Any]) -> None:
    said = changed((("sessions",), []))
    what = "the population `complete` is of people who held sessions, and there are none. Add sessions, or write randomised."
    said.includes(("analysis", "populations", 1, "rule"), what)


def test_nobody_is_analysed_as_allocated_without_allocation(changed: Callable[..., Any]) -> None:
    said = changed((("allocation",), "none"))
    what = "the population `everyone` is of people in the arm allocated, but allocation is none. Analyse all_records."
    said.includes(("analysis", "populations", 0, "rule"), what)


def test_windows_that_count_from_the_previous_session_follow_it(changed: Callable[..., Any]) -> None:
    window = {"anchor": "previous_session", "opens": 0, "target": 5, "closes": 30}
    assert changed((("sessions", 1, "window"), window)).problems == ()


def test_a_window_overlaps_with_one_that_counts_from_the_session_before(
    changed: Callable[..., Any], whole: Any
) -> None:
    between = {
        "id": "between",
        "label": "Between",
        "window": {"anchor": "previous_session", "opens": 0, "target": 5, "closes": 41},
        "variables": {"round": 0.5},
    }
    before, after = whole["sessions"]
    said = changed((("sessions",), [before, between, after]))
    what = "`after` opens at 100, when `between` may last until 101. Let it open after 101."
    said.includes(("sessions", 2, "window", "opens"), what)


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("corroborate_if", "p <", "ends too early"),
        ("corroborate_if", "q < alpha", "`q` is no number of a finding"),
        ("falsify_if", "__import__('os')", "column 1"),
    ],
)
def test_a_criterion_that_does_not_parse_is_found(
    changed: Callable[..., Any], key: str, text: str, said: str
) -> None:
    at = (*HYPOTHESES, 0, key)
    found = changed((at, text))
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"protocol.yaml:{found.line(at)}: ")
    assert said in found.problems[0]


@pytest.mark.parametrize(
    ("looks", "at", "said"),
    [
        ({}, "rule", NOT_YET.format("pocock")),
        ({"looks": [0.5, 0.5, 1]}, ("looks", 1), "the look at 0.5 does not come after the one at 0.5. List the looks in their order."),
        ({"looks": [0.5, 0.9]}, ("looks", 1), "the last look is at 0.9 of the information. End with 1."),
        ({"spending": "kim_demets"}, "spending", "`kim_demets` spends the significance level by a parameter, and none is given. Add `parameter`."),
        ({"parameter": -4}, "parameter", "`pocock` has no parameter. Remove it."),
    ],
)  # fmt: skip
def test_looks_are_judged_and_refused_by_name(
    changed: Callable[..., Any], looks: Any, at: Any, said: str
) -> None:
    found = changed((STOPPING, LOOKS | looks))
    found.includes((*STOPPING, *([at] if isinstance(at, str) else at)), said)
    found.includes((*STOPPING, "rule"), NOT_YET.format((LOOKS | looks)["spending"]))
    assert len(found.problems) == 1 + (at != "rule")


def test_a_parameter_is_taken_where_the_spending_has_one(changed: Callable[..., Any]) -> None:
    found = changed((STOPPING, LOOKS | {"spending": "hwang_shih_decani", "parameter": -4}))
    found.only((*STOPPING, "rule"), NOT_YET.format("hwang_shih_decani"))
