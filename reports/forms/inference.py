"""Models, contrasts, populations, criteria, families, missing data and exploration, in words."""

from collections.abc import Iterator

from forethought.grammar import parse_criterion
from forethought.protocol.analysis import Analysis, Family, MixedModel, Model
from forethought.protocol.protocol import Protocol
from forethought.reports import formatting
from forethought.reports.claims import criterion_in_words, rule_in_words
from forethought.reports.forms import words
from forethought.reports.forms.form import Plan
from forethought.reports.names import DDF, POPULATIONS, family_in_words, missing_data_in_words

CONFIRMATORY = ("primary", "secondary")
ESTIMATION = {"reml": "restricted maximum likelihood", "ml": "maximum likelihood"}
NO_EXPLORATION = "No exploratory analysis is planned"


def confirmatory_models(protocol: Protocol) -> tuple[Model, ...]:
    """The primary and secondary models; all of them where none is one."""
    models = protocol.analysis.models
    return tuple(model for model in models if model.role in CONFIRMATORY) or models


def models(plan: Plan) -> str:
    """The confirmatory models with their formulas, the contrasts, and who is analysed."""
    analysis = plan.protocol.analysis
    populations = (f"{one.label} (`{one.id}`): {POPULATIONS[one.rule]}" for one in analysis.populations)
    return words.paragraphs(
        words.numbered("Models", (model(one, plan) for one in confirmatory_models(plan.protocol))),
        words.sentences(*session_variables(plan)),
        words.bullets(
            "Contrasts, by the coefficients of the model",
            (f"{one.label} (`{one.id}`): {words.weighted_sum(one.weights)}" for one in analysis.contrasts),
        ),
        words.bullets("Populations", populations),
    )


def session_variables(plan: Plan) -> Iterator[str]:
    """What each variable that tells sessions apart is: `The variable round is 0 and 1 in the 2 sessions, in order`."""
    sessions = plan.protocol.sessions
    where = f"the {len(sessions)} sessions, in order" if len(sessions) > 1 else "the session"
    for name in dict.fromkeys(name for one in sessions for name in one.variables):
        values = [
            formatting.plain(one.variables[name]) if name in one.variables else "missing" for one in sessions
        ]
        yield f"The variable {name} is {words.listed(values)} in {where}"


def model(one: Model, plan: Plan) -> str:
    """One model: kind, formula, outcomes, population, and what is done if it cannot be fitted."""
    outcomes = words.listed(map(plan.names.outcome, one.outcomes))
    left_out = (f"{name} ({reason.rstrip('.')})" for name, reason in one.leaves_out.items())
    return words.sentences(
        f"{one.label} (`{one.id}`, {one.role}): {kind(one)}",
        f"Formula: {one.formula}",
        f"y is {outcomes}" if len(one.outcomes) == 1 else f"y is each of {outcomes}, one fit each",
        f"Population: {plan.names.population(one)}",
        pruning(one),
        f"The formula leaves out {words.listed(left_out)}" if one.leaves_out else None,
        "Every fixed effect is reported" if one.report_coefficients else None,
    )


def kind(one: Model) -> str:
    """What sort of model it is, and how its tests are made."""
    if isinstance(one, MixedModel):
        return f"a linear mixed model fitted by {ESTIMATION[one.estimation]}, with {DDF[one.ddf]}'s degrees of freedom"
    return (
        "a linear regression by ordinary least squares, with CR1 standard errors clustered by "
        f"{one.cluster} and z tests"
    )


def pruning(one: Model) -> str | None:
    """The rule that simplifies the random effects, where the model has one."""
    if not isinstance(one, MixedModel) or one.pruning is None:
        return None
    reasons = {"not_converged": "it does not converge", "singular": "its fit is singular"}
    when = words.listed((reasons[reason] for reason in one.pruning.when), "or")
    formulas = ", then ".join(one.pruning.formulas)
    return f"If {when}, it gives way to {formulas}; the last one stands, and each step is reported"


def criteria(plan: Plan) -> str:
    """Alpha, sides, families, and what corroborates and falsifies each hypothesis."""
    analysis = plan.protocol.analysis
    level = formatting.level(1 - analysis.alpha)
    return words.paragraphs(
        words.sentences(
            f"The significance level alpha is {formatting.plain(analysis.alpha)}; tests have two sides, and intervals "
            f"cover {level}"
        ),
        words.bullets("Families of tests", (_family(one, plan) for one in analysis.families)),
        words.paragraphs(rule_in_words(analysis), *_judged(analysis)) if analysis.hypotheses else None,
    )


def family(one: Family) -> str:
    """What is adjusted together; the report's own words where anything is."""
    if one.method == "none":
        return f"{one.label}: p values are not adjusted, and the adjusted p is the p itself"
    return family_in_words(one)


def _family(one: Family, plan: Plan) -> str:
    """A family, and which tests of which model are in it."""
    return words.sentences(
        family(one),
        f"Model: `{one.model}`",
        f"Contrasts: {words.listed(f'`{name}`' for name in one.contrasts)}",
        f"Outcomes: {words.listed(map(plan.names.outcome, one.outcomes))}",
    )


def _judged(analysis: Analysis) -> Iterator[str]:
    """The two criteria in words and as written, once for all hypotheses that share them."""
    shared: dict[tuple[str, str], list[str]] = {}
    for one in analysis.hypotheses:
        shared.setdefault((one.corroborate_if, one.falsify_if), []).append(f"`{one.id}`")
    for texts, names in shared.items():
        said = [criterion_in_words(parse_criterion(text), analysis.alpha) for text in texts]
        yield words.bullets(
            words.listed(names),
            (
                f"{verdict} where {one} (`{text}`)"
                for verdict, one, text in zip(("Corroborated", "Falsified"), said, texts, strict=True)
            ),
        )


def missing_data(plan: Plan) -> str:
    """What is assumed of missing values, and what is done."""
    return missing_data_in_words(plan.protocol.analysis.missing_data)


def exploratory(plan: Plan) -> str:
    """Sensitivity analyses, exploratory models, questions without a prediction, and published results."""
    analysis = plan.protocol.analysis
    confirmatory = {one.id for one in confirmatory_models(plan.protocol)}
    others = [one for one in analysis.models if one.id not in confirmatory]
    text = words.paragraphs(
        words.numbered("Sensitivity and exploratory models", (model(one, plan) for one in others)),
        words.bullets(
            "Questions without a prediction",
            (f"{one.question} {words.capital(one.how)}" for one in analysis.exploratory),
        ),
        words.bullets(
            "Published results to be shown beside those of this study",
            (f"{one.label} ({one.source.rstrip('.')})" for one in analysis.expected),
        ),
    )
    return text or words.sentence(NO_EXPLORATION)
