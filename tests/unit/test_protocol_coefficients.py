"""The names of a model's coefficients, known before there are data, are those that formulaic gives."""

from itertools import product

import pandas as pd
import pytest
from formulaic import model_matrix

from forethought.grammar import parse_formula
from forethought.protocol.coefficients import Coefficients, coefficients
from forethought.protocol.columns import Column

LEVELS = {"arm": ("control", "video", "coach"), "sex": ("Female", "Male"), "lab": ("a", "b")}
COLUMNS = {
    "arm": Column("arm", "category", LEVELS["arm"]),
    "sex": Column("sex", "category", LEVELS["sex"]),
    "lab": Column("lab", "category"),  # its levels are not listed
    "round": Column("round", "number"),
    "age": Column("age", "number"),
}


def possible(formula: str) -> Coefficients:
    return coefficients(parse_formula(f"y ~ {formula}").fixed, COLUMNS)


def in_the_fit(formula: str) -> list[str]:
    """The names that formulaic gives, for data in which every combination of levels occurs."""
    rows = list(product(*LEVELS.values(), (0.0, 1.0), (20.0, 30.0, 40.0)))
    frame = pd.DataFrame(rows, columns=[*LEVELS, "round", "age"])
    for name, levels in LEVELS.items():
        frame[name] = pd.Categorical(frame[name], levels)
    return [str(name) for name in model_matrix(str(parse_formula(f"y ~ {formula}").fixed), frame).columns]


@pytest.mark.parametrize(
    "formula",
    ["1", "arm", "round", "arm * round", "arm + sex", "arm * sex", "arm * round * age", "sex * arm + age:round", "arm + round:arm + round"],
)  # fmt: skip
def test_the_names_of_a_hierarchical_model_are_known_exactly(formula: str) -> None:
    found = possible(formula)
    assert found.all_known
    assert sorted(found.names) == sorted(in_the_fit(formula))


@pytest.mark.parametrize(
    "formula",
    ["lab", "lab * arm", "0 + arm", "0 + arm + sex", "arm:round", "round + arm:round", "arm:sex", "sex:arm:round", "C(lab)", 'C(arm, Treatment("video"))', "poly(age, 2)", "log(age) * arm", "I(age ** 2)", "C(lab, Sum)", "C(arm, Helmert) * round", "C(lab, Poly)", "arm + offset(age)"],
)  # fmt: skip
def test_every_coefficient_of_any_other_model_is_possible(formula: str) -> None:
    found = possible(formula)
    assert [name for name in in_the_fit(formula) if name not in found] == []


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("arm * round", "arm[T.control]"),
        ("arm * round", "arm[T.vidoe]"),
        ("arm * round", "round:arm[T.video]"),
        ("arm * round", "(Intercept)"),
        ("arm", "arm[T.video]:round"),
        ("arm + lab", "lab"),
        ("arm + lab", "lab[T.]"),
        ("0 + arm", "Intercept"),
        ("0 + arm", "arm[nobody]"),
    ],
)
def test_a_name_that_the_fit_cannot_have_is_not_possible(formula: str, name: str) -> None:
    assert name not in possible(formula)
