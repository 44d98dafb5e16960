"""The answers to AsPredicted's questions, each in versions from the fullest to the shortest."""

from collections.abc import Iterable, Iterator

from forethought.protocol.allocation import NoAllocation
from forethought.protocol.analysis import Hypothesis, Model
from forethought.protocol.protocol import Protocol
from forethought.reports import formatting
from forethought.reports.claims import predicted
from forethought.reports.forms import design, inference, measures, remainder, sampling, words
from forethought.reports.forms.form import Plan
from forethought.reports.names import ASSUMED_OF_MISSING, DONE_ABOUT_MISSING

Versions = tuple[str, ...]
ELSEWHERE = "Criteria for verdicts are in the protocol."


def hypothesis(plan: Plan) -> Versions:
    """All with their estimands; all by their statements; like ones together."""
    found = plan.protocol.analysis.hypotheses
    if not found:
        return (design.hypotheses(plan), words.sentence(design.NO_HYPOTHESIS))
    stated = words.numbered("Hypotheses", (_stated(one) for one in found))
    return (design.hypotheses(plan), stated, _together(found, plan))


def _stated(one: Hypothesis) -> str:
    smallest = formatting.plain(one.smallest_effect)
    return (
        f"{one.statement.rstrip('.')} ({one.role}; predicted: {_direction(one)}; smallest effect of interest "
        f"{smallest})."
    )


def _direction(one: Hypothesis) -> str:
    return predicted(one).partition(",")[0]


def _together(found: Iterable[Hypothesis], plan: Plan) -> str:
    """Hypotheses that differ in their outcomes alone, in one sentence for all; another by its statement."""
    alike: dict[tuple[object, ...], list[Hypothesis]] = {}
    for one in found:
        key = (one.role, predicted(one), one.smallest_effect, one.contrasts, one.models)
        alike.setdefault(key, []).append(one)
    return "\n".join(_alike(group, plan) if len(group) > 1 else _stated(group[0]) for group in alike.values())


def _alike(group: list[Hypothesis], plan: Plan) -> str:
    first, names = group[0], plan.names
    outcomes = dict.fromkeys(name for one in group for name in one.outcomes)
    return words.sentences(
        f"{len(group)} {first.role} hypotheses of one form, on {words.listed(map(names.outcome, outcomes))}. Predicted in "
        f"each contrast ({words.listed(map(names.contrast, first.contrasts))}): {_direction(first)}; smallest "
        f"effect of interest {formatting.plain(first.smallest_effect)}"
    )


def dependent(plan: Plan) -> Versions:
    """The outcomes of the confirmatory hypotheses or models: each by itself; those measured alike together."""
    names = key_outcomes(plan.protocol)
    each = words.numbered("Outcomes", (measures.outcome(name, plan) for name in names))
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(measures.measurement(name, plan), []).append(plan.names.outcome(name))
    return (
        each,
        "\n".join(words.sentence(f"{words.listed(labels)}: {how}") for how, labels in alike.items()),
    )


def key_outcomes(protocol: Protocol) -> tuple[str, ...]:
    """The outcomes of primary and secondary hypotheses; where there are none, those of the confirmatory models."""
    tested = [one for one in protocol.analysis.hypotheses if one.role in inference.CONFIRMATORY]
    named = (name for one in tested or inference.confirmatory_models(protocol) for name in one.outcomes)
    return tuple(dict.fromkeys(named))


def conditions(plan: Plan) -> Versions:
    """The arms with what is done in each; by their labels; and how they are allocated."""
    allocation = plan.protocol.allocation
    if isinstance(allocation, NoAllocation):
        return (design.conditions(plan),)
    method = words.sentence(design.allocation(allocation, plan))
    labels = words.sentence(f"Arms: {words.listed(arm.label for arm in plan.protocol.arms)}")
    return (
        words.paragraphs(design.conditions(plan), design.randomisation(plan)),
        words.paragraphs(design.conditions(plan), method),
        words.paragraphs(design.conditions(plan, described=False), method),
        f"{labels} {method}",
    )


def analyses(plan: Plan) -> Versions:
    """Models and criteria in full; models by formula with criteria and families; like models and families together."""
    hypotheses = plan.protocol.analysis.hypotheses
    return (
        words.paragraphs(inference.models(plan), inference.criteria(plan)),
        words.paragraphs("\n".join((*_formulas(plan), *_coded(plan))), inference.criteria(plan)),
        "\n".join((*_formulas(plan), *_coded(plan), *_tests(plan), *_criteria(plan))),
        "\n".join((*_formulas(plan), *_coded(plan), *_tests(plan), *([ELSEWHERE] if hypotheses else []))),
    )


def _formulas(plan: Plan) -> Iterator[str]:
    """The confirmatory models, those of one formula together."""
    alike: dict[str, list[Model]] = {}
    for one in inference.confirmatory_models(plan.protocol):
        alike.setdefault(
            words.sentences(f"{inference.kind(one)}: {one.formula}", inference.pruning(one)), []
        ).append(one)
    for said, group in alike.items():
        outcomes = dict.fromkeys(plan.names.outcome(name) for one in group for name in one.outcomes)
        roles = words.listed(dict.fromkeys(one.role for one in group))
        each = next(iter(outcomes)) if len(outcomes) == 1 else f"each of {len(outcomes)} outcomes"
        yield f"{words.capital(roles)}: {said} Here y is {each}."


def _coded(plan: Plan) -> Iterator[str]:
    """What the variables of sessions are, without which a formula cannot be read."""
    yield from map(words.sentence, inference.session_variables(plan))


def _tests(plan: Plan) -> Iterator[str]:
    """Alpha, and the families by their method."""
    analysis = plan.protocol.analysis
    yield f"Alpha is {formatting.plain(analysis.alpha)}, two-sided."
    for method in dict.fromkeys(one.method for one in analysis.families):
        labels = [one.label for one in analysis.families if one.method == method]
        adjusted = "without adjustment" if method == "none" else f"p adjusted by {words.capital(method)}"
        yield words.sentence(f"{adjusted}, within {_families(labels)}")


def _families(labels: list[str]) -> str:
    return f"{formatting.counted(len(labels), 'family', 'families')} ({'; '.join(labels)})"


def _criteria(plan: Plan) -> Iterator[str]:
    """What corroborates and what falsifies, as written."""
    hypotheses = plan.protocol.analysis.hypotheses
    for corroborate, falsify in dict.fromkeys((one.corroborate_if, one.falsify_if) for one in hypotheses):
        yield f"Corroborated if {corroborate}; falsified if {falsify}; inconclusive if neither or both."
    if hypotheses:
        yield "Estimate and interval are turned so that the predicted side is positive."


def outliers(plan: Plan) -> Versions:
    """Exclusions and eligibility with the reasons; by the rules alone; eligibility by the names of its criteria."""
    recruits = plan.protocol.imports.recruits
    named = [words.spaced(one.id) for one in recruits.eligibility] if recruits else []
    rules = list(sampling.eligibility(plan, reasons=False))
    return (
        words.paragraphs(
            measures.exclusions(plan),
            words.numbered("To take part, in this order", sampling.eligibility(plan)),
        ),
        words.paragraphs(
            measures.exclusions(plan, reasons=False),
            words.sentence(f"To take part: {words.listed(rules)}") if rules else None,
        ),
        words.paragraphs(
            measures.exclusions(plan, reasons=False),
            words.sentence(f"Criteria for taking part: {words.listed(named)}") if named else None,
        ),
    )


def sample(plan: Plan) -> Versions:
    """Targets and the rule that ends recruitment, with the protocol's statement of it and without."""
    size = sampling.sample_size(plan)
    return (
        f"{size} {sampling.stopping(plan)}",
        f"{size} {sampling.stopping(plan, stated=False)}",
    )


def other(plan: Plan) -> Versions:
    """Existing data where question 1 asks for them, then the rest: in full; in part; by counts and labels."""
    existing, missing = _existing(plan), plan.protocol.analysis.missing_data
    return (
        words.paragraphs(
            existing,
            inference.exploratory(plan),
            inference.missing_data(plan),
            design.blinding(plan),
            remainder.other(plan),
        ),
        words.paragraphs(
            existing, *_besides(plan, asked=True), inference.missing_data(plan), remainder.registered(plan)
        ),
        words.paragraphs(
            existing,
            *_besides(plan, asked=False),
            words.sentences(ASSUMED_OF_MISSING[missing.assumption], DONE_ABOUT_MISSING[missing.method]),
            remainder.assumed(plan),
            remainder.fingerprint(plan),
        ),
    )


def _existing(plan: Plan) -> str | None:
    """The explanation that question 1 promises; nothing where no data existed."""
    if plan.protocol.study.existing_data.status == "prior_to_creation":
        return None
    return sampling.existing_data(plan)


def _besides(plan: Plan, *, asked: bool) -> Iterator[str]:
    """The models beside the confirmatory ones and the exploratory questions, by their words or by their number."""
    analysis = plan.protocol.analysis
    confirmatory = {one.id for one in inference.confirmatory_models(plan.protocol)}
    models = [f"{one.label} ({one.role})" for one in analysis.models if one.id not in confirmatory]
    if models:
        yield words.sentence(f"Further models: {words.listed(models)}")
    if analysis.exploratory and asked:
        yield words.bullets("Questions without a prediction", (one.question for one in analysis.exploratory))
    elif analysis.exploratory:
        number = formatting.counted(len(analysis.exploratory), "question")
        yield words.sentence(f"{number} without a prediction will be explored")
