"""Model formulas as lme4 reads them, and criteria of verdicts, parsed into frozen values.

The standard library alone, and never `eval`. Of criteria see `forethought.grammar.criteria`. A model formula is:

    formula      = factor "~" sum
    sum          = [sign] item { sign item }                    sign: "+" or "-"
    item         = "0" | "1" | random | offset | product
    random       = "(" sum ( "|" | "||" ) group ")"             only at the top
    offset       = "offset" "(" arithmetic ")"                  only at the top
    group        = segment { "/" segment }                      segment: names joined by ":"
    product      = interaction { ( "*" | "/" ) interaction }
    interaction  = power { ":" power }
    power        = atom [ ( "^" | "**" ) whole number ]
    atom         = factor | "(" sum ")"
    factor       = name | C(name [, coding]) | poly(name, degree) | function(arithmetic)
    coding       = Treatment [ ("level" | number) ] | Sum | Helmert | Poly

A name is a Python identifier, or any text between backticks. The functions are those of `FUNCTIONS`.
A coding may be spelled as R does, contr.treatment, contr.sum, contr.helmert or contr.poly.
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
    CONTRASTS,
    Contrasts,
    Effects,
    Factor,
    ModelFormula,
    RandomTerm,
    Term,
    Variables,
    variables,
)
from forethought.grammar.parser import FUNCTIONS, parse_contrasts, parse_formula

__all__ = [
    "CONTRASTS",
    "CRITERION_NAMES",
    "FUNCTIONS",
    "Contrasts",
    "Criterion",
    "Effects",
    "Factor",
    "ModelFormula",
    "RandomTerm",
    "Term",
    "Variables",
    "evaluate",
    "names",
    "parse_contrasts",
    "parse_criterion",
    "parse_formula",
    "variables",
]
