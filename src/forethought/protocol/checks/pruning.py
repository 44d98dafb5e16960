"""What a model gives up: simpler random effects where it cannot be fitted, and strata that it leaves out."""

from collections.abc import Iterator, Mapping

from forethought.errors import InvalidFormula
from forethought.grammar import ModelFormula, parse_formula
from forethought.protocol.allocation import Randomization
from forethought.protocol.analysis import MixedModel, Model
from forethought.protocol.checks.allocation import covariate_noun
from forethought.protocol.checks.check import COLUMNS, reading
from forethought.protocol.checks.models import (
    OUTCOME,
    formula_of,
    known_formula,
    predictors,
    unparsed,
    variable_faults,
)
from forethought.protocol.columns import Column, analysis_columns
from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion
from forethought.protocol.protocol import Protocol


def pruned_formulas_keep_the_fixed_effects(protocol: Protocol) -> Iterator[Fault]:
    """Each formula that replaces a mixed model is mixed, known, and differs in its random effects alone."""
    columns = analysis_columns(protocol)
    for index, model in enumerate(protocol.analysis.models):
        if not isinstance(model, MixedModel) or model.pruning is None:
            continue
        at: KeyPath = ("analysis", "models", index, "pruning", "formulas")
        whole = known_formula(model, columns)
        before = [] if whole is None else [whole]
        for place, text in enumerate(model.pruning.formulas):
            try:
                formula = parse_formula(text)
            except InvalidFormula as error:
                yield unparsed((*at, place), error)
                continue
            yield from _faults((*at, place), model, formula, before, columns)
            before.append(formula)


def _faults(
    at: KeyPath,
    model: Model,
    formula: ModelFormula,
    before: list[ModelFormula],
    columns: Mapping[str, Column],
) -> Iterator[Fault]:
    of = f"a pruned formula of `{model.id}`"
    if not formula.random:
        yield Fault(at, f"{of} has no random term", "Keep one, as `+ (1 | participant)`")
    if formula.response.text != OUTCOME:
        yield Fault(at, f"{of} begins with `{formula.response}`", f"Begin it with `{OUTCOME} ~`")
    elif before and _fixed(formula) != _fixed(before[0]):
        what = f"{of} has other fixed effects, `{formula.fixed}`, than the model, `{before[0].fixed}`"
        yield Fault(at, what, "Prune random effects alone")
    elif formula in before:
        yield Fault(at, f"{of} was tried before", "Write a simpler one, or remove it")
    yield from variable_faults(at, model, formula, columns)


def _fixed(formula: ModelFormula) -> tuple[bool, frozenset[frozenset[str]], frozenset[str]]:
    """The fixed effects and offsets, in whichever order they are written."""
    terms = frozenset(term.key for term in formula.fixed.terms)
    return formula.fixed.intercept, terms, frozenset(map(str, formula.offset))


def what_is_left_out_is_absent(protocol: Protocol) -> Iterator[Fault]:
    """`leaves_out` names what the allocation is balanced by, or the wave, that the formula does not have."""
    design = protocol.allocation
    covariates = design.covariates if isinstance(design, Randomization) else ()
    recruits = protocol.imports.recruits
    if not set(covariates) <= {variable.name for variable in (recruits.variables if recruits else ())}:
        return  # one is misspelt, and is reported by itself
    noun = (
        covariate_noun(design).removesuffix(" variable") if isinstance(design, Randomization) else "stratum"
    )
    known = [*covariates, "wave"] if protocol.randomised else []
    for index, model in enumerate(protocol.analysis.models):
        formula = formula_of(model)
        for name in model.leaves_out:
            at: KeyPath = ("analysis", "models", index, "leaves_out", name)
            if name not in known:
                what = f"`{name}` is no {noun}, nor the wave, so that `{model.id}` leaves nothing out"
                yield Fault(at, what, suggestion(name, known, one_of(known)))
            elif formula is not None and name in predictors(formula):
                what = f"the formula of `{model.id}` has `{name}`, and leaves_out says that it has not"
                yield Fault(at, what, "Remove it in one of the two places")


CHECKS = (
    reading(pruned_formulas_keep_the_fixed_effects, *COLUMNS, "analysis.models"),
    reading(what_is_left_out_is_absent, "allocation", "imports.recruits", "analysis.models"),
)
