"""How one wave was drawn: its design, its seed, and who came; for those who may know."""

from dataclasses import dataclass, field

import pandas as pd

from forethought.protocol.allocation import Design
from forethought.protocol.folder import StudyFolder
from forethought.protocol.protocol import Protocol
from forethought.randomization.arrivals import Source
from forethought.randomization.replay import rederive
from forethought.randomization.strata import levels_of
from forethought.registration import Registration
from forethought.steps.placing import plan_of
from forethought.store import allocations
from forethought.store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DrawnWave:
    """All that a wave's arms follow from, and the arms as they were recorded.

    `recorded` and `counting` are the wave's rows of `allocations` and `counting`. The seed is in `source`: only steps
    behind the gate may make one.
    """

    design: Design
    source: Source = field(repr=False)
    recorded: pd.DataFrame
    counting: pd.DataFrame

    @property
    def readable(self) -> bool:
        """Whether every stratum names the variables that the design looks at; the arms can be drawn again then."""
        needed = set(self.design.covariates)
        return all(needed <= set(levels_of(label)) for label in self.recorded["stratum"].unique())


def drawn_wave(
    con: Connection, folder: StudyFolder, protocol: Protocol, locked: Registration, wave: int
) -> DrawnWave:
    """The wave with its secret seed and its true block sizes (NotLocked where they are not those committed to)."""
    plan = plan_of(folder, protocol, locked, wave)
    return DrawnWave(
        design=plan.design,
        source=plan.source,
        recorded=allocations.recorded(con, wave),
        counting=allocations.counting(con, wave),
    )


def tell(con: Connection, drawn: DrawnWave) -> int:
    """Fill in what stays untold until the unblinding: probability, block and position; how many rows were filled.

    A row whose arm is not the one that the seed gives stays as it is, and so does a record that cannot be read: the
    replay will say so.
    """
    if drawn.recorded.empty or not drawn.readable:
        return 0
    given = rederive(drawn.design, drawn.source, drawn.recorded, drawn.counting)
    arms = dict(zip(drawn.recorded["participant_id"], drawn.recorded["arm"], strict=True))
    agreed = given["arm"] == given["participant_id"].map(arms)
    return allocations.reveal(con, given.loc[agreed, ["participant_id", "probability", "block", "position"]])
