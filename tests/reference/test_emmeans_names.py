"""Contrasts are called what emmeans 1.8.4-1 calls them. Scripts: tests/reference/lmm/emmeans.R, emmeans_models.R."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forethought.analysis.emmeans import MarginalMeans, emmeans
from forethought.analysis.ols import ols

HERE = Path(__file__).parent / "lmm"
EXPECTED = json.loads((HERE / "emmeans.json").read_text())
MODELS = json.loads((HERE / "emmeans_models.json").read_text())


def data() -> pd.DataFrame:
    return pd.read_csv(HERE / "emmeans.csv")


def additive(specs: str = "a", **options: Any) -> MarginalMeans:
    return emmeans(ols("y ~ a + b + x + log(z)", data()), specs, **options)


@pytest.mark.parametrize(
    ("name", "method"),
    [("poly", "poly"), ("eff", "eff"), ("revpairwise", "revpairwise"), ("pairs_none", "pairwise")],
)
def test_contrasts_have_the_names_of_emmeans(name: str, method: Any) -> None:
    found = additive().contrasts(method).table["contrast"].tolist()
    assert found == [row["contrast"] for row in EXPECTED["additive"][name]]


def test_a_negative_covariate_is_bracketed_in_names_as_in_emmeans() -> None:
    found = additive("x", at={"x": [-1, 0, 2]}).contrasts().table["contrast"].tolist()
    assert found == [row["contrast"] for row in EXPECTED["additive"]["covariate_pairs"]]


def test_interaction_contrasts_have_the_columns_of_emmeans() -> None:
    fives = data().assign(five=[f"t{place * 7 % 6}" for place in range(1, len(data()) + 1)])
    means = emmeans(ols("y ~ a + b * five", fives), ["five", "b"])
    found, expected = means.contrasts(interaction=["poly", "eff"]).table, MODELS["three_by"]["interaction"]
    for column in ("five_poly", "b_eff"):
        assert found[column].tolist() == [row[column] for row in expected]
