"""A registered method for degrees of freedom is the one that estimates, results and documents carry."""

import json
from pathlib import Path

import pandas as pd
import pytest

from forethought.analysis.models import ModelResult, fit_model
from forethought.protocol.analysis import MixedModel
from forethought.reports.forms.inference import kind

REFERENCE = Path(__file__).parents[1] / "reference/lmm"
SMALL = pd.read_csv(REFERENCE / "small.csv").assign(participant=lambda rows: rows["pid"])
PBKRTEST = json.loads((REFERENCE / "small.json").read_text(encoding="utf-8"))["kr"]


def model(**changes: str) -> MixedModel:
    plan = {
        "kind": "mixed",
        "id": "crossed",
        "label": "Crossed",
        "formula": "y ~ arm * time + (1 | pid) + (1 | scenario)",
        "outcomes": ["y"],
        "role": "primary",
    }
    return MixedModel.model_validate(plan | changes, strict=False)


@pytest.fixture(scope="module")
def result() -> ModelResult:
    return fit_model(model(ddf="kenward_roger"), "y", SMALL)


def test_kenward_roger_where_registered_gives_pbkrtests_degrees_of_freedom(result: ModelResult) -> None:
    found = result.estimate({"time[T.b_post]": 1.0}, 0.95)
    assert found is not None
    expected = dict(
        zip(PBKRTEST["cols"], PBKRTEST["tab"][PBKRTEST["names"].index("timeb_post")], strict=True)
    )
    assert found.df == pytest.approx(expected["df"], rel=1e-4)
    assert found.se == pytest.approx(expected["Std. Error"], rel=1e-5)


def test_the_results_name_the_method(result: ModelResult) -> None:
    as_json = result.fit_as_json()
    assert as_json is not None
    assert as_json["ddf_method"] == "kenward-roger"


def test_satterthwaite_is_the_method_where_none_is_registered() -> None:
    as_json = fit_model(model(), "y", SMALL).fit_as_json()
    assert as_json is not None
    assert as_json["ddf_method"] == "satterthwaite"


@pytest.mark.parametrize(
    ("ddf", "words"), [("satterthwaite", "Satterthwaite's"), ("kenward_roger", "Kenward and Roger's")]
)
def test_the_registration_form_says_whose_degrees_of_freedom(ddf: str, words: str) -> None:
    assert kind(model(ddf=ddf)).endswith(f"with {words} degrees of freedom")
