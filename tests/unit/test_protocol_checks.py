"""What the sections of a protocol say of each other: one change to a real study, one problem, on its line.

The studies are those of format 1, whose files never change. `@` in a change marks the place whose line the problem
names.
"""

from pathlib import Path

import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol import shipped
from forethought.protocol.loading import load

OLD = Path(__file__).parents[1] / "golden" / "protocols" / "format_1"


def copied(name: str, to: Path) -> Path:
    """The protocol.yaml of a study of format 1, beside the shipped study's materials."""
    study = shipped.copy(name, to)
    study.protocol.write_bytes((OLD / f"{name}.yaml").read_bytes())
    return study.protocol


def problems(name: str, old: str, new: str, folder: Path) -> tuple[tuple[str, ...], int]:
    """The problems of a study after one change to its text, and the line of `@` in the change."""
    study = copied(name, folder / "study")
    text = study.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
    marked = text.replace(old, new)
    line = marked[: marked.index("@")].count("\n") + 1
    study.write_text(marked.replace("@", ""), encoding="utf-8")
    with pytest.raises(ProtocolInvalid) as caught:
        load(study)
    return caught.value.problems, line


LEND_AN_EAR = [
    # names
    ("  - id: coach\n", "  - id: @video\n", "there is another arm `video` before this one", False),
    ("    code: AICoach", "    code: @Influencer", "there is another arm code `Influencer` before this one. Rename one, or remove one.", True),
    ("  - id: sites\n", "  - id: @jordan_empathy\n", "there is another outcome or variable `jordan_empathy` before this one. Rename one, or remove one.", True),
    ("    - id: mixed\n", "    - id: @overall\n", "there is another model `overall` before this one. Rename one, or remove one.", False),
    ("{name: ethnicity, ", "{name: @sex, ", "there is another outcome or variable `sex` before this one. Rename one, or remove one.", False),
    ("  name: scenario\n", "  name: @arm\n", "`arm` has a meaning of its own and cannot name a variable. Rename it.", False),
    ("  - number: 1\n", "  - number: @2\n", "wave 1 of the list has the number 2. Number the waves 1, 2, 3 in their order.", True),
    ("  sessions: [conversation_1, conversation_2, conversation_3]", "  sessions: [conversation_1, conversation_1, @conversation_3]", "there is another session `conversation_1` before this one. Rename one, or remove one.", True),
    # arms and allocation
    ("  ratio: {control: 1, video: 1, coach: 1, both: 1}", "  ratio: {control: 1, @vidoe: 1, coach: 1, both: 1}", "`vidoe` is no arm. Did you mean `video`?", True),
    ("  ratio: {control: 1, video: 1, coach: 1, both: 1}", "  @ratio: {control: 1, video: 1, coach: 2}", "the arm `both` is missing here. Add `both`.", True),
    ("  block_sizes: [4, 8]", "  block_sizes: [4, @6]", "blocks of 6 cannot hold the ratio, whose shares sum to 4. Use multiples of 4.", True),
    ("  block_sizes: [4, 8]", "  block_sizes: [4, @4]", "block size 4 is listed twice. List it once; sizes are equally likely.", True),
    ("  strata: [sex]", "  strata: [@sexe]", "the stratum variable `sexe` is none of imports.recruits.variables, known at allocation. Did you mean `sex`?", True),
    ("  strata: [sex]", "  strata: [@age]", "the stratum variable `age` is no category with levels. List its levels there.", True),
    ("  strata: [sex]", "  strata: [sex, @sex]", "the stratum variable `sex` is listed twice. List it once.", True),
    ("    factors: {video: false, coach: true}", "    factors: {video: false, @coahc: true}", "`coahc` is no factor. Did you mean `coach`?", True),
    # sessions
    ("      closes: 120\n", "      @closes: 3\n", "the window closes at 3, before its target or opening. Let opens <= target <= closes.", True),
    ("      anchor: allocation\n", "      @anchor: previous_session\n", "the first session has no previous session to count from. Write `anchor: allocation`.", True),
    ("    variables: {round: 0}", "    variables: {@runde: 0}", "`runde` is no variable. Did you mean `round`?", True),
    ("  items: [job_loss, passed_over, undervalued, loss_of_father, mothers_illness]", "  @items: [job_loss, passed_over]", "3 sessions need as many stimuli without repetition, not 2. Add items, or take sessions away.", False),
    ("  sessions: [conversation_1, conversation_2, conversation_3]", "  sessions: [conversation_1, conversation_2, @conversation_4]", "stimuli are for `conversation_4`, which is no session. Did you mean `conversation_3`?", True),
    # imports
    ("        session: baseline\n      - name: baseline_empathy_item_2", "        @session: basline\n      - name: baseline_empathy_item_2", "`baseline_empathy_item_1` is measured in `basline`, which is no session. Did you mean `baseline`?", False),
    ("        variable: age\n", "        @variable: aeg\n", "the criterion `adult` tests `aeg`, which is no variable here. Did you mean `age`?", True),
    ("        rule: {test: at_least, value: 18}", "        @rule: {test: contains, value: '18'}", "`age` is a number, and contains nothing. Use at_least or at_most.", True),
    ("        rule: {test: contains, value: English}", "        @rule: {test: at_least, value: 1}", "`fluent_languages` is no number, and has no at_least. Use one_of or none_of.", True),
    ("        rule: {test: one_of, values: [Female, Male, Prefer not to say]}", "        rule: {test: one_of, values: [Female, @Mail]}", "`Mail` is no level of `sex`. Did you mean `Male`?", True),
    ('    sessions: {"1": conversation_1, "2": conversation_2, "3": conversation_3}', '    sessions: {"1": conversation_1, "2": conversation_2, @"3": conversation_4}', "`conversation_4` is no session. Did you mean `conversation_3`?", True),
    ('    sessions: {"1": conversation_1, "2": conversation_2, "3": conversation_3}', '    @sessions: {"1": conversation_1, "2": conversation_2}', "no exported word means the session `conversation_3`. Add the word for it.", True),
    ("      job loss: job_loss\n", "      @job loss: joblos\n", "`joblos` is no stimulus. Did you mean `job_loss`?", True),
    ("    roles: {supporter: participant, seeker: partner}", "    @roles: {supporter: participant}", "no exported word means `partner`. Add the word for the partner.", True),
    ("      self_oriented: self_oriented\n", "      @self_orientd: self_oriented\n", "`self_orientd` is no rated outcome. Did you mean `self_oriented`?", False),
    # outcomes
    ("      validating_emotions: +1", "      @validating_emotion: +1", "`validating_emotion` is no other outcome. Did you mean `validating_emotions`?", True),
    ("      validating_emotions: +1", "      @overall_empathy: +1", "`overall_empathy` is no other outcome", False),
    ("    items: [baseline_empathy_item_8]", "    items: [@baseline_empathy_item_9]", "`baseline_empathy_item_9` is no variable of the session `baseline`. Did you mean `baseline_empathy_item_8`?", True),
    # models
    ("      formula: y ~ arm * round + (1 | participant) + (1 | scenario)", "      formula@: y ~ arm * round + (1 | participant) + (1 | scenarios)", "`scenarios` in the formula of `mixed` is no variable of the analysis data set. Did you mean `scenario`?", True),
    ("      formula: y ~ arm * round + (1 | participant) + (1 | scenario)", "      formula@: y ~ arm * round + (1 | participant", "formula, column 35: the formula ends too early. Close the random term with `)`.", False),
    ("      formula: y ~ arm * round + (1 | participant) + (1 | scenario)", "      formula@: score ~ arm * round + (1 | participant)", "the formula of `mixed` begins with `score`. Begin it with `y ~`, where y stands for each of the model's outcomes.", True),
    ("      formula: y ~ arm * round + (1 | participant) + (1 | scenario)", "      formula@: y ~ arm * round", "the mixed model `mixed` has no random term. Add one, as `+ (1 | participant)`, or write `kind: ols`.", True),
    ("      formula: y ~ arm * round + (1 | participant) + (1 | scenario)", "      formula@: y ~ arm * round + fluent_languages + (1 | participant)", "`fluent_languages` in the formula of `mixed` is free text. Declare it as a category.", True),
    ("      formula: y ~ arm * round + (1 | participant) + (1 | scenario)", "      estimation: ml\n      @ddf: kenward_roger\n      formula: y ~ arm * round + (1 | participant) + (1 | scenario)", "`mixed` asks for Kenward and Roger's degrees of freedom of a fit by maximum likelihood. Write `estimation: reml`, or `ddf: satterthwaite`.", True),
    ("      outcomes: [overall_empathy]\n      role: secondary\n      cluster: participant", "      outcomes: [overall_empathy]\n      role: secondary\n      @cluster: participants", "the cluster `participants` of `overall` is no variable of the analysis data set. Did you mean `participant`?", True),
    ("      outcomes: [overall_empathy]\n      role: secondary\n      cluster: participant", "      outcomes: [@overal_empathy]\n      role: secondary\n      cluster: participant", "`overal_empathy` of the model `overall` is no outcome. Did you mean `overall_empathy`?", False),
    ("      outcomes: [overall_empathy]\n      role: secondary\n      cluster: participant", "      outcomes: [overall_empathy, @sites]\n      role: secondary\n      cluster: participant", "`sites` is measured in no planned session, so that `overall` has no records of it. Model an outcome that a session measures.", True),
    # contrasts, hypotheses, families
    ('      weights: {"arm[T.video]:round": 1}', '      weights: {@"arm[T.vidoe]:round": 1}', "`arm[T.vidoe]:round` is no coefficient of the model `registered`. Did you mean `arm[T.video]:round`?", True),
    ('      weights: {"arm[T.video]:round": 1}', '      weights: {@"arm[T.control]:round": 1}', "`arm[T.control]:round` is no coefficient of the model `registered`", True),
    ('      weights: {"arm[T.video]:round": 1}', '      weights: {@"arm[T.video]:round": 0}', "`arm[T.video]:round` has the weight 0. Give it a weight, or remove it.", True),
    ("  contrasts:         # each compares changes from before to after training\n", "  contrasts:\n    - id: @spare\n      label: Spare\n      weights: {round: 1}\n", "no hypothesis tests the contrast `spare`. Add it to a hypothesis, or remove it.", True),
    ("      outcomes: [self_oriented]\n", "      outcomes: [@self_orientd]\n", "`self_orientd` is no outcome of its models. Did you mean `self_oriented`?", False),
    ("      models: [registered, mixed]\n      outcomes: [self_oriented]\n", "      models: [registered, @mixd]\n      outcomes: [self_oriented]\n", "`mixd` is no model. Did you mean `mixed`?", True),
    ("      models: [registered, mixed]\n      outcomes: [self_oriented]\n", "      @models: [mixed]\n      outcomes: [self_oriented]\n", "the primary hypothesis `self_oriented_improves` is tested by no primary model. Name one, or change the role of the model or hypothesis.", False),
    ("      label: Trainings against each other, overall empathy\n      model: overall\n      contrasts: [coach_vs_video, ", "      label: Each\n      model: overall\n      contrasts: [@video_x_round, coach_vs_video, ", "`video_x_round` of `overall_empathy` is in the family `overall_vs_control` too. Adjust each test in one family.", True),
    ('        - {term: "Intercept", estimate: "2.555", se: "0.061"}', '        - {@term: "intercept", estimate: "2.555", se: "0.061"}', "`intercept` is no coefficient of the model `registered`. Did you mean `Intercept`?", True),
    ('        - {term: "Intercept", estimate: "2.555", se: "0.061"}', '        - {term: "Intercept", @estimate: "2,555", se: "0.061"}', "`2,555` is no published number. Write the digits as printed, as \"0.051\".", True),
    # the assumed world
    ("lost_before: {conversation_1: 0.03, ", "lost_before: {@conversation_0: 0.03, ", "`conversation_0` is no session. Did you mean `conversation_1`?", True),
    ("lost_before: {conversation_1: 0.03, ", "lost_before: {@conversation_1: 1.3, ", "1.3 is no share of people. Write a number from 0 to less than 1.", True),
    ("    phrases: phrases.yaml", "    @phrases: phrase.yaml", "`phrase.yaml` is none of the materials, so that the lock would not hold it. Did you mean `phrases.yaml`?", True),
    # materials
    ("  - file: rubric.md", "  - @file: rubrik.md", "there is no file materials/rubrik.md. Did you mean `rubric.md`?", True),
    ("  - file: rubric.md", "  - @file: ../rubric.md", "`../rubric.md` lies outside the materials folder. Give a path inside it, with forward slashes.", True),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said", "alone"), LEND_AN_EAR)
def test_a_contradiction_is_one_problem_on_its_line(
    old: str, new: str, said: str, alone: bool, tmp_path: Path
) -> None:
    found, line = problems("lend_an_ear", old, new, tmp_path)
    assert any(one.startswith(f"protocol.yaml:{line}: {said}") for one in found), found
    assert not alone or len(found) == 1, found


def lines_of(found: tuple[str, ...]) -> list[int]:
    return [int(one.split(":")[1]) for one in found]


def test_one_arm_is_too_few_for_a_randomised_study(tmp_path: Path) -> None:
    study = copied("lend_an_ear", tmp_path / "study")
    text = study.read_text(encoding="utf-8")
    first, last = text.index("  - id: video\n"), text.index("allocation:\n")
    study.write_text(text[:first] + "\n" + text[last:], encoding="utf-8")
    with pytest.raises(ProtocolInvalid) as caught:
        load(study)
    said = "arms lists 1 arm; a randomised study needs two or more. Add an arm, or set `allocation: none`."
    line = text[: text.index("arms:")].count("\n") + 1
    assert f"protocol.yaml:{line}: {said}" in caught.value.problems


def test_arms_without_allocation_are_a_contradiction(tmp_path: Path) -> None:
    arms = "allocation: none\n@arms:\n  - {id: a, label: A, code: A, description: A.}\n"
    found, line = problems("sleepstudy", "allocation: none\n", arms, tmp_path)
    said = "arms lists 1 arm, but allocation is none. Remove the arms, or choose a method of allocation."
    assert found == (f"protocol.yaml:{line}: {said}",)


def test_a_window_that_opens_after_its_target_is_refused(tmp_path: Path) -> None:
    found, line = problems(
        "lend_an_ear", "      opens: 0\n      target: 5\n", "      opens: 10\n      @target: 5\n", tmp_path
    )
    said = "the target, 5, is before the window opens, 10. Let opens <= target <= closes."
    assert found == (f"protocol.yaml:{line}: {said}",)


def test_a_family_that_leaves_a_primary_test_out_is_found_at_each_hypothesis(tmp_path: Path) -> None:
    old = "six outcomes together\n      model: registered\n      contrasts: [video_x_round, coach_x_round, both_x_round]"
    new = "six outcomes together\n      model: registered\n      contrasts: [@video_x_round, coach_x_round]"
    found, _ = problems("lend_an_ear", old, new, tmp_path)
    assert len(found) == 6
    assert (
        "`both_x_round` of `validating_emotions`, a primary test of `validating_emotions_improves`, is in no family."
        in found[0]
    )


def test_a_family_of_a_test_that_no_hypothesis_makes_is_found(tmp_path: Path) -> None:
    old = "      contrasts: [coach_vs_video, both_vs_video, both_vs_coach]\n      direction: two_sided\n      smallest_effect: 0.9"
    new = "      contrasts: [@coach_vs_video, both_vs_video]\n      direction: two_sided\n      smallest_effect: 0.9"
    found, _ = problems("lend_an_ear", old, new, tmp_path)
    assert len(found) == 1
    assert (
        "`both_vs_coach` of `overall_empathy` in the model `overall` is tested by no hypothesis." in found[0]
    )


def test_better_is_said_of_outcomes_with_a_better_side_only(tmp_path: Path) -> None:
    found, line = problems("sleepstudy", "direction: greater", "@direction: better", tmp_path)
    said = "`Reaction` is a variable, of which neither side is better. Write greater, less or two_sided."
    assert found == (f"protocol.yaml:{line}: {said}",)


def test_shares_that_leave_nobody_are_refused(tmp_path: Path) -> None:
    found, _ = problems("lend_an_ear", "    returned: 0.05", "    returned@: 0.95", tmp_path)
    assert len(found) == 1
    assert "returned, timed_out and ineligible sum to 1.005, and leave nobody." in found[0]


def test_shifts_that_do_not_sum_to_zero_are_refused(tmp_path: Path) -> None:
    found, _ = problems("lend_an_ear", "      job_loss: 0.06", "      job_loss: @0.07", tmp_path)
    assert len(found) == 1
    assert "the shifts sum to 0.01. Let them sum to 0, so that they move no mean." in found[0]


def test_each_rated_outcome_has_its_published_model(tmp_path: Path) -> None:
    found, line = problems(
        "lend_an_ear", "      - outcome: dismissing_emotions\n", "      - @outcome: self_oriented\n", tmp_path
    )
    assert len(found) == 2
    assert found[0].endswith(
        "there is no published model for the rated outcome `dismissing_emotions`. Add it."
    )
    assert (
        found[1] == f"protocol.yaml:{line}: `self_oriented` was published above already. Keep one of the two."
    )


def test_a_covariate_of_the_model_needs_no_place_in_the_assumed_world(tmp_path: Path) -> None:
    study = copied("lend_an_ear", tmp_path / "study")
    text = study.read_text(encoding="utf-8")
    study.write_text(text.replace("y ~ arm * round\n", "y ~ arm * round + sex\n"), encoding="utf-8")
    assert load(study).protocol.analysis.models[0].formula == "y ~ arm * round + sex"


def test_a_covariates_coefficient_in_the_assumed_world_is_still_read(tmp_path: Path) -> None:
    study = copied("lend_an_ear", tmp_path / "study")
    text = study.read_text(encoding="utf-8").replace("y ~ arm * round\n", "y ~ arm * round + sex\n")
    before, assumed, after = text.partition("\nsimulation:\n")
    with_sex = after.replace('          "round":', '          "sex[T.Male]": 0.0\n          "round":', 1)
    with_sex = with_sex.replace('"round"', '"sex[T.Prefer not to say]": 0.0\n          "round"', 1)
    study.write_text(before + assumed + with_sex, encoding="utf-8")
    assert load(study).protocol.simulation is not None


def test_preparation_uses_only_what_is_there_at_its_step(tmp_path: Path) -> None:
    found, line = problems(
        "manybabies1", "    how: {kind: log, of: looking_time}", "    how: {kind: log, @of: item}", tmp_path
    )
    assert len(found) == 1
    assert found[0].startswith(f"protocol.yaml:{line}: `item` is no variable that is there at this step.")


def test_only_numbers_have_a_logarithm(tmp_path: Path) -> None:
    found, line = problems(
        "manybabies1", "    how: {kind: log, of: looking_time}", "    how: {kind: log, @of: lab}", tmp_path
    )
    assert found == (
        f"protocol.yaml:{line}: `lab` is no number, and has no log. Declare it with `type: number`.",
    )


def test_a_level_that_is_not_listed_makes_any_coefficient_possible_and_a_listed_one_does_not(
    tmp_path: Path,
) -> None:
    found, line = problems(
        "manybabies1",
        '"trial_type[T.IDS]:method[T.hpp]": 1',
        '@"trial_type[T.IDSS]:method[T.hppp]": 1',
        tmp_path,
    )
    assert len(found) == 1
    assert found[0].startswith(f"protocol.yaml:{line}: `trial_type[T.IDSS]:method[T.hppp]` is no coefficient")


def test_composites_made_of_each_other_are_found(tmp_path: Path) -> None:
    other = "  - id: circle\n    kind: composite\n    label: Circle\n    better: higher\n    weights: {overall_empathy: 1}\n"
    old = "  - id: overall_empathy\n    kind: composite\n    label: Overall empathy\n    weights:\n"
    found, _ = problems("lend_an_ear", old, f"{other}{old}      circle: 1@\n", tmp_path)
    assert any("are made of each other" in one for one in found)


def test_without_a_materials_folder_files_are_not_looked_for(tmp_path: Path) -> None:
    study = copied("lend_an_ear", tmp_path / "study")
    alone = tmp_path / "protocol.yaml"
    alone.write_bytes(study.read_bytes())
    assert load(alone).protocol.study.id == "lend_an_ear"


def test_contradictions_in_several_sections_come_together_in_the_order_of_lines(tmp_path: Path) -> None:
    study = copied("lend_an_ear", tmp_path / "study")
    text = study.read_text(encoding="utf-8").replace("block_sizes: [4, 8]", "block_sizes: [6]")
    text = text.replace("strata: [sex]", "strata: [age]").replace("job_loss: 0.06", "job_loss: 0.6")
    study.write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolInvalid) as caught:
        load(study)
    lines = lines_of(caught.value.problems)
    assert len(lines) == 3
    assert lines == sorted(lines)


def test_a_contrast_is_missed_where_there_is_none_at_all(tmp_path: Path) -> None:
    contrasts = "  contrasts:\n    - id: slowing\n      label: Change with each day\n      weights:\n        Days: 1\n"
    found, _ = problems("sleepstudy", contrasts, "  # @\n", tmp_path)
    assert len(found) == 1
    assert found[0].endswith("`slowing` is no contrast. There is none.")


def test_a_model_that_tests_nothing_of_its_hypothesis_is_found(tmp_path: Path) -> None:
    old = "      models: [overall, mixed]\n      outcomes: [overall_empathy]\n      contrasts: [video_x_round"
    new = "      models: [overall, mixed, @registered]\n      outcomes: [overall_empathy]\n      contrasts: [video_x_round"
    found, line = problems("lend_an_ear", old, new, tmp_path)
    said = "the model `registered` has none of the outcomes of the hypothesis `overall_improves`."
    assert len(found) == 1
    assert found[0].startswith(f"protocol.yaml:{line}: {said}")


def test_nobody_is_treated_as_intended_without_allocation(tmp_path: Path) -> None:
    found, line = problems(
        "sleepstudy", "population: all_records", "@population: intention_to_treat", tmp_path
    )
    said = (
        "the population `intention_to_treat` is of people in the arm allocated, but allocation is none. "
        "Analyse all_records."
    )
    assert found == (f"protocol.yaml:{line}: {said}",)
