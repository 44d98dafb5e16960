"""Tests of terms, types 1, 2 and 3, against lmerTest 3.1-3, stats and car 3.1-1; comparisons of fits against lme4 1.1-31.

Numbers and scripts: tests/reference/lmm (fit.R, anova.R).
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.anova import anova
from forethought.analysis.inference import FTest
from forethought.analysis.information_criteria import aic, bic
from forethought.analysis.lmm import MixedFit, lmer
from forethought.analysis.ols import ols
from forethought.analysis.term_contrasts import TestType, term_contrasts

HERE = Path(__file__).parent / "lmm"

TABLES = json.loads((HERE / "anova.json").read_text())
MIXED = [name for name, table in TABLES.items() if "contrast" in table and table["anova3"]]
LINEAR = ["linear", "linear_three", "linear_covariate"]
STUDIES = {
    "small": "small",
    "study1": "study1",
    "study1_ml": "study1",
    "study1_slope": "study1",
    "sleep_slope": "sleepstudy",
    "sleep_int_ml": "sleepstudy",
}
CODINGS = {"contr.treatment": "", "contr.sum": ", Sum", "contr.helmert": ", Helmert"}
SPELLED_HERE = {"x:a": "a:x", "I(x^2)": "I(x ** 2)", "a:I(x^2)": "a:I(x ** 2)"}
OTHERWISE_IN_CAR = ("linear_covariate", "a", 2)
"""There `a` is tested as if it did not interact with the covariate; in lmerTest and here where the covariate is zero."""

each_type = pytest.mark.parametrize("test_type", [1, 2, 3])
each_model = pytest.mark.parametrize("name", [*STUDIES, *MIXED])


@cache
def reference(name: str) -> dict[str, Any]:
    return TABLES[name] if name in TABLES else json.loads((HERE / f"{name}.json").read_text())


@cache
def data(name: str) -> pd.DataFrame:
    return pd.read_csv(HERE / f"{STUDIES.get(name, 'terms')}.csv")


def coded(formula: str, contrast: str) -> str:
    """The formula with R's option `contrasts` written out."""
    if not CODINGS[contrast]:
        return formula
    response, fixed, random = re.fullmatch(r"(\w+ ~)(.*?)((?:\+ \(.*)?)", formula).groups()
    return response + re.sub(r"\b([abce])\b", rf"C(\1{CODINGS[contrast]})", fixed) + random


@cache
def fitted(name: str) -> MixedFit:
    table = reference(name)
    formula = coded(table["formula"], table.get("contrast", "contr.treatment"))
    return lmer(formula, data(name), reml=table["REML"])


def expected(name: str, test_type: int, columns: tuple[str, ...], of: str = "anova") -> np.ndarray:
    """Of the terms that the fit could estimate, in R's order."""
    rows = [row for row in reference(name)[f"{of}{test_type}"] if row.get(columns[0]) is not None]
    return np.array([[row[column] for column in columns] for row in rows], dtype=float)


def found(name: str, test_type: TestType, columns: list[str]) -> np.ndarray:
    table = anova(fitted(name), type=test_type)
    return table[table["num_df"] > 0][columns].to_numpy(dtype=float)


@each_model
@each_type
def test_the_terms_are_those_of_the_formula(name: str, test_type: TestType) -> None:
    terms = [re.sub(r"C\((\w), \w+\)", r"\1", term) for term in anova(fitted(name), type=test_type)["term"]]
    rows = [row["term"] for row in reference(name)[f"anova{test_type}"]]
    assert sorted(terms) == sorted(SPELLED_HERE.get(row, row) for row in rows)


@each_model
@each_type
def test_f_and_its_numerator_agree(name: str, test_type: TestType) -> None:
    numbers = expected(name, test_type, ("F value", "NumDF"))
    np.testing.assert_allclose(found(name, test_type, ["F", "num_df"]), numbers, rtol=1e-5)


@each_model
@each_type
def test_satterthwaites_denominators_agree(name: str, test_type: TestType) -> None:
    np.testing.assert_allclose(
        found(name, test_type, ["den_df"]), expected(name, test_type, ("DenDF",)), rtol=1e-4
    )


@each_model
@each_type
def test_the_p_values_agree(name: str, test_type: TestType) -> None:
    numbers = expected(name, test_type, ("Pr(>F)",))
    np.testing.assert_allclose(found(name, test_type, ["p"]), numbers, rtol=0, atol=1e-6)


@each_model
@each_type
def test_the_sums_of_squares_agree(name: str, test_type: TestType) -> None:
    numbers = expected(name, test_type, ("Sum Sq", "Mean Sq"))
    np.testing.assert_allclose(found(name, test_type, ["sum_sq", "mean_sq"]), numbers, rtol=1e-5)


def test_the_denominator_of_several_contrasts_is_that_of_treatment_differences_of_cell_means() -> None:
    """lmerTest's for `arm` of `small`; consecutive differences would give 23.843, joint_tests of emmeans 22.71."""
    table = anova(fitted("small")).set_index("term")
    assert table.loc["arm", "den_df"] == pytest.approx(23.854765, abs=1e-6)


def test_a_term_that_says_nothing_new_has_no_test() -> None:
    table = anova(fitted("twin")).set_index("term")
    assert (table.loc["twin", "num_df"], np.isnan(table.loc["twin", "F"])) == (0, True)


def test_a_model_without_terms_has_an_empty_table() -> None:
    assert anova(fitted("intercept")).empty


@pytest.mark.parametrize("other", ["factors_sum", "empty_cell_sum", "covariate_sum"])
def test_type_3_does_not_depend_on_the_coding(other: str) -> None:
    one = found(other.removesuffix("_sum"), 3, ["F", "den_df", "p"])
    np.testing.assert_allclose(found(other, 3, ["F", "den_df", "p"]), one, rtol=1e-5)


def least_squares_test(name: str, test_type: TestType, term: str) -> FTest:
    fit = ols(reference(name)["formula"], data(name))
    return fit.inference().test(term_contrasts(fit.fixed, test_type)[term], fit.beta)


@pytest.mark.parametrize("name", LINEAR)
@each_type
def test_the_tests_of_least_squares_agree_with_stats_and_car(name: str, test_type: TestType) -> None:
    for row in reference(name)[f"anova{test_type}"]:
        term = row["term"]
        if term in ("(Intercept)", "Residuals") or (name, term, test_type) == OTHERWISE_IN_CAR:
            continue
        tested = least_squares_test(name, test_type, term)
        numbers = (row["Df"], row["F value"], row["Pr(>F)"])
        assert (tested.num_df, tested.F, tested.p) == pytest.approx(numbers, rel=1e-8)


@pytest.mark.parametrize("name", ["compare_fixed", "compare_random"])
def test_likelihood_ratios_agree_with_lme4(name: str) -> None:
    fits = [lmer(formula, data(name)) for formula in reference(name)["formulas"]]
    columns = {
        "n_parameters": "npar",
        "aic": "AIC",
        "bic": "BIC",
        "log_likelihood": "logLik",
        "chisq": "Chisq",
    }
    rows = reference(name)["table"]
    numbers = np.array(
        [[row.get(column, np.nan) for column in columns.values()] for row in rows], dtype=float
    )
    np.testing.assert_allclose(anova(*fits)[list(columns)].to_numpy(dtype=float), numbers, rtol=1e-7)


@pytest.mark.parametrize("name", ["compare_fixed", "compare_random"])
def test_the_p_values_of_likelihood_ratios_agree_with_lme4(name: str) -> None:
    fits = [lmer(formula, data(name)) for formula in reference(name)["formulas"]]
    numbers = [row["Pr(>Chisq)"] for row in reference(name)["table"][1:]]
    np.testing.assert_allclose(anova(*fits)["p"][1:], numbers, rtol=0, atol=1e-8)


@pytest.mark.parametrize("name", ["compare_fixed", "compare_random"])
def test_information_criteria_of_fits_by_reml_agree_with_lme4(name: str) -> None:
    fits = [lmer(formula, data(name)) for formula in reference(name)["formulas"]]
    np.testing.assert_allclose([aic(fit) for fit in fits], reference(name)["AIC"], rtol=1e-8)
    np.testing.assert_allclose([bic(fit) for fit in fits], reference(name)["BIC"], rtol=1e-8)


def test_the_published_comparison_of_sleepstudy() -> None:
    """As lme4 prints it: Chisq 42.139 on 2 df, p 7.072e-10."""
    sleep = data("sleep_slope")
    fits = [lmer(f"Reaction ~ Days + ({effects} | Subject)", sleep) for effects in ("1", "Days")]
    row = anova(*fits).iloc[1]
    assert (row["chisq"], row["df"], row["p"]) == pytest.approx((42.139, 2, 7.072e-10), rel=1e-4)
