"""What a term's test asks to be zero, on designs small enough to know the answer."""

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.anova import anova
from forethought.analysis.designs import fixed_design, model_data
from forethought.analysis.lmm import lmer
from forethought.analysis.term_contrasts import TestType, term_contrasts
from forethought.grammar import parse_formula


def cells(counts: dict[tuple[str, str], int]) -> pd.DataFrame:
    """As many rows of each combination of a and b as are counted, with a covariate and an outcome."""
    rows = [cell for cell, count in counts.items() for _ in range(count)]
    rng = np.random.default_rng(11)
    frame = pd.DataFrame(rows, columns=["a", "b"])
    return frame.assign(x=rng.normal(size=len(rows)), y=rng.normal(size=len(rows)))


UNEQUAL = cells({("p", "i"): 3, ("p", "j"): 5, ("q", "i"): 4, ("q", "j"): 2, ("r", "i"): 6, ("r", "j"): 3})
EQUAL = cells({(a, b): 4 for a in "pqr" for b in "ij"})
WITHOUT_A_CELL = cells({("p", "i"): 3, ("p", "j"): 5, ("q", "i"): 4, ("q", "j"): 2, ("r", "i"): 6})


def rows(formula: str, frame: pd.DataFrame, test_type: TestType, term: str) -> np.ndarray:
    return term_contrasts(fixed_design(model_data(parse_formula(formula), frame)), test_type)[term]


def of_cell_means(formula: str, frame: pd.DataFrame, test_type: TestType, term: str) -> np.ndarray:
    """The same as weights of the observed cells' means, where each cell has a mean of its own; cells sorted."""
    design = fixed_design(model_data(parse_formula(formula), frame))
    means = pd.DataFrame(design.X).groupby([frame["a"], frame["b"]]).mean().to_numpy()
    return rows(formula, frame, test_type, term) @ np.linalg.pinv(means)


def same_hypothesis(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether the rows of both span the same space."""
    ranks = {int(np.linalg.matrix_rank(each, tol=1e-8)) for each in (one, other, np.vstack([one, other]))}
    return len(ranks) == 1


def test_type_3_compares_means_of_cells_with_equal_weights() -> None:
    """Treatment differences against the first level: q - p and r - p, each the mean over i and j."""
    expected = np.array([[-1, -1, 1, 1, 0, 0], [-1, -1, 0, 0, 1, 1]]) / 2
    np.testing.assert_allclose(of_cell_means("y ~ a * b", UNEQUAL, 3, "a"), expected, atol=1e-12)


def test_type_3_of_an_interaction_is_the_differences_of_differences() -> None:
    expected = [[1, -1, -1, 1, 0, 0], [1, -1, 0, 0, -1, 1]]
    np.testing.assert_allclose(of_cell_means("y ~ a * b", UNEQUAL, 3, "a:b"), expected, atol=1e-12)


@pytest.mark.parametrize("coding", ["Sum", "Helmert", "Poly", "Treatment('r')"])
@pytest.mark.parametrize("term", ["a", "b", "a:b"])
def test_type_3_is_written_in_the_same_basis_whatever_the_coding(coding: str, term: str) -> None:
    plain = of_cell_means("y ~ a * b", UNEQUAL, 3, term)
    factor = f"C(a, {coding})"
    other = of_cell_means(f"y ~ {factor} * b", UNEQUAL, 3, term.replace("a", factor))
    np.testing.assert_allclose(other, plain, atol=1e-12)


@pytest.mark.parametrize("test_type", [1, 2])
@pytest.mark.parametrize("term", ["a", "b", "a:b"])
def test_types_1_and_2_test_the_same_hypothesis_whatever_the_coding(test_type: TestType, term: str) -> None:
    plain = of_cell_means("y ~ a * b", UNEQUAL, test_type, term)
    other = of_cell_means("y ~ C(a, Sum) * b", UNEQUAL, test_type, term.replace("a", "C(a, Sum)"))
    assert same_hypothesis(plain, other)


def test_type_1_of_the_first_term_weighs_cells_by_their_rows() -> None:
    found = of_cell_means("y ~ a * b", UNEQUAL, 1, "a")
    marginal = np.array([[-3 / 8, -5 / 8, 4 / 6, 2 / 6, 0, 0], [-3 / 8, -5 / 8, 0, 0, 6 / 9, 3 / 9]])
    assert same_hypothesis(found, marginal)


def test_type_2_leaves_out_what_contains_the_term() -> None:
    """It is type 1 of the term put after the others that do not contain it."""
    found = of_cell_means("y ~ a * b", UNEQUAL, 2, "a")
    assert same_hypothesis(found, of_cell_means("y ~ b + a + a:b", UNEQUAL, 1, "a"))


@pytest.mark.parametrize("term", ["a", "b", "a:b"])
def test_in_a_balanced_design_all_types_test_the_same_hypothesis(term: str) -> None:
    first, second, third = (of_cell_means("y ~ a * b", EQUAL, number, term) for number in (1, 2, 3))
    assert same_hypothesis(first, second)
    assert same_hypothesis(second, third)


def test_a_covariate_is_averaged_over_the_levels_that_change_its_slope() -> None:
    """Its slope for p is the coefficient of x; those of q and r differ by the interaction's."""
    np.testing.assert_allclose(rows("y ~ a * x", UNEQUAL, 3, "x"), [[0, 0, 0, 1, 1 / 3, 1 / 3]], atol=1e-12)


def test_a_factor_is_tested_where_a_covariate_that_interacts_with_it_is_zero() -> None:
    np.testing.assert_allclose(rows("y ~ a * x", UNEQUAL, 3, "a"), np.eye(6)[1:3], atol=1e-12)


def test_an_empty_cell_costs_the_interaction_a_row() -> None:
    assert rows("y ~ a * b", WITHOUT_A_CELL, 3, "a:b").shape == (1, 5)


def test_with_an_empty_cell_only_what_can_be_estimated_is_tested() -> None:
    """Of r only i was seen: the rows of a are orthogonal to those of the interaction."""
    main, interaction = (rows("y ~ a * b", WITHOUT_A_CELL, 3, term) for term in ("a", "a:b"))
    assert np.linalg.matrix_rank(np.vstack([main, interaction])) == len(main) + len(interaction)


@pytest.mark.parametrize("test_type", [1, 2, 3])
def test_a_term_that_depends_on_the_others_has_no_row(test_type: TestType) -> None:
    frame = UNEQUAL.assign(twin=UNEQUAL["a"].map({"p": "u", "q": "v", "r": "v"}))
    assert len(rows("y ~ a + b + twin", frame, test_type, "twin")) == 0


def test_types_of_a_model_without_an_intercept_compare_all_levels_with_zero() -> None:
    assert rows("y ~ 0 + a + b", UNEQUAL, 3, "a").shape == (3, 4)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_a_covariate_does_not_matter(scale: float) -> None:
    frame = pd.concat([UNEQUAL] * 3, ignore_index=True)
    rng = np.random.default_rng(2)
    frame = frame.assign(
        g=np.arange(len(frame)) % 7, x=rng.normal(size=len(frame)), y=rng.normal(size=len(frame))
    )
    one, other = (
        anova(lmer("y ~ a * x + b + (1 | g)", frame.assign(x=frame["x"] * factor)), type=3).iloc[:, 3:]
        for factor in (1, scale)
    )
    np.testing.assert_allclose(other, one, rtol=1e-6)
