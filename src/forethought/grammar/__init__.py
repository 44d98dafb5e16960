"""Model formulas as lme4 reads them, and criteria of verdicts, parsed into frozen values.

The standard library alone, and never `eval`. Of criteria see `forethought.grammar.criteria`. A model formula is:

    formula      = factor "~" sum
    sum          = [sign] item { sign item }                    sign: "+" or "-"
    item         = "0" | "1" | random | product
    random       = "(" sum ( "|" | "||" ) group ")"             only at the top
    group        = segment { "/" segment }                      segment: names joined by ":"
    product      = interaction { ( "*" | "/" ) interaction }
    interaction  = power { ":" power }
    power        = atom [ ( "^" | "**" ) whole number ]
    atom         = factor | "(" sum ")"
    factor       = name | C(name [, Treatment("level" | number)]) | poly(name, degree) | function(arithmetic)

A name is a Python identifier, or any text between backticks. The functions are those of `FUNCTIONS`.
`(x || g)` keeps its terms uncorrelated; `(1 | a/b)` becomes `(1 | b:a) + (1 | a)`, as in lme4.
"""

from forethought.grammar.criteria import (
    CRITERION_NAMES,
    Criterion,
    evaluate,
    names,
)
from forethought.grammar.criterion_parser import parse_criterion
from forethought.grammar.formulas import (
    Effects,
    Factor,
    ModelFormula,
    RandomTerm,
    Term,
    Variables,
    variables,
)
from forethought.grammar.parser import FUNCTIONS, parse_formula

__all__ = [
    "CRITERION_NAMES",
    "FUNCTIONS",
    "Criterion",
    "Effects",
    "Factor",
    "ModelFormula",
    "RandomTerm",
    "Term",
    "Variables",
    "evaluate",
    "names",
    "parse_criterion",
    "parse_formula",
    "variables",
]
