"""What was tested, against the plan: formulas, pruning, alpha, tests that were added and tests that were not run."""

from collections.abc import Iterator, Mapping

from forethought.deviations.computed import Computed, Tests, grouped, named
from forethought.deviations.records import Analysed, Deed, Fitted, Plan
from forethought.protocol.analysis import MixedModel, Model
from forethought.protocol.protocol import Protocol

NOT_DONE = "not done"

Test = tuple[str, str, str, str]
"""Hypothesis, model, outcome and contrast."""


def registered_tests(protocol: Protocol) -> tuple[Test, ...]:
    """Every test that the protocol's hypotheses ask for, in their order."""
    outcomes = {model.id: model.outcomes for model in protocol.analysis.models}
    return tuple(
        (hypothesis.id, model, outcome, contrast)
        for hypothesis in protocol.analysis.hypotheses
        for model in hypothesis.models
        for outcome in hypothesis.outcomes
        if outcome in outcomes.get(model, ())
        for contrast in hypothesis.contrasts
    )


def of_analysis(plan: Plan, deed: Deed) -> Iterator[Computed]:
    """Every difference in the analysis; nothing until there is one on the true arms."""
    if deed.analysis is not None:
        yield from _formulas(plan, deed.analysis)
        yield from _alpha(plan, deed.analysis)
        yield from _extra_tests(plan, deed.analysis)
        yield from _tests_not_run(plan, deed.analysis)


def _formulas(plan: Plan, analysis: Analysed) -> Iterator[Computed]:
    """Models that were fitted by another formula: one that an amendment wrote, and one that the data did not carry."""
    registered = {model.id: model for model in plan.protocol.analysis.models}
    for (name, begun, used, reasons), outcomes in _as_fitted(analysis).items():
        model = registered.get(name)
        if model is None:
            continue
        on = f"`{name}` on {named(outcomes)}"
        if _plain(begun) != _plain(model.formula):
            yield Computed(
                kind="formula",
                planned=f"{on}: {model.formula}",
                done=f"{on}: {begun}",
                fields=(f"analysis.models.{name}.formula",),
            )
        if used != begun:
            foreseen = _rule(model, used)
            yield Computed(
                kind="pruning",
                planned=f"{on}: {begun}",
                done=f"{on}: {used}",
                fields=(f"analysis.models.{name}.pruning",),
                foreseen=f"The registered pruning rule: {'; '.join(reasons)}" if foreseen else None,
            )


def _as_fitted(analysis: Analysed) -> Mapping[tuple[str, str, str, tuple[str, ...]], list[str]]:
    """Model, formula begun with, formula used and reasons for the change, to the outcomes of which that is so."""
    found: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for one in analysis.models:
        begun = one.pruned[0].formula if one.pruned else one.formula
        key = (one.model, begun, one.formula, tuple(step.reason for step in one.pruned))
        found.setdefault(key, []).append(one.outcome)
    return found


def _rule(model: Model, used: str) -> bool:
    """Whether the plan, as locked, says that this formula may take the place of the model's own."""
    pruning = model.pruning if isinstance(model, MixedModel) else None
    return pruning is not None and _plain(used) in {_plain(formula) for formula in pruning.formulas}


def _plain(formula: str) -> str:
    return "".join(formula.split())


def _alpha(plan: Plan, analysis: Analysed) -> Iterator[Computed]:
    registered = plan.protocol.analysis.alpha
    used = sorted({round(1 - one.ci_level, 12) for one in analysis.findings})
    for alpha in used:
        if abs(alpha - registered) > 1e-9:
            yield Computed(
                kind="alpha",
                planned=f"alpha {registered:g}",
                done=f"alpha {alpha:g}",
                fields=("analysis.alpha",),
            )


def _extra_tests(plan: Plan, analysis: Analysed) -> Iterator[Computed]:
    """Findings that the locked plan has no test for; of a model whose coefficients it reports, each is registered."""
    known = {test[1:] for test in registered_tests(plan.protocol)}
    reporting = {
        (model.id, outcome)
        for model in plan.protocol.analysis.models
        if model.report_coefficients
        for outcome in model.outcomes
    }
    extra = [
        (one.hypothesis, one.model, one.outcome, one.contrast)
        for one in analysis.findings
        if (one.model, one.outcome, one.contrast) not in known
        and not (one.hypothesis is None and (one.model, one.outcome) in reporting)
    ]
    for tests in grouped(extra):
        yield Computed(kind="extra tests", planned="no such test", done=tests.in_words, fields=tests.fields)


def _tests_not_run(plan: Plan, analysis: Analysed) -> Iterator[Computed]:
    """Registered tests without a result; no amendment excuses one that was tried and gave none."""
    for tests, why in tests_without_result(plan, analysis):
        yield Computed(
            kind=NOT_DONE,
            planned=tests.in_words,
            done=f"no result: {why}" if why else "not run",
            fields=() if why else tests.fields,
        )


def tests_without_result(plan: Plan, analysis: Analysed) -> tuple[tuple[Tests, str | None], ...]:
    """Registered tests without an estimate, each group with the reason; None where they were not run at all."""
    reasons = {(one.model, one.outcome, one.contrast): one.missing_reason for one in analysis.findings}
    by_reason: dict[str | None, list[Test]] = {}
    for test in registered_tests(plan.protocol):
        if test[1:] not in reasons:
            by_reason.setdefault(None, []).append(test)
        elif (why := reasons[test[1:]]) is not None:
            by_reason.setdefault(why.rstrip("."), []).append(test)
    return tuple((tests, why) for why, several in by_reason.items() for tests in grouped(several))


def models_without_fit(plan: Plan, analysis: Analysed) -> tuple[tuple[Model, str, str | None], ...]:
    """Registered models without a fit of one of their outcomes, and the error; None where none was tried."""
    fitted: dict[tuple[str, str], Fitted] = {(one.model, one.outcome): one for one in analysis.models}
    return tuple(
        (model, outcome, fitted[model.id, outcome].error if (model.id, outcome) in fitted else None)
        for model in plan.protocol.analysis.models
        for outcome in model.outcomes
        if (model.id, outcome) not in fitted or fitted[model.id, outcome].error is not None
    )
