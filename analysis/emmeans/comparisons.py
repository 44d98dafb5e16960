"""Contrasts of marginal means: their table, the joint test, equivalence and non-inferiority."""

import math
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from forethought.analysis.designs import Floats
from forethought.analysis.emmeans.adjustments import (
    Adjustment,
    Side,
    TestFamily,
    effective,
    interval_adjustment,
)
from forethought.analysis.emmeans.linear_functions import LinearFunctions
from forethought.analysis.emmeans.tables import Shown, not_estimable
from forethought.analysis.given_frames import given_frame
from forethought.analysis.inference import require_level
from forethought.errors import ModelNotFitted

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, repr=False, eq=False)
class Contrasts(Shown):
    """Contrasts, those of one level of `by` adjusted together.

    labels: a row for each, the contrast's name or names and then the level of each variable of `by`. functions: what
    they are of the coefficients. families: the places of each family's contrasts. means: between which those of a
    family are. pairs: whether they are all pairwise differences. asked: the adjustment asked for; see `adjust`.
    about: what a reader needs to know of the means, a sentence each.
    """

    labels: pd.DataFrame
    functions: LinearFunctions
    families: tuple[Places, ...]
    by: tuple[str, ...]
    means: int
    pairs: bool
    asked: Adjustment
    level: float
    about: tuple[str, ...]

    @property
    def adjust(self) -> Adjustment:
        """The adjustment of p values: what was asked for, or what emmeans puts in its place (see `effective`)."""
        return self._effective("two-sided")

    @property
    def ci_adjust(self) -> Adjustment:
        """That of the intervals: Bonferroni's where the method of the p values has none."""
        return interval_adjustment(self.adjust)

    @property
    def family_size(self) -> int:
        """For how many a family's p values are adjusted: the means of Tukey's method, the contrasts of the others."""
        return self.means if self.adjust == "tukey" else len(self.families[0])

    @given_frame
    def table(self) -> pd.DataFrame:
        """A row for each contrast: labels, estimate, se, df, statistic, p, ci_low, ci_high; p and interval adjusted."""
        found = self.test()
        bounds = self._bounds(self.level, "two-sided") * self.functions.se
        return found.drop(columns="null").assign(
            ci_low=self.functions.estimates - bounds, ci_high=self.functions.estimates + bounds
        )

    def test(self, null: float = 0.0, *, side: Side = "two-sided") -> pd.DataFrame:
        """Labels, estimate, se, df, null, statistic, p: whether each contrast is `null`, or to its one side.

        side: "less" where a contrast below the null is of interest, "greater" where one above it is.
        Raises ModelNotFitted for a null that is not finite and for another side.
        """
        if side not in get_args(Side):
            raise ModelNotFitted("contrasts", f"there is no side {side}", f"Take {', '.join(get_args(Side))}")
        if not (isinstance(null, Real) and math.isfinite(null)):
            what = f"the null {null} is not a finite number"
            raise ModelNotFitted("contrasts", what, "Give the value that the contrasts are tested against")
        return self._tested(self._statistics(null), side, null=np.full(len(self.labels), float(null)))

    def equivalence(self, margin: float, level: float = 0.95) -> pd.DataFrame:
        """Two one-sided tests of whether each contrast is nearer to zero than `margin`, in units of the estimates.

        Labels, estimate, se, df, margin, statistic, p, ci_low, ci_high, equivalent. The statistic is that of the
        nearer margin; `equivalent` where the adjusted p is below 1 - level. The interval has coverage
        1 - 2 (1 - level) for one contrast, and lies within the margins just where `equivalent` is true, unless p is
        adjusted stepwise (holm, hochberg, hommel, BH, BY), with which intervals are Bonferroni's
        (Schuirmann 1987, J. Pharmacokinet. Biopharm. 15:657). Raises ModelNotFitted for a margin that is not positive.
        """
        _require_margin(margin)
        functions, reach = self.functions, self._bounds(require_level(level), "less") * self.functions.se
        with np.errstate(invalid="ignore"):
            statistics = (np.abs(functions.estimates) - margin) / functions.se
        found = self._tested(statistics, "less", margin=np.full(len(self.labels), float(margin)))
        return found.assign(
            ci_low=functions.estimates - reach,
            ci_high=functions.estimates + reach,
            equivalent=found["p"] < 1 - level,
        )

    def non_inferiority(
        self, margin: float, higher_is_better: bool = True, level: float = 0.95
    ) -> pd.DataFrame:
        """One-sided tests of whether each contrast is worse than zero by less than `margin`, in units of the estimates.

        Labels, estimate, se, df, margin, statistic, p, ci_low, ci_high, non_inferior. The interval is one-sided with
        coverage `level` and ends at infinity on the better side; `non_inferior` where the adjusted p is below
        1 - level, which is where the interval does not reach the margin, unless p is adjusted stepwise.
        Raises ModelNotFitted for a margin that is not positive.
        """
        _require_margin(margin)
        functions, better = self.functions, 1 if higher_is_better else -1
        statistics = self._statistics(-better * margin)
        side: Side = "greater" if higher_is_better else "less"
        found = self._tested(statistics, side, margin=np.full(len(self.labels), float(margin)))
        worst = functions.estimates - better * self._bounds(require_level(level), side) * functions.se
        best = np.where(np.isnan(worst), math.nan, better * math.inf)
        low, high = (worst, best) if higher_is_better else (best, worst)
        return found.assign(ci_low=low, ci_high=high, non_inferior=found["p"] < 1 - level)

    def joint(self) -> pd.DataFrame:
        """Levels of `by`, num_df, den_df, F, p: whether all contrasts of a family are zero.

        Contrasts that depend on those before them or are not estimable are left out. A mixed model's denominator is
        that of `fit.inference`, Satterthwaite's that of this basis: of pairwise and trt.vs.ctrl contrasts it is
        lmerTest's. emmeans takes another one.
        Offsets count, where contrasts do not sum to zero; in emmeans' joint tests they do not.
        """
        rows = []
        for places in self.families:
            found = self.functions.taken(places).joint()
            levels = {name: self.labels[name].iloc[places[0]] for name in self.by}
            numbers = {"num_df": found.num_df, "den_df": found.den_df, "F": found.F, "p": found.p}
            rows.append({**levels, **numbers})
        return pd.DataFrame(rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the table needs to know, a sentence each."""
        family = f"a family of {self.family_size} {'means' if self.adjust == 'tukey' else 'contrasts'}"
        adjusted = "not adjusted" if self.adjust == "none" else f"adjusted by {self.adjust} for {family}"
        found = [*self.about, f"p: {adjusted}"]
        if self.asked != self.adjust and self.adjust != "none":
            found.append(f"{self.adjust} stands in for {self.asked}, which these contrasts do not allow")
        beside = "" if self.ci_adjust == self.adjust else f", adjusted by {self.ci_adjust}"
        found.append(f"Intervals: {100 * self.level:g} %{beside}")
        return (*found, *not_estimable(self.labels, self.functions.estimable))

    def _effective(self, side: Side) -> Adjustment:
        return effective(self.asked, len(self.families[0]), pairs=self.pairs, side=side)

    def _statistics(self, null: float) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((self.functions.estimates - null) / self.functions.se)

    def _tested(self, statistics: Floats, side: Side, **columns: Floats) -> pd.DataFrame:
        functions, p = self.functions, np.full(len(self.labels), math.nan)
        for places, family in zip(self.families, self._families(side), strict=True):
            p[places] = family.p_values(statistics[places], functions.df[places], side)
        numbers = {"estimate": functions.estimates, "se": functions.se, "df": functions.df}
        return self.labels.assign(**numbers, **columns, statistic=statistics, p=p)

    def _bounds(self, level: float, side: Side) -> Floats:
        bounds = np.full(len(self.labels), math.nan)
        for places, family in zip(self.families, self._families(side), strict=True):
            bounds[places] = family.bounds(self.functions.df[places], level, side)
        return bounds

    def _families(self, side: Side) -> list[TestFamily]:
        adjust = self._effective(side)
        if adjust not in self._made:
            self._made[adjust] = [self._family(places, adjust) for places in self.families]
        return self._made[adjust]

    def _family(self, places: Places, adjust: Adjustment) -> TestFamily:
        functions = self.functions.taken(places)
        rank = len(functions.independent)
        return TestFamily(adjust, len(places), self.means, rank, functions.correlation)

    @cached_property
    def _made(self) -> dict[Adjustment, list[TestFamily]]:
        return {}


def _require_margin(margin: float) -> None:
    if not (isinstance(margin, Real) and margin > 0 and math.isfinite(margin)):
        what = f"the margin {margin} is not a positive number"
        raise ModelNotFitted("contrasts", what, "Give the smallest difference that matters, in data units")
