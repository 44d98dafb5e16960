"""Many courses of one design over the recorded arrivals, side by side, one arrival after the other."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from forethought.randomization.arrivals import Arrivals
from forethought.randomization.recorded import Course
from forethought.randomization.replicates import Replicates

Int8s = NDArray[np.int8]
Places = NDArray[np.intp]


class Chance(Protocol):
    """Where a walk's arms come from: one generator, or every possibility."""

    def arm(self, engine: Replicates, label: str) -> tuple[Int8s, Places | None]:
        """The next unit's arm in each course, -1 where it gets none.

        The engine may have taken other courses to that end: which, in the words of `Replicates.take`.
        """
        ...


def members(arrivals: Arrivals) -> tuple[Places, Arrivals]:
    """The unit of each arrival, and the units in the order of their first arrivals; a person is a unit of one."""
    if arrivals.units is None:
        return np.arange(len(arrivals)), arrivals
    places: dict[str, int] = {}
    of_unit = np.array([places.setdefault(unit, len(places)) for unit in arrivals.units], dtype=np.intp)
    first = np.unique(of_unit, return_index=True)[1]
    return of_unit, Arrivals(labels=arrivals.labels, codes=arrivals.codes[first], units=tuple(places))


def walked(course: Course, engine: Replicates, chance: Chance) -> Int8s:
    """The arms of every arrival, shape (courses, arrivals), as chance and the recorded changes make them."""
    of_unit, units = members(course.arrivals)
    labels = [units.labels[code] for code in units.codes]
    first = np.unique(of_unit, return_index=True)[1]
    arms: list[Int8s] = []
    changes = list(reversed(course.changes))
    for unit, label in enumerate(labels):
        while changes and changes[-1].at <= first[unit]:
            change = changes.pop()
            changed = of_unit[change.person]
            # Of a cluster, the place is that of the person who drew it.
            if first[changed] == change.person and changed < unit:
                engine.recount(str(changed), labels[changed], arms[changed], counts=change.counts)
        arm, taken = chance.arm(engine, label)
        if taken is not None:
            arms = [before[taken] for before in arms]
        arms.append(arm)
        engine.place(label, arm, str(unit))
    drawn = np.array(arms, dtype=np.int8).reshape(len(labels), engine.size)
    return np.ascontiguousarray(drawn.T)[:, of_unit]
