"""The studies that travel with forethought: each is a sound protocol, and becomes a study folder."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from forethought.errors import WrongUsage
from forethought.protocol import plain_yaml, shipped
from forethought.protocol.allocation import PermutedBlocks
from forethought.protocol.analysis import MixedModel
from forethought.protocol.folder import StudyFolder
from forethought.protocol.loading import load
from forethought.protocol.measures import Rated
from forethought.protocol.protocol import FORMAT, Protocol
from forethought.protocol.vocabulary import schema

NOT_IN_ANY = {
    "Author": {"orcid"},
    "Dropouts": {"in_progress_minutes"},
    "MixedModel": {"population"},
    "PermutedBlocks": {"caps", "cluster", "drawn", "initial_simple", "list_length"},
    "Protocol": {"wave_pooling"},
    "Rater": {"model", "temperature"},
    "Recruitment": {"quotas"},
    "Recruits": {"missing"},
    "Responses": {"finished"},
    "Scale": {"reverse"},
}
"""Keys that none of the shipped studies has: their sources do not tell it, or it fits none of their designs."""
METHODS = {
    "BiasedCoin", "BigStick", "BlockUrn", "Complete", "Minimization", "Rerandomization", "Simple",
}  # fmt: skip
"""Methods of allocation that none of them has; tests/end_to_end/methods runs a study of each, with all their keys."""
WHOLLY_ABSENT = {"AtMost", "Cap", "Factor", "GroupSequential", "Quota", "WavePooling", *METHODS}


def protocol(name: str, folder: Path) -> Protocol:
    return load(shipped.copy(name, folder / name).protocol).protocol


def parts(value: object) -> Iterator[BaseModel]:
    """The protocol and every part of it, at every depth."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from parts(getattr(value, name))
    elif isinstance(value, dict | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from parts(one)


def texts(value: object) -> Iterator[str]:
    """Every text of a value, at every depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from texts(one)


def test_three_studies_are_shipped() -> None:
    assert shipped.names() == ("lend_an_ear", "manybabies1", "sleepstudy")


@pytest.mark.parametrize("name", shipped.names())
def test_each_is_a_protocol_without_a_problem(name: str, tmp_path: Path) -> None:
    found = protocol(name, tmp_path)
    assert found.study.id == name
    assert found.study.title == shipped.title(name)


def test_a_copy_is_a_study_folder_with_its_materials(tmp_path: Path) -> None:
    folder = shipped.copy("lend_an_ear", tmp_path / "new" / "study")
    assert StudyFolder.open(tmp_path / "new" / "study") == folder
    assert sorted(one.name for one in folder.path.iterdir()) == ["materials", "protocol.yaml"]
    declared = {material.file for material in load(folder.protocol).protocol.materials}
    assert {one.name for one in folder.materials.iterdir()} == declared


def test_the_data_that_travel_with_a_study_are_in_its_inbox(tmp_path: Path) -> None:
    folder = shipped.copy("sleepstudy", tmp_path / "study")
    rows = (folder.inbox / "sleepstudy.csv").read_text().splitlines()
    assert len(rows) == 181
    assert rows[0] == '"Reaction","Days","Subject"'


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    shipped.copy("sleepstudy", tmp_path)
    assert (tmp_path / "protocol.yaml").is_file()


def test_a_folder_that_is_not_empty_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(WrongUsage, match="this folder is not empty"):
        shipped.copy("sleepstudy", tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("mine")
    with pytest.raises(WrongUsage, match="this is a file"):
        shipped.copy("sleepstudy", tmp_path / "study")
    with pytest.raises(WrongUsage, match="the folder cannot be written"):
        shipped.copy("sleepstudy", tmp_path / "study" / "inside")


def test_an_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage) as caught:
        shipped.copy("sleep", tmp_path / "study")
    assert str(caught.value) == (
        "sleep: no shipped study has this name. There is `lend_an_ear`, `manybabies1` and `sleepstudy`."
    )
    assert not (tmp_path / "study").exists()


# --- what the format can say


@pytest.mark.parametrize("name", shipped.names())
def test_each_is_written_in_the_current_format(name: str, tmp_path: Path) -> None:
    assert protocol(name, tmp_path).format == FORMAT


@pytest.fixture(scope="module")
def every_part(tmp_path_factory: pytest.TempPathFactory) -> list[BaseModel]:
    """The parts of all shipped studies together."""
    folder = tmp_path_factory.mktemp("shipped")
    return [part for name in shipped.names() for part in parts(protocol(name, folder))]


def test_together_they_use_every_kind_of_part_but_those_for_designs_that_none_of_them_has(
    every_part: list[BaseModel],
) -> None:
    used = {type(part).__name__ for part in every_part}
    described = {name for name, one in schema()["$defs"].items() if one["type"] == "object"}
    assert described - used == WHOLLY_ABSENT


def test_together_they_use_every_key_but_those_that_their_sources_do_not_tell(
    every_part: list[BaseModel],
) -> None:
    unused: dict[str, set[str]] = {}
    for part in every_part:
        missing = unused.setdefault(type(part).__name__, set(type(part).model_fields))
        missing -= part.model_fields_set
    marks = {"assumed", "note"}  # of every part whose source may be silent
    assert {name: keys - marks for name, keys in unused.items() if keys - marks} == NOT_IN_ANY


@pytest.mark.parametrize("name", shipped.names())
def test_each_is_checked_without_a_warning(name: str, tmp_path: Path) -> None:
    assert load(shipped.copy(name, tmp_path / name).protocol).warnings == ()


@pytest.mark.parametrize("name", shipped.names())
def test_nothing_is_left_unsaid_or_to_be_done(name: str) -> None:
    data = plain_yaml.parse(shipped.text(name)).data
    forbidden = ("not_stated", "not stated", "todo", "tbd", "fixme", "xxx", "lorem")
    assert [text for text in texts(data) if any(word in text.lower() for word in forbidden)] == []


@pytest.mark.parametrize("name", shipped.names())
def test_the_estimands_are_those_of_the_hypotheses(name: str, tmp_path: Path) -> None:
    analysis = protocol(name, tmp_path).analysis
    named = {hypothesis.estimand for hypothesis in analysis.hypotheses}
    assert {estimand.id for estimand in analysis.estimands} == named


@pytest.mark.parametrize("name", shipped.names())
def test_each_population_is_analysed(name: str, tmp_path: Path) -> None:
    analysis = protocol(name, tmp_path).analysis
    named = {analysis.population, *(model.population for model in analysis.models)} - {None}
    assert {population.id for population in analysis.populations} == named


# --- what the facts say of the studies


def test_lend_an_ear_allocates_four_arms_equally_in_blocks_within_sex(tmp_path: Path) -> None:
    found = protocol("lend_an_ear", tmp_path)
    assert [(arm.id, arm.code) for arm in found.arms] == [
        ("control", "Control"),
        ("video", "Influencer"),
        ("coach", "AICoach"),
        ("both", "CoachPlusInfluencer"),
    ]
    allocation = found.allocation
    assert isinstance(allocation, PermutedBlocks)
    assert dict(allocation.ratio) == {"control": 1, "video": 1, "coach": 1, "both": 1}
    assert (allocation.block_sizes, allocation.strata, allocation.assumed) == ((4, 8), ("sex",), True)


def test_lend_an_ears_judge_has_a_rubric_and_a_prompt_and_is_told_neither_arm_nor_session(
    tmp_path: Path,
) -> None:
    found = protocol("lend_an_ear", tmp_path)
    (judge,) = found.raters
    assert {judge.rubric, judge.prompt} <= {material.file for material in found.materials}
    assert {one.scorer for one in found.outcomes if isinstance(one, Rated)} == {judge.id}
    assert (judge.blinded_to, judge.model, judge.assumed) == (("arm", "session"), None, True)


def test_lend_an_ears_prompt_names_each_outcome_and_where_rubric_and_conversation_go(tmp_path: Path) -> None:
    folder = shipped.copy("lend_an_ear", tmp_path / "study")
    prompt = (folder.materials / "judge_prompt.md").read_text(encoding="utf-8")
    sent = prompt.split("---", 1)[1]
    rated = [one.id for one in load(folder.protocol).protocol.outcomes if isinstance(one, Rated)]
    assert [name for name in rated if f'"{name}"' not in sent] == []
    assert (sent.count("{rubric}"), sent.count("{conversation}")) == (1, 1)


def test_lend_an_ears_consent_form_tells_where_help_is(tmp_path: Path) -> None:
    folder = shipped.copy("lend_an_ear", tmp_path / "study")
    recruitment = load(folder.protocol).protocol.recruitment
    form = (folder.materials / str(recruitment.consent.material)).read_text(encoding="utf-8")
    for line in ("988", "findahelpline.com"):
        assert line in recruitment.distress
        assert line in form


def test_lend_an_ears_published_standard_errors_are_those_that_the_sample_size_rests_on(
    tmp_path: Path,
) -> None:
    found = protocol("lend_an_ear", tmp_path)
    errors = sorted(
        row.se
        for table in found.analysis.expected
        for row in table.coefficients
        if row.se is not None and row.term.endswith("]:round")
    )
    rationale = found.recruitment.sample_size.rationale
    assert f"{errors[0]} to {errors[-1]} points" in rationale
    reach = [f"{float(error) * 1.96:.2f}" for error in (errors[0], errors[-1])]
    assert f"{reach[0]} to {reach[1]} points to either side" in " ".join(rationale.split())


def test_lend_an_ears_published_models_imply_the_published_overall_empathy(tmp_path: Path) -> None:
    """Facts, section 1.5: constant -1.413, training by round 1.603, 2.909 and 3.628."""
    found = protocol("lend_an_ear", tmp_path)
    assert found.simulation is not None
    overall = found.outcomes_by_id["overall_empathy"]
    sums: dict[str, Decimal] = {}
    for table in found.simulation.outcomes.published:
        for term, value in table.coefficients.items():
            weight = Decimal(str(overall.weights[table.outcome]))  # type: ignore[union-attr]
            sums[term] = sums.get(term, Decimal(0)) + weight * Decimal(str(value))
    assert sums["Intercept"] == Decimal("-1.413")
    assert sums["arm[T.video]:round"] == Decimal("1.603")
    assert sums["arm[T.coach]:round"] == Decimal("2.909")
    assert sums["arm[T.both]:round"] == Decimal("3.628")


def test_lend_an_ears_published_numbers_are_the_same_where_they_stand_twice(tmp_path: Path) -> None:
    found = protocol("lend_an_ear", tmp_path)
    assert found.simulation is not None
    simulated = {table.outcome: table for table in found.simulation.outcomes.published}
    for expected in found.analysis.expected:
        table = simulated[expected.outcome]
        printed = {row.term: row for row in expected.coefficients}
        assert {term: float(row.estimate or "nan") for term, row in printed.items()} == table.coefficients
        assert float(printed["Intercept"].se or "nan") == table.se_intercept
        assert float(printed["round"].se or "nan") == table.se_round


def test_of_lend_an_ears_simulated_submissions_about_968_finish(tmp_path: Path) -> None:
    found = protocol("lend_an_ear", tmp_path)
    assert found.simulation is not None
    flow = found.simulation.flow
    left = flow.submissions * (1 - flow.returned - flow.timed_out - flow.ineligible)
    for share in flow.lost_before.values():
        left *= 1 - share
    assert round(left) == 968


def test_manybabies_model_would_be_pruned_of_its_items_first(tmp_path: Path) -> None:
    (model,) = protocol("manybabies1", tmp_path).analysis.models
    assert isinstance(model, MixedModel)
    assert model.pruning is not None
    assert model.pruning.formulas == (model.formula.replace(" + (1 | item)", ""),)


def test_manybabies_published_table_has_fifteen_rows_and_as_many_refitted(tmp_path: Path) -> None:
    found = protocol("manybabies1", tmp_path)
    tables = {expected.id: expected for expected in found.analysis.expected}
    assert [len(tables[name].coefficients) for name in ("published", "lme4")] == [15, 15]
    for printed, refitted in zip(tables["published"].coefficients, tables["lme4"].coefficients, strict=True):
        assert printed.term == refitted.term
        assert f"{float(f'{float(refitted.estimate or 0):.3g}'):.3f}" == printed.estimate


@pytest.mark.parametrize("name", ["manybabies1", "sleepstudy"])
def test_the_observed_studies_are_not_randomised_and_have_one_mixed_model(name: str, tmp_path: Path) -> None:
    found = protocol(name, tmp_path)
    assert not found.randomised
    assert [type(model) for model in found.analysis.models] == [MixedModel]
