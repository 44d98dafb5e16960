"""What was registered and not done: promises that a reader of the registration would look for in vain."""

from collections.abc import Iterator
from dataclasses import dataclass

from forethought.deviations.computed import named
from forethought.deviations.records import Analysed, Deed, Plan
from forethought.deviations.testing import models_without_fit, registered_tests, tests_without_result


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """Something that was registered, and why there is nothing of it.

    `promised` is false of exploratory questions: they were to be looked at, and not to be answered.
    """

    what: str
    why: str
    promised: bool = True


NOT_RUN = "not run"
NOT_HELD = "nobody held it"
NOTHING_RECORDED = "nothing is recorded of it"
NO_RESULT = "no result recorded"


def not_done(plan: Plan, deed: Deed) -> tuple[NotDone, ...]:
    """Everything of the plan as locked that was not done, in a fixed order.

    Nothing before there is an analysis on the true arms: until then everything may still come.
    """
    if deed.analysis is None:
        return ()
    return (
        *_targets(plan, deed),
        *_sessions(plan, deed),
        *_outcomes(plan, deed),
        *_models(plan, deed.analysis),
        *_hypotheses(plan, deed.analysis),
        *_comparisons(plan, deed.analysis),
        *_harms(plan),
        *_explorations(plan),
    )


def _targets(plan: Plan, deed: Deed) -> Iterator[NotDone]:
    done = {wave.number: wave for wave in deed.waves}
    for wave in plan.protocol.waves:
        own = done.get(wave.number)
        if own is not None and own.closed and own.completed < wave.target:
            yield NotDone(
                what=f"Wave {wave.number}: {wave.target:,} participants who complete",
                why=f"{own.completed:,} did",
            )


def _sessions(plan: Plan, deed: Deed) -> Iterator[NotDone]:
    if plan.protocol.randomised:
        held = {one.session for one in deed.sessions if one.held}
        for session in plan.protocol.sessions:
            if session.id not in held:
                yield NotDone(what=f"Session `{session.id}`: {session.label}", why=NOT_HELD)


def _outcomes(plan: Plan, deed: Deed) -> Iterator[NotDone]:
    scored = {one.outcome for one in deed.scores}
    for outcome in plan.protocol.outcomes:
        if outcome.id not in scored:
            yield NotDone(what=f"Outcome `{outcome.id}`: {outcome.label}", why="it has no scores")


def _models(plan: Plan, analysis: Analysed) -> Iterator[NotDone]:
    for model, outcome, error in models_without_fit(plan, analysis):
        role = f" ({model.role})" if model.role in ("sensitivity", "exploratory") else ""
        why = "not among the models that were fitted" if error is None else f"not fitted: {error.rstrip('.')}"
        yield NotDone(what=f"Model `{model.id}`{role} on outcome `{outcome}`", why=why)


def _hypotheses(plan: Plan, analysis: Analysed) -> Iterator[NotDone]:
    """A hypothesis of which no test has a result is one line; of another, each group of tests without one."""
    missing = tests_without_result(plan, analysis)
    registered = [test[0] for test in registered_tests(plan.protocol)]
    for one in plan.protocol.analysis.hypotheses:
        own = [(group, why or NOT_RUN) for group, why in missing if group.hypothesis == one.id]
        lacking = sum(len(group.contrasts) * len(group.outcomes) for group, _ in own)
        if own and lacking == registered.count(one.id):
            reasons = "; ".join(dict.fromkeys(why for _, why in own))
            yield NotDone(what=f"Hypothesis `{one.id}`: {one.statement}", why=reasons)
        else:
            yield from (NotDone(what=_capital(group.in_words), why=why) for group, why in own)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _comparisons(plan: Plan, analysis: Analysed) -> Iterator[NotDone]:
    made = {name for model in analysis.models for name in model.expected}
    for expected in plan.protocol.analysis.expected:
        if expected.id not in made:
            yield NotDone(
                what=f"Comparison with {named([expected.id])}: {expected.label}",
                why="our numbers were not set beside the published ones",
            )


def _harms(plan: Plan) -> Iterator[NotDone]:
    """This release has no table of harms, so that of none anything can have been recorded here."""
    for harm in plan.protocol.recruitment.harms:
        yield NotDone(what=f"Harm `{harm.id}`: {harm.label}", why=NOTHING_RECORDED)


def _explorations(plan: Plan) -> Iterator[NotDone]:
    for one in plan.protocol.analysis.exploratory:
        yield NotDone(what=f"Exploratory question `{one.id}`: {one.question}", why=NO_RESULT, promised=False)
