"""Sound protocols by chance, for the tests of protocols: arms, sessions, outcomes, models and what refers to them."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st

settings.register_profile("same everywhere", derandomize=True, database=None)
settings.load_profile("same everywhere")

Data = dict[str, Any]

words = st.text(st.sampled_from("abcdefgh éß'\"#:,-.%é漢"), min_size=1, max_size=12).map(
    lambda text: f"A {text}."
)
CRITERIA = (
    "p_adjusted < alpha and ci_low > 0",
    "ci_high < smallest_effect",
    "not (estimate > 0 or p >= 0.5)",
    "ci_low > -smallest_effect and ci_high < smallest_effect",
)


def names(prefix: str, low: int, high: int) -> st.SearchStrategy[list[str]]:
    """Different names that begin with the prefix, so that no two sections share one."""
    ends = st.text(st.sampled_from("abcxyz019_"), min_size=1, max_size=5)
    return st.lists(ends, min_size=low, max_size=high, unique=True).map(
        lambda found: [f"{prefix}_{end}" for end in found]
    )


def some(draw: st.DrawFn, items: Sequence[Any], least: int = 0) -> list[Any]:
    """Some of the items, in their order."""
    kept = draw(st.lists(st.booleans(), min_size=len(items), max_size=len(items)))
    found = [item for item, keep in zip(items, kept, strict=True) if keep]
    return found if len(found) >= least else list(items)


@st.composite
def any_protocol(draw: st.DrawFn) -> Data:
    """The data of a sound protocol of format 2."""
    made = draw(randomised()) if draw(st.booleans()) else draw(observed())
    return json.loads(json.dumps(made))  # type: ignore[no-any-return]  # no two parts are one object


def told(draw: st.DrawFn, *keys: str) -> Data:
    """A text under each key."""
    return {key: draw(words) for key in keys}


def item(draw: st.DrawFn, name: str, **given: Any) -> Data:
    """Something with an id and a label."""
    return {"id": name, **told(draw, "label"), **given}


def variable(draw: st.DrawFn, name: str, kind: str, **given: Any) -> Data:
    return {"name": name, **told(draw, "column"), "type": kind, **given}


def around(draw: st.DrawFn) -> Data:
    """The sections that say nothing of others."""
    study = told(draw, "title", "summary", "ethics", "funding", "conflicts") | {
        "id": draw(names("study", 1, 1))[0],
        "authors": [told(draw, "name")],
        "type": draw(st.sampled_from(["experiment", "observational", "other"])),
        "framework": draw(st.sampled_from(["superiority", "equivalence", "exploratory"])),
        "existing_data": {"status": "prior_to_creation", **told(draw, "explanation")},
    }
    recruitment = told(draw, "population", "procedure", "compensation", "distress") | {
        "consent": told(draw, "procedure"),
        "sample_size": told(draw, "rationale") | {"stopping": {"rule": "fixed", **told(draw, "statement")}},
    }
    unaware = {key: draw(st.booleans()) for key in ("participants", "deliverers", "raters", "analysts")}
    return {
        "format": "forethought-protocol/2",
        "study": study,
        "recruitment": recruitment,
        "blinding": unaware | told(draw, "how"),
        "data_sharing": {"level": "open", **told(draw, "data", "code", "materials")},
    }


def waves(draw: st.DrawFn, most: int) -> list[Data]:
    months = range(1, draw(st.integers(1, most)) + 1)
    return [
        {"number": one, "opens": f"2026-0{one}-01T09:00:00+00:00", "target": draw(st.integers(1, 999))}
        for one in months
    ]


@st.composite
def observed(draw: st.DrawFn) -> Data:
    """A study without allocation: one model of imported records."""
    numbers, groups = draw(names("number", 2, 5)), draw(names("group", 0, 2))
    outcome, predictors = numbers[0], numbers[1:]
    right = " + ".join([*predictors, *groups])
    kind: Data = {"kind": "ols", "formula": f"y ~ {right}", "cluster": "participant"}
    if draw(st.booleans()):
        kind = {"kind": "mixed", "formula": f"y ~ {right} + (1 | participant)"}
    model = item(draw, "line", role="primary", outcomes=[outcome], **kind)
    contrasts = [item(draw, f"slope_{one}", weights={one: 1.5}) for one in predictors]
    variables = [variable(draw, one, "number") for one in numbers]
    variables += [variable(draw, one, "category") for one in groups]
    responses = {"source": "csv", "participant": "who", "record": "row", "variables": variables}
    return around(draw) | {
        "waves": waves(draw, 1),
        "allocation": "none",
        "imports": {"responses": responses},
        "analysis": analysis(draw, [model], contrasts, "all_records", "greater"),
    }


def analysis(draw: st.DrawFn, models: list[Data], contrasts: list[Data], rule: str, direction: str) -> Data:
    """Models and contrasts with a hypothesis, an estimand and a family for each model that claims something."""
    named = [contrast["id"] for contrast in contrasts]
    claiming = [model for model in models if model["role"] in ("primary", "secondary")]
    return {
        "population": "everyone",
        "populations": [item(draw, "everyone", rule=rule)],
        "missing_data": {"assumption": "mar", "method": "available_records", **told(draw, "statement")},
        "alpha": draw(st.sampled_from([0.05, 0.01, 0.1])),
        "estimands": [estimand(draw, model["id"]) for model in claiming],
        "models": models,
        "contrasts": contrasts,
        "hypotheses": [hypothesis(draw, model, named, direction) for model in claiming],
        "families": [family(draw, model, named) for model in claiming],
    }


def estimand(draw: st.DrawFn, model: str) -> Data:
    event = told(draw, "event", "handling") | {"strategy": "treatment_policy"}
    attributes = told(draw, "treatment", "population", "variable", "summary")
    return {"id": f"of_{model}", **attributes, "intercurrent_events": [event]}


def hypothesis(draw: st.DrawFn, model: Data, contrasts: list[str], direction: str) -> Data:
    return {
        "id": f"claim_{model['id']}",
        **told(draw, "statement"),
        "role": model["role"],
        "models": [model["id"]],
        "outcomes": model["outcomes"],
        "contrasts": contrasts,
        "direction": direction,
        "smallest_effect": draw(st.floats(0.001, 100)),
        "corroborate_if": draw(st.sampled_from(CRITERIA[:2])),
        "falsify_if": draw(st.sampled_from(CRITERIA[2:])),
        "estimand": f"of_{model['id']}",
    }


def family(draw: st.DrawFn, model: Data, contrasts: list[str]) -> Data:
    tests = {"model": model["id"], "contrasts": contrasts, "outcomes": model["outcomes"]}
    scope = draw(st.sampled_from(["all_outcomes", "within_outcome"]))
    return item(
        draw, f"family_{model['id']}", **tests, scope=scope, method=draw(st.sampled_from(["none", "holm"]))
    )


def sessions(draw: st.DrawFn) -> list[Data]:
    """One to three sessions, each after the one before."""
    made: list[Data] = []
    latest = -1
    for index, name in enumerate(draw(names("session", 1, 3))):
        anchored = index == 0 or draw(st.booleans())
        opens = draw(st.integers(0, 50)) + (latest + 1 if anchored else 0)
        closes = opens + draw(st.integers(0, 99))
        anchor = "allocation" if anchored else "previous_session"
        window = {"anchor": anchor, "opens": opens, "target": closes, "closes": closes}
        made.append(item(draw, name, window=window, variables={"round": index}))
        latest = closes if anchored else latest + closes
    return made


@st.composite
def randomised(draw: st.DrawFn) -> Data:
    """A study with permuted blocks, raters, scales, and models of some of its outcomes."""
    arms, held = draw(names("arm", 2, 4)), sessions(draw)
    strata, others = draw(names("stratum", 0, 2)), draw(names("known", 1, 3))
    made = around(draw) | {
        "waves": waves(draw, 2),
        "arms": [item(draw, arm, code=arm.upper(), **told(draw, "description")) for arm in arms],
        "allocation": allocation(draw, arms, strata),
        "sessions": held,
        "imports": {"recruits": recruits(draw, strata, others)},
    }
    if draw(st.booleans()):
        items = draw(names("stimulus", len(held), 5))
        made["stimuli"] = {"name": "scenario", "items": items, "order": "random_without_repetition"}
        made["stimuli"]["sessions"] = some(draw, [one["id"] for one in held], 1)
    if strata and draw(st.booleans()):
        quota = {"id": "some", "variable": strata[0], "value": "low", "at_most": 9, **told(draw, "reason")}
        made["recruitment"]["quotas"] = [quota]
    return modelled(draw, made, [*strata, *others[:1]], measured(draw, made))


def allocation(draw: st.DrawFn, arms: list[str], strata: list[str]) -> Data:
    ratio = {arm: draw(st.integers(1, 3)) for arm in arms}
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, unique=True))
    return {
        "method": "permuted_blocks",
        "ratio": ratio,
        "block_sizes": [sum(ratio.values()) * size for size in sizes],
        "strata": strata,
        "dropouts": {"count": "everyone_allocated", "replace": "never", **told(draw, "statement")},
        "seed": {"drawn_by": "either", "revealed": "at_unblinding"},
        **told(draw, "concealment"),
    }


def recruits(draw: st.DrawFn, strata: list[str], others: list[str]) -> Data:
    categories = [variable(draw, one, "category", levels=["low", "high", draw(words)]) for one in strata]
    eligibility = [
        {"id": f"has_{one['name']}", "variable": one["name"], **told(draw, "reason")}
        | {"rule": {"test": "one_of", "values": one["levels"]}}
        for one in categories
    ]
    variables = [*categories, *(variable(draw, one, "number") for one in others)]
    columns = {"participant": "Id", "status": "Status", "arrived": "Started"}
    return {"source": "csv", **columns, "variables": variables, "eligibility": eligibility}


def measured(draw: st.DrawFn, made: Data) -> list[str]:
    """Adds outcomes with their raters or items; the names of those that planned sessions give."""
    raters, rated = draw(names("rater", 1, 2)), draw(names("rated", 2, 3))
    made["materials"] = [{"file": "rubric.md", **told(draw, "description")}]
    kinds = st.sampled_from(["person", "panel"])
    made["raters"] = [
        {"id": one, "kind": draw(kinds), "rubric": "rubric.md", **told(draw, "description")} for one in raters
    ]
    ends = {
        "minimum": 1,
        "maximum": draw(st.integers(2, 9)),
        "better": draw(st.sampled_from(["higher", "lower"])),
    }
    made["outcomes"] = [
        item(draw, one, kind="rated", scorer=raters[index % len(raters)], **ends)
        for index, one in enumerate(rated)
    ]
    columns = {"conversation": "id", "rater": "by", "outcomes": told(draw, *rated)}
    made["imports"]["ratings"] = {"source": "csv", **columns}
    found = [*rated]
    if draw(st.booleans()):
        weights = dict.fromkeys(rated, 0.5)
        made["outcomes"].append(item(draw, "sum_of", kind="composite", weights=weights, better="higher"))
        found.append("sum_of")
    return [*found, *scaled(draw, made, draw(names("item", 0, 4)))]


def scaled(draw: st.DrawFn, made: Data, items: list[str]) -> list[str]:
    """Adds a scale of these survey items; its name where a planned session gives it."""
    if not items:
        return []
    session = draw(st.sampled_from(["baseline", made["sessions"][-1]["id"]]))
    limits = {"minimum": 1, "maximum": 5, "session": session}
    variables = [variable(draw, one, "number", **limits) for one in items]
    made["imports"]["responses"] = {"source": "qualtrics", "participant": "PID", "variables": variables}
    parts = {"session": session, "items": items, "reverse": some(draw, items), "better": "lower"}
    made["outcomes"].append(item(draw, "scale_of", kind="scale", **parts))
    return [] if session == "baseline" else ["scale_of"]


def modelled(draw: st.DrawFn, made: Data, covariates: list[str], outcomes: list[str]) -> Data:
    """Adds one to three models of the outcomes, and all that is said of them."""
    several = len(made["waves"]) > 1
    models = []
    for index, name in enumerate(draw(names("model", 1, 3))):
        first = draw(st.sampled_from(["arm", "arm * round"]))
        right = " + ".join([first, *some(draw, covariates), *(["wave"] if several else [])])
        kind: Data = {"kind": "ols", "formula": f"y ~ {right}", "cluster": "participant"}
        if draw(st.booleans()):
            kind = {"kind": "mixed", "formula": f"y ~ {right} + (round | participant)"}
            kind["pruning"] = {"when": ["singular"], "formulas": [f"y ~ {right} + (1 | participant)"]}
        role = "primary" if index == 0 else "secondary"
        models.append(item(draw, name, outcomes=some(draw, outcomes, 1), role=role, **kind))
    weights = st.sampled_from([1, -1, 0.5])
    others = [arm["id"] for arm in made["arms"][1:]]
    contrasts = [item(draw, f"vs_{arm}", weights={f"arm[T.{arm}]": draw(weights)}) for arm in others]
    if several:
        kind = {"kind": "ols", "formula": "y ~ arm * wave", "cluster": "participant"}
        models.append(item(draw, "by_wave", outcomes=outcomes, role="sensitivity", **kind))
        made["wave_pooling"] = {"method": "together", "heterogeneity": "by_wave", **told(draw, "statement")}
    direction = draw(st.sampled_from(["better", "two_sided"]))
    return made | {"analysis": analysis(draw, models, contrasts, "randomised", direction)}


@pytest.fixture(scope="session")
def protocols() -> st.SearchStrategy[Data]:
    """A strategy of sound protocols."""
    return any_protocol()
