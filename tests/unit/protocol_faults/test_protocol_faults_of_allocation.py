"""What a protocol may not say of its allocation: each method's own rules, and rules that exclude each other."""

from collections.abc import Callable
from typing import Any

import pytest

from forethought.protocol.loading import LoadedProtocol

KeyPath = tuple[str | int, ...]

COMMON = ("ratio", "dropouts", "seed", "concealment")
MINIMIZATION = {
    "method": "minimization",
    "factors": [{"name": "sex"}],
    "imbalance": "range",
    "chance": 0.8,
}
RERANDOMIZATION = {
    "method": "rerandomization",
    "variables": ["age", "sex"],
    "criterion": "mahalanobis",
    "at_most": 2.5,
}
COIN = {"method": "biased_coin", "chance": "2/3", "strata": ["sex"]}
STARTS = {
    "count": "completed_or_in_progress",
    "in_progress_minutes": 60,
    "replace": "reopen_place",
    "statement": "Stale starts make room.",
}
CLUSTERS = {"unit": "cluster", "cluster": "town"}

SOUND: dict[str, dict[str, Any]] = {
    "simple": {"method": "simple"},
    "complete": {"method": "complete", "size": 20, "strata": ["sex"]},
    "sealed blocks": {"method": "permuted_blocks", "block_sizes": "sealed"},
    "an unequal urn": {"method": "block_urn", "block_size": 6, "ratio": {"control": 1, "training": 2}},
    "a coin with stale starts": {**COIN, "dropouts": STARTS, "initial_simple": 4},
    "a stick with caps": {
        "method": "big_stick",
        "tolerance": 3,
        "strata": ["sex"],
        "caps": [{"arm": "control", "at_most": 20, "stratum": {"sex": "Female"}}],
    },
    "minimisation": MINIMIZATION,
    "unequal minimisation": {**MINIMIZATION, "chance": 0.6, "ratio": {"control": 1, "training": 2}},
    "rerandomisation": RERANDOMIZATION,
    "clusters": {"method": "simple", **CLUSTERS},
    "a list drawn ahead": {**COIN, "drawn": "ahead", "list_length": 40},
}

FAULTS: dict[str, tuple[dict[str, Any], KeyPath, str]] = {
    # numbers of a method
    "an urn that does not hold the ratio": ({"method": "block_urn", "block_size": 3}, ("block_size",), "an urn of 3 cannot hold the ratio, whose shares sum to 2. Use a multiple of 2."),
    "a coin that unbalances": ({**COIN, "chance": 0.4}, ("chance",), "the arm behind has up to 1/2 by the ratio alone, and a chance of 0.4 would unbalance the arms. Write 1/2 or more."),
    "a coin below the larger share": ({**COIN, "chance": 0.6, "ratio": {"control": 1, "training": 2}}, ("chance",), "the arm behind has up to 2/3 by the ratio alone, and a chance of 0.6 would unbalance the arms. Write 2/3 or more."),
    "minimisation that unbalances": ({**MINIMIZATION, "chance": "1/3"}, ("chance",), "the best arm has 1/2 by the ratio alone, and a chance of 1/3 would unbalance the arms. Write 1/2 or more."),
    "a chance with too many digits": ({**COIN, "chance": 0.7777777777777778, "ratio": {"control": 300, "training": 500}}, ("chance",), 'the chance 0.7777777777777778 and the ratio, whose shares sum to 800, have too many digits. Write a fraction of small numbers, as "4/5".'),
    "a certain arm": ({**COIN, "chance": 1}, ("chance",), 'allocation.chance: a probability is a number above 0 and below 1, or a fraction such as "2/3". Correct it.'),
    "a fraction above one": ({**COIN, "chance": "3/2"}, ("chance",), 'allocation.chance: a probability is a number above 0 and below 1, or a fraction such as "2/3". Correct it.'),
    "a stick without tolerance": ({"method": "big_stick", "tolerance": 0}, ("tolerance",), "allocation.tolerance is `0`; it must be at least 1. Correct it."),
    "fixed numbers of one": ({"method": "complete", "size": 1}, ("size",), "allocation.size is `1`; it must be at least 2. Correct it."),
    "a misspelt seal": ({"method": "permuted_blocks", "block_sizes": "seald"}, ("block_sizes",), "allocation.block_sizes cannot be `seald`. Did you mean `sealed`?"),
    "no block": ({"method": "permuted_blocks", "block_sizes": []}, ("block_sizes",), "allocation.block_sizes lists 0, and needs 1 or more. Add to the list."),
    "a ratio of too many": ({"method": "simple", "ratio": {"control": 1, "training": 1000000}}, ("ratio", "training"), "allocation.ratio.training is `1000000`; it must be at most 100,000. Correct it."),
    # what the draw looks at
    "a factor that nobody is asked": ({**MINIMIZATION, "factors": [{"name": "sexe"}]}, ("factors", 0, "name"), "the factor `sexe` is none of imports.recruits.variables, known at allocation. Did you mean `sex`?"),
    "a factor without levels": ({**MINIMIZATION, "factors": [{"name": "age"}]}, ("factors", 0, "name"), "the factor `age` is no category with levels. List its levels there."),
    "a factor twice": ({**MINIMIZATION, "factors": [{"name": "sex"}, {"name": "sex"}]}, ("factors", 1, "name"), "the factor `sex` is listed twice. List it once."),
    "free text to be balanced": ({**RERANDOMIZATION, "variables": ["town"]}, ("variables", 0), "the balance variable `town` is neither a number nor a category with levels. List its levels there, or name a number."),
    "clusters without a name": ({"method": "simple", "unit": "cluster"}, ("unit",), "clusters are allocated, and nothing says which cluster a person belongs to. Add `cluster`, the recruitment variable that names it."),
    "clusters of people": ({"method": "simple", "cluster": "town"}, ("cluster",), "`cluster` names the clusters that are allocated, but the unit is participant. Write `unit: cluster`, or remove it."),
    "an unknown cluster": ({"method": "simple", "unit": "cluster", "cluster": "twon"}, ("cluster",), "the cluster variable `twon` is none of imports.recruits.variables, known at allocation. Did you mean `town`?"),
    "a number as cluster": ({"method": "simple", "unit": "cluster", "cluster": "age"}, ("cluster",), "the cluster variable `age` is a number, and names nothing. Write `type: category` or `type: text` there."),
    "a cluster that is a stratum": ({**COIN, "unit": "cluster", "cluster": "sex"}, ("cluster",), "`sex` is the cluster and a stratum variable: a cluster would be balanced against itself. Remove it in one of the two places."),
    # who counts
    "progress without minutes": ({**COIN, "dropouts": STARTS | {"in_progress_minutes": None}}, ("dropouts", "count"), "who is in progress counts towards balance, and nothing says for how long. Add `in_progress_minutes`."),
    "minutes of nobody": ({**COIN, "dropouts": STARTS | {"count": "completed"}}, ("dropouts", "in_progress_minutes"), "`in_progress_minutes` is of `completed_or_in_progress`, and `completed` counts. Remove it, or change `count`."),
    "clusters that leave": ({"method": "simple", **CLUSTERS, "dropouts": STARTS | {"replace": "never"}}, ("dropouts", "count"), "a cluster stays allocated whoever leaves it, and `completed_or_in_progress` is of people. Write `everyone_allocated`."),
    # lists, caps
    "a list without a length": ({**COIN, "drawn": "ahead"}, ("drawn",), "the list drawn ahead has no length. Add `list_length`."),
    "a length without a list": ({**COIN, "list_length": 40}, ("list_length",), "`list_length` is of a list drawn ahead, and arms are drawn on arrival. Remove it, or write `drawn: ahead`."),
    "minimisation drawn ahead": ({**MINIMIZATION, "drawn": "ahead", "list_length": 40}, ("drawn",), "minimization looks at who comes, and cannot be drawn ahead. Write `on_arrival`."),
    "a list with caps": ({**COIN, "drawn": "ahead", "list_length": 40, "caps": [{"arm": "control", "at_most": 30}]}, ("caps",), "a list drawn ahead has no caps: it would use up its places without them. Remove them, or draw on arrival."),
    "a list that knows who leaves": ({**COIN, "drawn": "ahead", "list_length": 40, "dropouts": STARTS | {"replace": "never"}}, ("dropouts", "count"), "a list drawn ahead cannot know who leaves, and `completed_or_in_progress` counts. Write `everyone_allocated`, or draw on arrival."),
    "a cap of no arm": ({**COIN, "caps": [{"arm": "trainnig", "at_most": 60}]}, ("caps", 0, "arm"), "`trainnig` is no arm. Did you mean `training`?"),
    "a cap of no level": ({**COIN, "caps": [{"arm": "control", "at_most": 60, "stratum": {"sex": "Mal"}}]}, ("caps", 0, "stratum", "sex"), "`Mal` is no level of `sex`. Did you mean `Male`?"),
    "a cap of what the draw does not look at": ({**COIN, "caps": [{"arm": "control", "at_most": 60, "stratum": {"town": "X"}}]}, ("caps", 0, "stratum", "town"), "the cap is of a level of `town`, which the allocation does not look at. There is `sex`."),
    "a cap twice": ({**COIN, "caps": [{"arm": "control", "at_most": 60}, {"arm": "control", "at_most": 70}]}, ("caps", 1), "there is another cap of `control` like this one before it. Keep one of the two."),
    # rerandomisation
    "unequal arms to be alike": ({**RERANDOMIZATION, "ratio": {"control": 1, "training": 2}}, ("ratio",), "rerandomisation compares arms of equal shares, and the ratio has others. Give every arm the same share."),
    "clusters to be alike": ({**RERANDOMIZATION, **CLUSTERS}, ("unit",), "rerandomisation allocates people, and the unit is cluster. Write `participant`."),
    "a cap among many": ({**RERANDOMIZATION, "caps": [{"arm": "control", "at_most": 60}]}, ("caps",), "people are allocated together, and an arm cannot be full for some of them. Remove the caps."),
    "the first among many": ({**RERANDOMIZATION, "initial_simple": 2}, ("initial_simple",), "people are allocated together, and none of them comes first. Remove it."),
    "a batch that somebody leaves": ({**RERANDOMIZATION, "dropouts": STARTS | {"replace": "never"}}, ("dropouts", "count"), "a batch is balanced once, and `completed_or_in_progress` could not change it. Write `everyone_allocated`."),
}  # fmt: skip


@pytest.fixture
def allocated(whole: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The section with another method and its keys."""

    def section(given: dict[str, Any]) -> dict[str, Any]:
        return {key: whole["allocation"][key] for key in COMMON} | given

    return section


@pytest.mark.parametrize("given", SOUND.values(), ids=SOUND)
def test_each_method_can_be_written(
    given: dict[str, Any], allocated: Callable[..., Any], changed: Callable[..., Any]
) -> None:
    assert changed((("allocation",), allocated(given))).problems == ()


@pytest.mark.parametrize(("given", "at", "said"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_allocation_is_one_problem_on_its_line(
    given: dict[str, Any],
    at: KeyPath,
    said: str,
    allocated: Callable[..., Any],
    changed: Callable[..., Any],
) -> None:
    changed((("allocation",), allocated(given))).only(("allocation", *at), said)


@pytest.mark.parametrize("replace", ["reopen_place", "next_arrival"])
def test_nobody_can_be_replaced_where_everyone_keeps_the_place(
    replace: str, allocated: Callable[..., Any], changed: Callable[..., Any]
) -> None:
    rule = {"count": "everyone_allocated", "replace": replace, "statement": "So."}
    changed((("allocation",), allocated({**COIN, "dropouts": rule}))).only(
        ("allocation", "dropouts", "replace"),
        f"everyone allocated keeps the place, and `{replace}` has no place to fill. Write `never`, or count otherwise.",
    )


def test_an_arm_that_gets_none_of_a_fixed_number_is_told(changed: Callable[..., Any], whole: Any) -> None:
    third = {"id": "rest", "label": "Rest", "code": "C", "description": "Rest.", "factors": {"lesson": False}}
    section = {key: whole["allocation"][key] for key in COMMON} | {"method": "complete", "size": 2}
    section["ratio"] = {"control": 1, "training": 1, "rest": 1}
    changed((("arms", 2), third), (("allocation",), section)).includes(
        ("allocation", "size"),
        "of 2 units, one of the 3 arms gets none. Write 3 or more; best a multiple of the ratio's sum.",
    )


def test_a_williams_design_has_as_many_sessions_as_stimuli(changed: Callable[..., Any]) -> None:
    changed((("stimuli", "order"), "williams"), (("stimuli", "items", 2), "smoke"), (("imports", "conversations", "stimuli", "fumes"), "smoke")).only(
        ("stimuli", "order"),
        "a Williams design has as many sessions as stimuli, not 2 of 3. Take items away, or write `latin_square`.",
    )  # fmt: skip


WARNINGS: dict[str, tuple[dict[str, Any], KeyPath, str]] = {
    "one block size that deliverers see": ({"method": "permuted_blocks", "block_sizes": [4]}, ("block_sizes",), "every block has the same size, and who delivers the arms knows them: the last arm of a block is certain."),
    "a chance near one": ({**COIN, "chance": "97/100"}, ("chance",), "with a chance of 97/100, whoever knows the numbers so far is all but certain of the next arm."),
    "minimisation near one": ({**MINIMIZATION, "chance": 0.99}, ("chance",), "with a chance of 0.99, whoever knows the numbers so far is all but certain of the next arm."),
    "the next arrival": ({**COIN, "dropouts": STARTS | {"replace": "next_arrival"}}, ("dropouts", "replace"), "the next arrival takes the arm of whoever left, so that who knows that arm knows the next one."),
    "completers only": ({**COIN, "dropouts": {"count": "completed", "replace": "never", "statement": "So."}}, ("dropouts", "count"), "only who has completed counts towards balance: of many who come at once nobody does, and arms may drift apart."),
    "blocks larger than the wave": ({"method": "permuted_blocks", "block_sizes": [2, 30], "strata": ["sex"]}, ("strata",), "the arms are balanced over 2 strata with 30 units each, and a wave has 40 people: most of it stays unfinished."),
    "an urn larger than the wave": ({"method": "block_urn", "block_size": 60}, ("block_size",), "the arms are balanced over 60 units, and a wave has 40 people: most of it stays unfinished."),
    "caps without room": ({"method": "simple", "caps": [{"arm": "control", "at_most": 19}, {"arm": "training", "at_most": 20}]}, ("caps",), "the caps leave room for 39 people, and a wave aims at 40."),
    "caps of levels without room": ({**COIN, "caps": [{"arm": "control", "at_most": 10}, *({"arm": "training", "stratum": {"sex": sex}, "at_most": 12} for sex in ("Female", "Male"))]}, ("caps",), "the caps leave room for 34 people, and a wave aims at 40."),
    "a short list": ({**COIN, "drawn": "ahead", "list_length": 15}, ("list_length",), "the list has room for 30 people, and a wave aims at 40."),
}  # fmt: skip


@pytest.mark.parametrize(("given", "at", "said"), WARNINGS.values(), ids=WARNINGS)
def test_an_unwise_allocation_is_warned_of(
    given: dict[str, Any],
    at: KeyPath,
    said: str,
    whole: Any,
    allocated: Callable[..., Any],
    loaded: Callable[[Any], LoadedProtocol],
) -> None:
    whole["allocation"] = allocated(given)
    whole["blinding"]["deliverers"] = False
    found = loaded(whole)
    place = found.document.line(("allocation", *at))
    assert any(one.startswith(f"protocol.yaml:{place}: warning: {said}") for one in found.warnings)


def test_blocks_of_one_size_are_right_where_deliverers_are_blind(
    whole: Any, allocated: Callable[..., Any], loaded: Callable[[Any], LoadedProtocol]
) -> None:
    whole["allocation"] = allocated({"method": "permuted_blocks", "block_sizes": [4]})
    assert loaded(whole).warnings == ()


def test_an_unequal_ratio_of_minimisation_is_right(
    whole: Any, allocated: Callable[..., Any], loaded: Callable[[Any], LoadedProtocol]
) -> None:
    whole["allocation"] = allocated({**MINIMIZATION, "ratio": {"control": 1, "training": 3}})
    assert loaded(whole).warnings == ()


@pytest.mark.parametrize(
    ("given", "noun"),
    [
        (COIN, "the stratum `sex`, within which arms are allocated"),
        (MINIMIZATION, "the factor `sex`, by which arms are balanced"),
        ({**RERANDOMIZATION, "variables": ["sex"]}, "`sex`, by which arms are balanced"),
    ],
)
def test_a_model_without_what_the_arms_are_balanced_by_is_warned_of(
    given: dict[str, Any],
    noun: str,
    whole: Any,
    allocated: Callable[..., Any],
    loaded: Callable[[Any], LoadedProtocol],
) -> None:
    whole["allocation"] = allocated(given)
    whole["analysis"]["models"][1]["formula"] = "y ~ arm"
    (warning,) = loaded(whole).warnings
    assert f"the secondary model `of_mood` leaves out {noun}." in warning


def test_something_left_out_that_is_no_factor_is_told(
    changed: Callable[..., Any], allocated: Callable[..., Any]
) -> None:
    at = ("analysis", "models", 1, "leaves_out")
    found = changed((("allocation",), allocated(MINIMIZATION)), (at, {"wave": "No.", "age": "No."}))
    found.only((*at, "age"), "`age` is no factor, nor the wave, so that `of_mood` leaves nothing out. There is `sex` and `wave`.")  # fmt: skip


def test_models_of_clusters_that_take_people_for_independent_are_warned_of(
    whole: Any, allocated: Callable[..., Any], loaded: Callable[[Any], LoadedProtocol]
) -> None:
    whole["allocation"] = allocated({"method": "simple", **CLUSTERS})
    mixed, linear = loaded(whole).warnings
    assert "the primary model `main` takes the people of one `town` for independent" in mixed
    assert mixed.endswith("Add `(1 | town)`.")
    assert linear.endswith("Write `cluster: town`.")


def test_stimuli_that_a_fixed_order_never_comes_to_are_warned_of(
    whole: Any, loaded: Callable[[Any], LoadedProtocol]
) -> None:
    whole["stimuli"] |= {"order": "fixed", "items": ["flood", "fire", "smoke"]}
    whole["imports"]["conversations"]["stimuli"]["fumes"] = "smoke"
    (warning,) = loaded(whole).warnings
    assert "in the fixed order nobody meets `smoke`." in warning
