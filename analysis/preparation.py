"""The protocol's derivations and exclusions, carried out in their order and counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
import pandas as pd

from forethought.errors import DataRefused
from forethought.protocol.measures import Centre, Derive, Exclude, Join, Log, Preparation
from forethought.protocol.rules import holds


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationStep:
    """What one step did: records and participants after it, and how many records it took away."""

    step: str
    reason: str
    records_before: int
    records_after: int
    participants_after: int

    def as_json(self) -> dict[str, Any]:
        """The step as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__}


def prepare(
    records: pd.DataFrame, steps: Sequence[Preparation]
) -> tuple[pd.DataFrame, tuple[PreparationStep, ...]]:
    """The analysis data set after each derivation and exclusion, with the count of every step.

    `records` has one row for each record and a column `participant`; it is not changed.
    """
    done: list[PreparationStep] = []
    for step in steps:
        before = len(records)
        records, what = _carry_out(records, step)
        done.append(
            PreparationStep(
                step=step.step,
                reason=what,
                records_before=before,
                records_after=len(records),
                participants_after=int(records["participant"].nunique()),
            )
        )
    return records, tuple(done)


def _carry_out(records: pd.DataFrame, step: Preparation) -> tuple[pd.DataFrame, str]:
    match step:
        case Derive(name=name, how=how):
            return records.assign(**{name: _derived(records, how)}), f"{name} = {_in_words(how)}"
        case Exclude(criterion=criterion):
            values = _column(records, criterion.variable)
            leaves = values.astype(object).where(values.notna(), None).map(holds(criterion.rule))
            return records.loc[~leaves.astype(bool)], criterion.reason
        case _:
            assert_never(step)


def _derived(records: pd.DataFrame, how: Log | Centre | Join) -> "pd.Series[Any]":
    match how:
        case Log(of=source):
            values = _column(records, source).astype(float)
            return values.where(values > 0).map(np.log)
        case Centre(of=source):
            values = _column(records, source).astype(float)
            return values - values.mean()
        case Join(of=sources):
            parts = [_label(_column(records, source)) for source in sources]
            joined = parts[0]
            for part in parts[1:]:
                joined = joined + "_" + part
            return joined
        case _:
            assert_never(how)


def _label(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """The values as text, whole numbers without a decimal point."""
    if values.dtype.kind == "f":
        return values.map(lambda value: f"{value:g}", na_action="ignore").astype(object)
    return values.astype(object)


def _in_words(how: Log | Centre | Join) -> str:
    match how:
        case Log(of=source):
            return f"natural logarithm of {source}"
        case Centre(of=source):
            return f"{source} less its mean over the records that remain"
        case Join(of=sources):
            return " and ".join(sources) + " joined"
        case _:
            assert_never(how)


def _column(records: pd.DataFrame, name: str) -> "pd.Series[Any]":
    if name not in records:
        raise DataRefused(
            "analysis data", f"there is no variable `{name}`", "Import the data that hold it first"
        )
    return records[name]
