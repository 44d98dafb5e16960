"""Criteria: whether a variable can be tested in the way that the rule says."""

from collections.abc import Iterator, Mapping, Sequence

from forethought.protocol.columns import Column
from forethought.protocol.problems import Fault, KeyPath, one_of, suggestion
from forethought.protocol.rules import AtLeast, AtMost, Contains, Criterion, NoneOf, OneOf


def criterion_faults(at: KeyPath, criterion: Criterion, columns: Mapping[str, Column]) -> Iterator[Fault]:
    """What is wrong with a criterion, given the columns that it may test."""
    name, rule = criterion.variable, criterion.rule
    column = columns.get(name)
    if column is None:
        what = f"the criterion `{criterion.id}` tests `{name}`, which is no variable here"
        yield Fault((*at, "variable"), what, suggestion(name, columns, one_of(columns)))
    elif isinstance(rule, AtLeast | AtMost) and column.type != "number":
        yield Fault((*at, "rule"), f"`{name}` is no number, and has no {rule.test}", "Use one_of or none_of")
    elif isinstance(rule, Contains) and column.type == "number":
        yield Fault((*at, "rule"), f"`{name}` is a number, and contains nothing", "Use at_least or at_most")
    elif isinstance(rule, OneOf | NoneOf) and column.levels:
        yield from _levels_exist(at, column.levels, rule.values, name)


def _levels_exist(at: KeyPath, levels: Sequence[str], values: Sequence[str], name: str) -> Iterator[Fault]:
    for index, value in enumerate(values):
        if value not in levels:
            what = f"`{value}` is no level of `{name}`"
            yield Fault((*at, "rule", "values", index), what, suggestion(value, levels, one_of(levels)))
