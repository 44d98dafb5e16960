"""The same seed gives the same arms in every later release.

Each file in `allocations` holds cases of one algorithm, and is never renewed: an arithmetic that gives other arms is
another algorithm, with a name and a file of its own, and studies that were registered under this one go on with it.
"""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from forethought.protocol import allocation
from forethought.protocol.allocation import Allocation, Design
from forethought.randomization.allocating import allocate
from forethought.randomization.arrivals import Arrivals, Drawn, Source
from forethought.randomization.sequence import Draw, Sequence

FOLDER = Path(__file__).parent / "allocations"
FILES = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*-[0-9].json"))
}
CASES = [
    pytest.param(kept, case, id=f"{name}: {case['name']}")
    for name, kept in FILES.items()
    for case in kept["cases"]
]


def design(case: dict[str, Any]) -> Design:
    made: Design = TypeAdapter(Allocation).validate_json(json.dumps(case["design"]))
    return made


def source(kept: dict[str, Any]) -> Source:
    seed = bytes.fromhex(kept["seed"])
    return Source(seed=seed, study_id=kept["study_id"], wave=kept["wave"], algorithm=kept["algorithm"])


def one_by_one(kept: dict[str, Any], case: dict[str, Any]) -> list[Draw]:
    """The draws of people of whom some leave or come back before somebody's arrival."""
    sequence, drawn = Sequence(design(case), source(kept)), []
    for number, stratum in enumerate(case["strata"]):
        for change in case["changes"]:
            if change["at"] == number:
                person = change["participant"]
                earlier = drawn[person]
                sequence.recount(f"p{person}", earlier.stratum, earlier.arm, counts=change["counts"])
        draw = sequence.draw(stratum, f"p{number}")
        assert draw is not None
        drawn.append(draw)
    return drawn


def of_draws(drawn: list[Draw]) -> dict[str, list[object]]:
    return {
        "arms": [draw.arm for draw in drawn],
        "probabilities": [draw.probability for draw in drawn],
        "blocks": [draw.block for draw in drawn],
        "positions": [draw.position for draw in drawn],
        "replaces": [draw.replaces for draw in drawn],
    }


def of_columns(drawn: Drawn) -> dict[str, list[object]]:
    probabilities = drawn.probability.tolist()
    return {
        "arms": [drawn.arms[code] if code >= 0 else None for code in drawn.arm.tolist()],
        "probabilities": [None if chance != chance else chance for chance in probabilities],
        "blocks": drawn.block.tolist(),
        "positions": drawn.position.tolist(),
        "replaces": [drawn.replaces.get(place) for place in range(len(probabilities))],
    }


@pytest.mark.parametrize(("kept", "case"), CASES)
def test_the_same_seed_gives_the_same_arms_in_every_later_release(
    kept: dict[str, Any], case: dict[str, Any]
) -> None:
    if case["changes"]:
        found = of_draws(one_by_one(kept, case))
    else:
        arrivals = Arrivals.of(case["strata"], case["units"])
        found = of_columns(allocate(design(case), source(kept), arrivals))
    expected = {name: case[name] for name in found}
    chances = [None if each is None else float(Fraction(each)) for each in case["probabilities"]]
    assert found == expected | {"probabilities": chances}


def test_every_algorithm_of_this_release_has_its_file() -> None:
    now = {name.replace("/", "-") for name in allocation._ALGORITHMS.values()}
    assert now | {"permuted-blocks-1"} == set(FILES)


def test_the_algorithm_is_that_of_the_design() -> None:
    for name, kept in FILES.items():
        for case in kept["cases"]:
            newest = allocation.algorithm(design(case))
            assert kept["algorithm"].replace("/", "-") == name
            assert kept["algorithm"] in (newest, "permuted-blocks/1")
