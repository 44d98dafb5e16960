"""The rounding rule of ManyBabies 1 (2020, AMPPS 3:24), Table 4, holds for every number of it.

The printed numbers are the paper's; the long ones are those of lme4 1.1-31 and lmerTest 3.1-3 for the same model
(tests/reference/lmm: manybabies1.R wrote manybabies1.json). No data are needed.
"""

import json
from pathlib import Path

import pytest

from forethought.analysis.expected import agreement
from forethought.protocol.analysis import Rounding

LME4 = json.loads((Path(__file__).parent / "lmm/manybabies1.json").read_text())

RULE = Rounding(significant=3, decimals=3)
COLUMNS = {"estimate": 0, "se": 1, "statistic": 3, "p": 4}

# Table 4, in lme4's order: estimate, SE, t, p; what the facts sheet does not give is left out
PRINTED = """
2.180 .051 43.100 .000
.099 .036 2.740 .010
-.265 .046 -5.790
-.052 .051 -1.020 .308
-.038 .002 -25.000
-.035 .004 -7.950
-.016 .049 -.335 .738
-.009 .017 -.548 .584
.034 .015 2.270 .023
-.003 .002 -1.370 .172
.001 .000 3.140 .002
.012 .003 4.300
.039 .013 3.060 .002
.001 .006 .198 .843
.004 .004 1.050 .292
"""

NUMBERS = [
    (term, column, printed, row[place])
    for term, row, line in zip(LME4["terms"], LME4["table"], PRINTED.strip().splitlines(), strict=True)
    for (column, place), printed in zip(COLUMNS.items(), line.split(), strict=False)
]


@pytest.mark.parametrize(("term", "column", "printed", "ours"), NUMBERS)
def test_lme4s_number_rounded_as_the_table_is_the_printed_one(
    term: str, column: str, printed: str, ours: float
) -> None:
    assert agreement(printed, ours, RULE), f"{column} of {term}: {ours} is not {printed}"


def test_rounding_to_decimals_alone_would_contradict_the_table() -> None:
    misses = [
        (term, column)
        for term, column, printed, ours in NUMBERS
        if not agreement(printed, ours, Rounding(decimals=3))
    ]
    assert ("(Intercept)", "estimate") in misses


def test_the_table_itself_rounds_a_tie_to_the_even_digit() -> None:
    (p,) = [ours for term, column, _, ours in NUMBERS if (term, column) == ("trial_typeIDS", "p")]
    assert f"{p:.3g}" == "0.0105"
    assert agreement(".010", p, RULE)
    assert not agreement(".011", p, RULE)


@pytest.mark.parametrize("step", [-0.0015, 0.0015])
def test_a_number_more_than_a_printed_digit_away_does_not_agree(step: float) -> None:
    small = [(printed, ours) for _, _, printed, ours in NUMBERS if abs(ours) < 0.0995]
    assert len(small) > 30
    assert not any(agreement(printed, ours + step, RULE) for printed, ours in small)
