"""The same seed gives the same orders of the materials in every later release. The file is never changed."""

import json
from pathlib import Path

import pytest

from forethought.protocol.design import Stimuli
from forethought.randomization.order import orders

GOLDEN = json.loads((Path(__file__).parent / "allocations" / "orders.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: f"{case['order']} of {len(case['items'])}")
def test_the_orders_are_those_of_every_release(case: dict[str, object]) -> None:
    stimuli = Stimuli(
        name="scenario",
        items=tuple(case["items"]),
        order=case["order"],
        sessions=tuple(f"session_{number}" for number in range(1, case["sessions"] + 1)),
    )
    arrivals = {f"p{arrival}": arrival for arrival in range(1, len(case["orders"]) + 1)}
    drawn = orders(stimuli, GOLDEN["study_id"], GOLDEN["wave"], bytes.fromhex(GOLDEN["seed"]), arrivals)
    assert [" ".join(drawn[participant]) for participant in arrivals] == case["orders"]
