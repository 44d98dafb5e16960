"""Random effects, predictions and intervals against lme4 1.1-31. Numbers: tests/reference/lmm/intervals.R."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forethought.analysis.lmm import MixedFit, lmer
from forethought.analysis.lmm.conditional_modes import conditional_modes, conditional_sds
from forethought.analysis.lmm.intervals import wald_intervals
from forethought.analysis.lmm.predictions import fitted, predict
from forethought.analysis.lmm.profile import profile_intervals

HERE = Path(__file__).parent / "lmm"
REFERENCE: dict[str, Any] = json.loads((HERE / "intervals.json").read_text())

MODELS = {
    "sleep_slope": "sleepstudy",
    "sleep_uncorrelated": "sleepstudy",
    "penicillin": "Penicillin",
    "machines": "Machines",
    "small": "small",
}
NEW_ROWS = {
    "sleep_slope": {"Days": [0, 4.5, 20], "Subject": [308, 351, 308]},
    "sleep_uncorrelated": {"Days": [0, 4.5, 20], "Subject": [308, 351, 308]},
    "penicillin": {"plate": ["a", "x"], "sample": ["B", "F"]},
    "machines": {"Machine": ["B", "A", "C"], "Worker": [1, 6, 3]},
}

each_model = pytest.mark.parametrize("name", MODELS)
each_new = pytest.mark.parametrize("name", NEW_ROWS)


@cache
def model(name: str) -> MixedFit:
    return lmer(REFERENCE[name]["formula"], pd.read_csv(HERE / f"{MODELS[name]}.csv"))


def in_lme4s_order(frame: pd.DataFrame, levels: list[str]) -> np.ndarray:
    keys = [":".join(map(str, key)) if isinstance(key, tuple) else str(key) for key in frame.index]
    return frame.set_axis(keys).loc[levels].to_numpy()


def lme4s_order(names: list[str], fit: MixedFit) -> list[str]:
    """Our names of lme4's `sd_(Intercept)|g`, `cor_x.(Intercept)|g`, `.sigma` and coefficients, in its order."""
    rows, terms = list[str](), iter(fit.terms)
    for name in names:
        plain = name.replace("(Intercept)", "Intercept")
        if plain.startswith("sd_"):
            rows.append(f"sd({plain[3:]})")
        elif plain.startswith("cor_"):
            effects, group = plain[4:].split("|")
            rows.append(f"cor({','.join(reversed(effects.split('.')))}|{group})")
        else:
            rows.append("sigma" if plain == "sigma" else next(terms))
    return rows


def limits(found: pd.DataFrame, reference: dict[str, Any], fit: MixedFit) -> tuple[np.ndarray, np.ndarray]:
    """Ours and lme4's, (parameters, 2)."""
    ours = found.set_index("parameter").loc[lme4s_order(reference["names"], fit), ["ci_low", "ci_high"]]
    return ours.to_numpy(), np.array([reference["low"], reference["high"]], dtype=float).T


@each_model
def test_conditional_modes_are_those_of_ranef(name: str) -> None:
    for group, modes in conditional_modes(model(name).solution).items():
        found = in_lme4s_order(modes, REFERENCE[name]["levels"][group])
        np.testing.assert_allclose(found, np.array(REFERENCE[name]["modes"][group]), rtol=1e-4, atol=1e-5)


@each_model
def test_conditional_sds_are_those_of_ranef_with_condvar(name: str) -> None:
    for group, sds in conditional_sds(model(name).solution).items():
        found = in_lme4s_order(sds, REFERENCE[name]["levels"][group])
        np.testing.assert_allclose(found, np.array(REFERENCE[name]["sds"][group]), rtol=1e-5)


@each_model
def test_fitted_values_are_those_of_lme4(name: str) -> None:
    np.testing.assert_allclose(fitted(model(name).solution), REFERENCE[name]["fitted"], rtol=1e-6)


@each_model
def test_predictions_of_the_population_are_those_without_random_effects(name: str) -> None:
    found = predict(model(name).solution, random=False)
    np.testing.assert_allclose(found, REFERENCE[name]["population"], rtol=1e-6)


@each_new
def test_predictions_of_new_rows_are_those_of_lme4(name: str) -> None:
    found = predict(model(name).solution, pd.DataFrame(NEW_ROWS[name]))
    np.testing.assert_allclose(found, REFERENCE[name]["new"], rtol=1e-6)


@each_new
def test_predictions_of_new_rows_for_the_population_are_those_of_lme4(name: str) -> None:
    found = predict(model(name).solution, pd.DataFrame(NEW_ROWS[name]), random=False)
    np.testing.assert_allclose(found, REFERENCE[name]["new_population"], rtol=1e-6)


def test_a_new_level_is_predicted_as_lme4_does_when_it_is_allowed() -> None:
    rows = pd.DataFrame({"Days": [0, 4.5], "Subject": [999, 308]})
    found = predict(model("sleep_slope").solution, rows, new_levels="population")
    np.testing.assert_allclose(found, REFERENCE["new_level"], rtol=1e-6)


@each_model
def test_profile_intervals_are_those_of_lme4(name: str) -> None:
    found, expected = limits(profile_intervals(model(name).solution), REFERENCE[name]["profile"], model(name))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@each_model
def test_profile_intervals_of_ninety_percent_are_those_of_lme4(name: str) -> None:
    reference = REFERENCE[name]["profile90"] | {"names": REFERENCE[name]["profile"]["names"]}
    found, expected = limits(profile_intervals(model(name).solution, 0.9), reference, model(name))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_profile_from_a_variance_of_zero_is_that_of_lme4() -> None:
    data = pd.DataFrame({"y": REFERENCE["zero"]["y"], "g": np.tile(np.arange(6), 5)})
    fit = lmer("y ~ 1 + (1 | g)", data)
    found, expected = limits(profile_intervals(fit.solution), REFERENCE["zero"]["profile"], fit)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@each_model
def test_wald_intervals_with_normal_quantiles_are_those_of_lme4(name: str) -> None:
    fit, reference = model(name), REFERENCE[name]["wald"]
    found = wald_intervals(fit.solution, fit.inference("normal"))
    expected = np.array([reference["low"], reference["high"]]).reshape(2, -1).T
    np.testing.assert_allclose(found[["ci_low", "ci_high"]], expected, rtol=1e-5)


@cache
def with_offset() -> MixedFit:
    data = pd.read_csv(HERE / "sleepstudy.csv").assign(known=lambda rows: 2 * rows["Days"])
    return lmer("Reaction ~ Days + offset(known) + (1 | Subject)", data)


def test_fitted_values_with_an_offset_are_those_of_lme4() -> None:
    np.testing.assert_allclose(fitted(with_offset().solution), REFERENCE["offset"]["fitted"], rtol=1e-6)


def test_predictions_of_new_rows_with_an_offset_are_those_of_lme4() -> None:
    rows = pd.DataFrame({"Days": [0, 3], "known": [5, 50], "Subject": [308, 309]})
    found = predict(with_offset().solution, rows)
    np.testing.assert_allclose(found, REFERENCE["offset"]["new"], rtol=1e-6)


@cache
def with_weights() -> MixedFit:
    data = pd.read_csv(HERE / "sleepstudy.csv")
    data["w"] = np.arange(len(data)) % 3 + 1
    return lmer("Reaction ~ Days + (1 | Subject)", data, weights="w")


def test_fitted_values_with_weights_are_those_of_lme4() -> None:
    np.testing.assert_allclose(fitted(with_weights().solution), REFERENCE["weights"]["fitted"], rtol=1e-6)


def test_conditional_modes_with_weights_are_those_of_lme4() -> None:
    found = conditional_modes(with_weights().solution)["Subject"]["Intercept"]
    np.testing.assert_allclose(found, REFERENCE["weights"]["modes"], rtol=1e-5)


def test_conditional_sds_with_weights_are_those_of_lme4() -> None:
    found = conditional_sds(with_weights().solution)["Subject"]["Intercept"]
    np.testing.assert_allclose(found, REFERENCE["weights"]["sds"], rtol=1e-5)


def test_profile_intervals_with_weights_are_those_of_lme4() -> None:
    fit, reference = with_weights(), REFERENCE["weights"]["profile"]
    found, expected = limits(profile_intervals(fit.solution), reference, fit)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
