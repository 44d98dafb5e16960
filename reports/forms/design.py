"""Hypotheses, design, blinding, arms and randomisation, in words."""

from collections.abc import Iterator

from forethought.analysis.estimands import attributes
from forethought.protocol import allocation_words
from forethought.protocol.allocation import Design, NoAllocation
from forethought.protocol.analysis import Hypothesis
from forethought.protocol.design import Arm, Stimuli
from forethought.protocol.estimands import Estimand
from forethought.protocol.protocol import Protocol
from forethought.reports import formatting
from forethought.reports.claims import predicted
from forethought.reports.forms import inference, words
from forethought.reports.forms.form import Plan

NO_HYPOTHESIS = "No hypothesis is tested: the study describes and explores, and claims nothing beforehand"
NOT_RANDOMISED = "Nobody is allocated at random: the study has no arms"
UNMANIPULATED = "Whatever else differs between records is told among the measured variables"

DRAWN_BY = {
    "forethought": "drawn by the machine at the lock",
    "statistician": "given by a statistician at the lock",
    "either": "drawn by the machine, or given by a statistician, at the lock",
}


def hypotheses(plan: Plan) -> str:
    """Each hypothesis with its direction and tests, then the estimands that they are about."""
    analysis = plan.protocol.analysis
    if not analysis.hypotheses:
        questions = [f"{one.question} {words.capital(one.how)}" for one in analysis.exploratory]
        return words.paragraphs(
            words.sentence(NO_HYPOTHESIS), words.bullets("Questions that it explores", questions)
        )
    named = {one.estimand for one in analysis.hypotheses}
    return words.paragraphs(
        words.numbered("Hypotheses", (hypothesis(one, plan) for one in analysis.hypotheses)),
        words.bullets("Estimands", (estimand(one) for one in analysis.estimands if one.id in named)),
    )


def hypothesis(one: Hypothesis, plan: Plan) -> str:
    """One hypothesis: its claim, role, direction, smallest effect, and what tests it."""
    directional = "Not directional" if one.direction == "two_sided" else "Directional"
    names = plan.names
    return words.sentences(
        one.statement,
        f"A {one.role} hypothesis (`{one.id}`)",
        f"{directional}: {predicted(one)}",
        f"Smallest effect of interest: {formatting.plain(one.smallest_effect)}, in the outcome's own units",
        words.labelled("Outcome", [names.outcome(name) for name in one.outcomes]),
        words.labelled("Contrast", [names.contrast(name) for name in one.contrasts]),
        words.labelled("Model", [names.model(name) for name in one.models]),
        f"Estimand: `{one.estimand}`",
    )


def estimand(one: Estimand) -> str:
    """The five attributes of ICH E9(R1), by their names."""
    return words.sentences(f"`{one.id}`", *(f"{name}: {text}" for name, text in attributes(one)))


def blinding(plan: Plan) -> str:
    """Who does not know the arms, in the protocol's words, and what each rater is not told."""
    blind = plan.protocol.blinding
    raters = (
        f"the rater {rater.id} is not told the {words.listed(rater.blinded_to, 'or the')}"
        for rater in plan.protocol.raters
        if rater.blinded_to
    )
    return words.sentences(
        blind.how,
        "Those who rate outcomes do not know the arms" if blind.raters else None,
        *map(words.capital, raters),
    )


def study_design(plan: Plan) -> str:
    """What is compared between and within participants, and in which order."""
    protocol = plan.protocol
    return words.paragraphs(
        words.sentences(protocol.study.summary),
        words.sentences(
            f"Framework: {protocol.study.framework}",
            *_structure(protocol),
            _stimuli(protocol.stimuli, plan) if protocol.stimuli else None,
        ),
        words.numbered(
            "Sessions, in their order",
            (f"{one.label}: {words.window(one.window)}" for one in protocol.sessions),
        ),
        words.sentences(*inference.session_variables(plan)),
    )


def _structure(protocol: Protocol) -> Iterator[str]:
    if protocol.arms:
        arms = words.listed(arm.label for arm in protocol.arms)
        yield f"Between participants: {formatting.counted(len(protocol.arms), 'arm')} ({arms})"
        factors = tuple(protocol.arms[0].factors)
        if len(factors) > 1 and len(_combinations(protocol.arms)) == 2 ** len(factors):
            size = " × ".join("2" for _ in factors)
            yield f"The arms are a full {size} factorial of {words.listed(map(words.spaced, factors))}"
    else:
        yield NOT_RANDOMISED
    if len(protocol.sessions) > 1:
        yield f"Within participants: {formatting.counted(len(protocol.sessions), 'session')}"
    elif protocol.imports.responses and protocol.imports.responses.record == "row":
        yield "A participant may have several records: each is one row of the data"
    if len(protocol.waves) > 1:
        yield f"People are recruited in {formatting.counted(len(protocol.waves), 'wave')}"


def _combinations(arms: tuple[Arm, ...]) -> set[tuple[bool, ...]]:
    return {tuple(arm.factors.values()) for arm in arms}


def _stimuli(stimuli: Stimuli, plan: Plan) -> str:
    every = len(stimuli.sessions) == len(plan.protocol.sessions)
    sessions = (
        "every session"
        if every
        else f"these sessions: {words.listed(map(plan.names.session, stimuli.sessions))}"
    )
    return (
        f"Each participant meets one {words.spaced(stimuli.name)} of {len(stimuli.items)} "
        f"({words.listed(map(words.spaced, stimuli.items))}), {allocation_words.order(stimuli)}, in {sessions}"
    )


def randomisation(plan: Plan) -> str:
    """Method, unit, ratio and strata; how the sequence is made and concealed; never a block's size."""
    design = plan.protocol.allocation
    if isinstance(design, NoAllocation):
        return words.sentence(NOT_RANDOMISED)
    return words.paragraphs(
        words.sentences(
            allocation(design, plan),
            allocation_words.how(design),
            *allocation_words.rules(design, plan.names.arm),
            allocation_words.withheld(design),
        ),
        words.sentences(
            f"Each wave has a secret seed of its own, {DRAWN_BY[design.seed.drawn_by]}",
            "A commitment to it is published at the lock, and the seed itself when enrolment is closed and the "
            "study is unblinded: anyone can then draw every allocation again",
        ),
        words.sentences(f"Concealment: {design.concealment}"),
        words.sentences(allocation_words.dropouts(design), design.dropouts.statement),
    )


def allocation(design: Design, plan: Plan) -> str:
    """The method as one sentence, without its stop."""
    shares = set(design.ratio.values())
    ratio = (
        "in equal shares"
        if len(shares) == 1
        else f"in the ratio {words.listed(f'{arm.label} {design.ratio[arm.id]}' for arm in plan.protocol.arms)}"
    )
    method = " ".join(filter(None, (allocation_words.method(design), allocation_words.looked_at(design))))
    return (
        f"Each {allocation_words.unit(design)} is allocated to one of {len(design.ratio)} arms {ratio}, by {method}, "
        f"{allocation_words.course(design)}"
    )


def conditions(plan: Plan, *, described: bool = True) -> str:
    """The arms, each with what it contains and, where asked for, what is done."""
    arms = plan.protocol.arms
    if not arms:
        return words.sentences(NOT_RANDOMISED, UNMANIPULATED)
    return words.bullets(
        f"One manipulated variable, the arm, with {formatting.counted(len(arms), 'level')}",
        (_arm(arm, described=described, first=not index) for index, arm in enumerate(arms)),
    )


def _arm(arm: Arm, *, described: bool, first: bool) -> str:
    marks = ["the reference"] if first else []
    marks += [f"{'with' if has else 'without'} {words.spaced(name)}" for name, has in arm.factors.items()]
    label = f"{arm.label} ({', '.join(marks)})" if marks else arm.label
    return f"{label}: {arm.description}" if described else label
