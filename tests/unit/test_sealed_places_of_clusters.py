"""Which place of a sealed list somebody gets who belongs to a cluster."""

from forethought.randomization.arrivals import Arrivals, Before
from forethought.steps.sealed import _places


def test_a_member_from_a_stratum_that_nobody_came_from_has_the_place_of_the_cluster() -> None:
    arrivals = Arrivals.of(["site=North", "site=South", "site=South"], ["N1", "N1", "S1"])
    assert list(_places(arrivals, Before())) == [
        ("site=North", 1, None),
        ("site=North", 1, None),
        ("site=South", 1, None),
    ]
