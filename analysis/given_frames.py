"""Frames and arrays that are computed once and given away: what is done to one that was given changes no fit."""

from functools import cached_property
from typing import Any, Self, TypeVar, cast, overload

import pandas as pd

from forethought.analysis.columns import Floats

Given = TypeVar("Given", pd.DataFrame, "pd.Series[float]", dict[str, pd.DataFrame])


class given_frame(cached_property[Given]):  # noqa: N801 - a decorator, as the one that it is made of
    """A cached property whose value is a frame, a series or frames by name; whoever asks gets a copy of his own."""

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Given: ...
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Self | Given:
        if instance is None:
            return self
        kept, name = vars(instance), f"{self.attrname} as computed"
        if name not in kept:
            kept[name] = self.func(instance)
        value: Any = kept[name]
        by_name = isinstance(value, dict)
        return cast(Given, {key: frame.copy() for key, frame in value.items()} if by_name else value.copy())


def unwritable(values: Floats) -> Floats:
    """The same numbers, which whoever is given them cannot change."""
    view = values.view()
    view.flags.writeable = False
    return view
