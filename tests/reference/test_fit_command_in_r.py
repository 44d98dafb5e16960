"""Whole calls of `forethought fit` against R, of numbers and scripts in tests/reference/lmm (fit_command.R)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forethought.steps.fit import Means, Model, Questions, fit

HERE = Path(__file__).parent / "lmm"
RECORDS = {"means": ("emmean", "lower.CL", "upper.CL"), "contrasts": ("estimate", "lower.CL", "upper.CL")}


@cache
def reference() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "fit_command.json").read_text())
    return found


@cache
def kenward_roger() -> dict[str, Any]:
    model = Model(
        formula="y ~ arm * tnum + (1 | pid) + (1 | scenario)",
        ddf="kenward-roger",
        references={"arm": "B_warm"},
    )
    means = Means(names=["arm"], by=["tnum"], at={"tnum": ["0", "1"]}, contrasts="trt.vs.ctrl", adjust="holm")
    return fit(HERE / "small.csv", model, Questions(anova=2, means=means)).as_json()


@cache
def weighted() -> dict[str, Any]:
    model = Model(
        formula="y ~ arm + tnum + (1 | pid)",
        reml=False,
        weights="yord",
        codings={"arm": "sum"},
        references={"arm": "B_warm"},
    )
    means = Means(names=["arm"], contrasts="pairwise")
    return fit(HERE / "small.csv", model, Questions(means=means)).as_json()


CALLS = {"kr": kenward_roger, "weighted": weighted}


@pytest.mark.parametrize("call", CALLS)
def test_coefficients_agree_with_lmertest(call: str) -> None:
    expected = reference()[call]["coefficients"]["values"]
    for row, values in zip(CALLS[call]()["coefficients"], expected, strict=True):
        found = [row[name] for name in ("estimate", "se", "df", "statistic", "p")]
        assert found == pytest.approx(values, rel=1e-5)


@pytest.mark.parametrize("call", CALLS)
def test_aic_agrees_with_lme4(call: str) -> None:
    assert CALLS[call]()["aic"] == pytest.approx(reference()[call]["AIC"], rel=1e-9)


def test_bic_agrees_with_lme4() -> None:
    assert kenward_roger()["bic"] == pytest.approx(reference()["kr"]["BIC"], rel=1e-9)


def test_r_squared_and_icc_agree_with_performance() -> None:
    value, expected = kenward_roger(), reference()["kr"]
    assert value["r_squared"] == pytest.approx(
        {name: expected[name] for name in ("marginal", "conditional")}, rel=1e-6
    )
    assert value["icc"]["adjusted"] == pytest.approx(expected["icc"], rel=1e-6)


def test_tests_of_type_2_agree_with_lmertest() -> None:
    for row, expected in zip(kenward_roger()["anova"], reference()["kr"]["anova"], strict=True):
        names = ("Sum Sq", "Mean Sq", "NumDF", "DenDF", "F value", "Pr(>F)")
        assert row["term"] == expected["term"]
        assert list(row.values())[1:] == pytest.approx([expected[name] for name in names], rel=1e-5)


@pytest.mark.parametrize(
    ("call", "ours", "theirs"),
    [("kr", "means", "means"), ("kr", "contrasts", "contrasts"), ("weighted", "contrasts", "pairs")],
)
def test_means_and_contrasts_agree_with_emmeans(call: str, ours: str, theirs: str) -> None:
    found, expected = pd.DataFrame(CALLS[call]()[ours]), pd.DataFrame(reference()[call][theirs])
    estimate, low, high = RECORDS[ours]
    columns = {"estimate": estimate, "se": "SE", "df": "df", "ci_low": low, "ci_high": high}
    if ours == "contrasts":
        columns["p"] = "p.value"
    for name, their_name in columns.items():
        assert found[name].tolist() == pytest.approx(expected[their_name].tolist(), rel=1e-5), name
