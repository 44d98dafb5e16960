"""Marginal means as values: their table, and the contrasts between them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from forethought.analysis.emmeans.adjustments import (
    Adjustment,
    TestFamily,
    require_adjustment,
)
from forethought.analysis.emmeans.comparisons import Contrasts
from forethought.analysis.emmeans.contrast_families import (
    ContrastFamily,
    FamilyName,
    Method,
    contrast_family,
    spelled_level,
)
from forethought.analysis.emmeans.grid import combinations
from forethought.analysis.emmeans.linear_functions import LinearFunctions
from forethought.analysis.emmeans.tables import Shown, not_estimable
from forethought.analysis.given_frames import given_frame
from forethought.analysis.inference import require_level
from forethought.errors import ModelNotFitted

Names = str | Sequence[str]
Methods = FamilyName | Sequence[Method] | Mapping[str, Method]


class Own(Enum):
    """Stands for the `by` that the means were made with; None stands for no `by`."""

    BY = "own"


@dataclass(frozen=True, repr=False, eq=False)
class MarginalMeans(Shown):
    """Means over the combinations of `names` and `by`, the first name's levels varying fastest.

    cells: a row for each mean, a column for each variable. functions: the means as functions of the coefficients.
    values: of each variable, its levels in order. numbers: which of the variables hold numbers, factors or not.
    about: what a reader needs to know of how the means were made, a sentence each.
    """

    cells: pd.DataFrame
    functions: LinearFunctions
    names: tuple[str, ...]
    by: tuple[str, ...]
    values: Mapping[str, tuple[Any, ...]]
    numbers: frozenset[str]
    about: tuple[str, ...]
    level: float

    @given_frame
    def table(self) -> pd.DataFrame:
        """Variables, estimate, se, df, ci_low, ci_high: unadjusted intervals; NaN where not estimable."""
        found = self.functions
        unadjusted = TestFamily("none", len(self.cells), len(self.cells), 0, np.empty((0, 0)))
        reach = unadjusted.bounds(found.df, self.level) * found.se
        return self.cells.assign(
            estimate=found.estimates,
            se=found.se,
            df=found.df,
            ci_low=found.estimates - reach,
            ci_high=found.estimates + reach,
        )

    def contrasts(
        self,
        method: Method = "pairwise",
        *,
        by: Names | Own | None = Own.BY,
        adjust: Adjustment | None = None,
        reference: Any = None,
        interaction: Methods | None = None,
        level: float | None = None,
    ) -> Contrasts:
        """Contrasts between the means, within each level of `by`; over all of them with by=None.

        method: pairwise, revpairwise, trt.vs.ctrl, poly, consec, eff, or weights of the means by contrast name.
        adjust: tukey for pairwise and revpairwise, dunnett for trt.vs.ctrl, mvt for consec, BH for eff and none for
            the others and for interactions where None, as in emmeans (whose default for trt.vs.ctrl approximates
            dunnett).
        reference: the control's level of trt.vs.ctrl; the first where None.
        interaction: a method for each variable, in order or by name, or one for all, for contrasts of contrasts.
        level: coverage of the intervals; that of the means where None.
        Raises ModelNotFitted for what does not fit these means.
        """
        within = self._within(by)
        inner = [name for name in (*self.names, *self.by) if name not in within]
        if not inner:
            raise ModelNotFitted("contrasts", "no variable is left to compare", "Leave one out of `by`")
        if interaction is not None:
            family, labels = self._interaction(inner, interaction, reference)
        else:
            family = contrast_family(method, self._levels(inner), self._control(inner, reference))
            labels = pd.DataFrame({"contrast": list(family.names)})
        _require_free(labels, within)
        chosen = require_adjustment(family.adjust if adjust is None else adjust)
        return self._compared(
            family, labels, inner, within, chosen, require_level(self.level if level is None else level)
        )

    def joint(self) -> pd.DataFrame:
        """Whether the means are all alike, within each level of `by`: see `Contrasts.joint`."""
        return self.contrasts("trt.vs.ctrl", adjust="none").joint()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the table needs to know, a sentence each."""
        unknown = not_estimable(self.cells, self.functions.estimable)
        return (*self.about, f"Intervals: {100 * self.level:g} %", *unknown)

    def _within(self, by: Names | Own | None) -> tuple[str, ...]:
        within = self.by if isinstance(by, Own) else named("contrasts", by)
        unknown = [name for name in within if name not in self.cells]
        if unknown or len(set(within)) < len(within):
            what = f"`by` names {', '.join(within)}, each of which is to be a variable of these means, named once"
            raise ModelNotFitted("contrasts", what, f"They are of {', '.join(map(str, self.cells))}")
        return within

    def _levels(self, names: Sequence[str]) -> list[str]:
        """The name of each combination; a number is told by its variable, as x2.5."""
        frame = combinations({name: self.values[name] for name in names})
        spelled = [
            [spelled_level(value, name if name in self.numbers else "") for value in frame[name]]
            for name in names
        ]
        return [" ".join(row) for row in zip(*spelled, strict=True)]

    def _control(self, inner: Sequence[str], reference: Any) -> str | None:
        """The name of the reference, which may be given as a level or as that name."""
        if reference is None:
            return None
        if len(inner) == 1 and reference in self.values[inner[0]]:
            return self._levels(inner)[self.values[inner[0]].index(reference)]
        return str(reference)

    def _interaction(
        self, inner: Sequence[str], wanted: Methods, reference: Any
    ) -> tuple[ContrastFamily, pd.DataFrame]:
        """Products of the contrasts of each variable; the first variable's vary fastest."""
        methods = _by_variable(inner, wanted)
        families = {name: contrast_family(methods[name], self._levels([name])) for name in inner}
        if reference is not None:
            what = "interaction contrasts have no one reference level"
            raise ModelNotFitted("contrasts", what, "Leave `reference` out")
        matrices = [families[name].coefficients for name in inner]
        coefficients = reduce(lambda built, own: np.asarray(np.kron(own, built), dtype=float), matrices)
        spelled = {name: method if isinstance(method, str) else "custom" for name, method in methods.items()}
        labels = combinations({f"{name}_{spelled[name]}": families[name].names for name in inner})
        names = tuple(" : ".join(row) for row in labels.itertuples(index=False))
        return ContrastFamily(names, coefficients), labels

    def _compared(
        self,
        family: ContrastFamily,
        labels: pd.DataFrame,
        inner: Sequence[str],
        within: tuple[str, ...],
        adjust: Adjustment,
        level: float,
    ) -> Contrasts:
        shape = tuple(len(own) for own in self.values.values())
        order = np.arange(len(self.cells)).reshape(shape, order="F")
        axes = [list(self.values).index(name) for name in (*inner, *within)]
        groups = order.transpose(axes).reshape((family.coefficients.shape[1], -1), order="F")
        groups_of = combinations({name: self.values[name] for name in within})
        count = len(family.names)
        rows = np.zeros((count * groups.shape[1], len(self.cells)))
        for group in range(groups.shape[1]):
            rows[group * count : (group + 1) * count, groups[:, group]] = family.coefficients
        frame = pd.concat([labels] * groups.shape[1], ignore_index=True)
        for name in within:
            frame[name] = np.repeat(groups_of[name].to_numpy(), count)
        families = tuple(np.arange(len(rows)).reshape(-1, count))
        functions = self.functions.combined(rows)
        means = family.coefficients.shape[1]
        return Contrasts(frame, functions, families, within, means, family.pairs, adjust, level, self.about)


def named(where: str, names: Names | None) -> tuple[str, ...]:
    """One name, several or none as a tuple. Raises ModelNotFitted, which names `where`, for anything else."""
    if names is None:
        return ()
    if not isinstance(names, Iterable):
        what = f"{names!r} is no name of a variable, and no list of names"
        raise ModelNotFitted(where, what, "Give names as texts")
    return (names,) if isinstance(names, str) else tuple(names)


def _require_free(labels: pd.DataFrame, within: Sequence[str]) -> None:
    taken = [name for name in within if name in labels]
    if taken:
        what = f"the variable {', '.join(taken)} has the name of the column that names the contrasts"
        raise ModelNotFitted("contrasts", what, "Rename it in the data")


def _by_variable(names: Sequence[str], wanted: Methods) -> dict[str, Method]:
    if isinstance(wanted, str):
        return dict.fromkeys(names, wanted)
    if not isinstance(wanted, Iterable):
        what = f"`interaction` is {wanted!r}"
        raise ModelNotFitted(
            "contrasts", what, 'Give a method for each variable, as ["trt.vs.ctrl", "consec"]'
        )
    methods = dict(wanted) if isinstance(wanted, Mapping) else dict(zip(names, wanted, strict=False))
    if len(wanted) != len(names) or set(methods) != set(names):
        what = f"interaction contrasts need a method for each of {', '.join(names)}"
        raise ModelNotFitted("contrasts", what, "Give as many, in this order or by name")
    return {name: methods[name] for name in names}
