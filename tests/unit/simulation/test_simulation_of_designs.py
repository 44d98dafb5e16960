"""Recruits come in clusters where clusters are allocated."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from forethought.protocol.imports import Variable
from forethought.protocol.protocol import Protocol
from forethought.simulation.recruits import play_recruits

OPENS = datetime(2025, 3, 25, 9, 0, tzinfo=UTC)


def played(
    protocol: Protocol, *, levels: tuple[str, ...] = (), clusters: bool = True
) -> list[dict[str, str]]:
    """The submissions to Lend an Ear where people come from places, which are allocated or not."""
    recruits: Any = protocol.imports.recruits
    kind: Any = "category" if levels else "text"
    place = Variable(name="home_town", column="Town", type=kind, levels=levels)
    recruits = recruits.model_copy(update={"variables": (*recruits.variables, place)})
    allocated = {"unit": "cluster", "cluster": "home_town"} if clusters else {}
    changed = protocol.model_copy(
        update={
            "allocation": protocol.allocation.model_copy(update=allocated),
            "imports": protocol.imports.model_copy(update={"recruits": recruits}),
        }
    )
    content = play_recruits(changed, opens=OPENS, seed=1, participants=400).file.content
    return [row for row in csv.DictReader(io.StringIO(content.decode())) if row["Town"] != "CONSENT_REVOKED"]


def test_clusters_that_the_protocol_does_not_list_have_about_eight_people_each(protocol: Protocol) -> None:
    towns = Counter(row["Town"] for row in played(protocol))
    assert set(towns) <= {f"home_town {number}" for number in range(1, 968 // 8 + 1)}
    assert len(towns) > 100


def test_clusters_that_the_protocol_lists_are_those(protocol: Protocol) -> None:
    assert {row["Town"] for row in played(protocol, levels=("North", "South"))} == {"North", "South"}


def test_a_text_that_names_no_cluster_is_as_it_was(protocol: Protocol) -> None:
    assert {row["Town"] for row in played(protocol, clusters=False)} == {"yes", "no"}
