"""Which tests share a process, and studies to report on, shared by the unit, golden and browser tests."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

TOGETHER = ("end_to_end", "concealment", "packaging", "server")
"""Folders whose tests share what is dear to make: one process runs all of a folder's."""

GIVEN = Path(__file__).parent / "golden" / "given"

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
LOCKED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

ARMS = {
    "control": "Control",
    "video": "Didactic video",
    "coach": "Personalised feedback",
    "both": "Combined training",
}
OUTCOMES = {
    "overall_empathy": ("Overall empathy", "higher", (-1.41, 1.60, 2.91, 3.63)),
    "encouraging_elaboration": ("Encouraging elaboration", "higher", (2.16, 0.22, 0.65, 0.62)),
    "validating_emotions": ("Validating emotions", "higher", (2.56, 0.24, 0.48, 0.61)),
    "demonstrating_understanding": ("Demonstrating understanding", "higher", (1.66, 0.25, 0.46, 0.57)),
    "advice_giving": ("Giving unsolicited advice", "lower", (3.08, -0.67, -0.68, -1.04)),
    "self_oriented": ("Turning to oneself", "lower", (1.64, 0.09, -0.20, -0.13)),
    "dismissing_emotions": ("Dismissing emotions", "lower", (3.06, -0.32, -0.45, -0.66)),
}
WEIGHTS = {
    "video_gain": (0, 1, 0, 0),
    "coach_gain": (0, 0, 1, 0),
    "both_gain": (0, 0, 0, 1),
    "coach_video": (0, -1, 1, 0),
    "both_video": (0, -1, 0, 1),
    "both_coach": (0, 0, -1, 1),
}
MODELS = {
    "registered_ols": ("ols", "Registered regression", "primary"),
    "mixed": ("mixed", "Mixed model", "sensitivity"),
}
ALLOCATED = {"control": 247, "video": 245, "coach": 244, "both": 246}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test its group, for runs in several processes: its folder's, or its file's."""
    for item in items:
        folder = item.path.parent.name
        item.add_marker(pytest.mark.xdist_group(folder if folder in TOGETHER else str(item.path)))


@dataclass(frozen=True)
class ReportedStudy:
    """Everything that `build` takes."""

    protocol: Any
    results: dict[str, Any]
    record: Any
    run: Any

    def report(self, **changes: Any) -> Any:
        """The report, with some of what it is built from changed."""
        from forethought.reports.building import build

        return build(**({field.name: getattr(self, field.name) for field in fields(self)} | changes))


def _given(name: str) -> str:
    return (GIVEN / f"{name}.json").read_text(encoding="utf-8")


HYPOTHESES: list[dict[str, Any]] = json.loads(_given("lend_an_ear_protocol"))["analysis"]["hypotheses"]


def _protocol(study: str) -> Any:
    from forethought.protocol.protocol import Protocol

    return Protocol.model_validate_json(_given(f"{study}_protocol"))


def _tested(estimate: float, se: float, df: float | None) -> dict[str, float | None]:
    z = estimate / se
    return {
        "estimate": estimate,
        "se": se,
        "df": df,
        "statistic": z,
        "p": math.erfc(abs(z) / math.sqrt(2)),
        "ci_low": estimate - 1.96 * se,
        "ci_high": estimate + 1.96 * se,
    }


def _findings(*, blinded: bool, simulated: bool) -> Iterator[dict[str, Any]]:
    shrunk = 0.02 if blinded else 1.0
    for hypothesis in HYPOTHESES:
        for model, (kind, _, role) in MODELS.items():
            for outcome in hypothesis["outcomes"]:
                for position, contrast in enumerate(hypothesis["contrasts"]):
                    _, better, effects = OUTCOMES[outcome]
                    weights = WEIGHTS[contrast]
                    estimate = shrunk * sum(w * e for w, e in zip(weights, effects, strict=True) if w)
                    se = (0.27 if outcome == "overall_empathy" else 0.071) + 0.004 * position
                    numbers = _tested(estimate, se, None if kind == "ols" else 1931.4)
                    adjusted = min(1.0, 3 * numbers["p"])
                    yield {
                        "hypothesis": hypothesis["id"], "model": model, "outcome": outcome, "contrast": contrast,
                        **numbers, "p_adjusted": adjusted, "effect_size": estimate / 4.5, "ci_level": 0.95,
                        "smallest_effect": hypothesis["smallest_effect"], "n": 968,
                        "n_by_arm": {"control": 245, "video": 245, "coach": 231, "both": 247},
                        "population": "intention_to_treat", "estimand": hypothesis["estimand"],
                        "family": f"{model}_{'gains' if 'gain' in contrast else 'pairs'}",
                        "role": "sensitivity" if role == "sensitivity" else "primary", "registered": True,
                        "confirmatory": not blinded and role == "primary", "blinded": blinded, "simulated": simulated,
                        "wave": 1, "verdict": _verdict(numbers, adjusted, hypothesis, better, blinded=blinded),
                        "warnings": ["the arms are a placebo allocation drawn anew"] if blinded else [],
                    }  # fmt: skip


def _verdict(
    numbers: dict[str, Any], p: float, hypothesis: dict[str, Any], better: str, *, blinded: bool
) -> str:
    from forethought.analysis.verdicts import Criteria, Evidence, judge
    from forethought.grammar import parse_criterion

    if blinded:
        return "unevaluable"
    direction = (
        {"higher": "greater", "lower": "less"}[better] if hypothesis["direction"] == "better" else "two_sided"
    )
    return judge(
        Evidence(**numbers, p_adjusted=p),
        Criteria(parse_criterion(hypothesis["corroborate_if"]), parse_criterion(hypothesis["falsify_if"])),
        direction=direction,  # type: ignore[arg-type]
        smallest_effect=hypothesis["smallest_effect"],
        alpha=0.05,
    ).value


def _coefficients(outcome: str, df: float | None) -> list[dict[str, Any]]:
    start, *gains = OUTCOMES[outcome][2]
    arms = list(ARMS)[1:]
    values = {
        "(Intercept)": start,
        **{arm: 0.03 * position for position, arm in enumerate(arms)},
        "round": 0.012,
        **{f"{arm}:round": gain for arm, gain in zip(arms, gains, strict=True)},
    }
    return [{"term": term, **_tested(value, 0.071, df)} for term, value in values.items()]


def _lend_an_ear_models(*, blinded: bool) -> Iterator[dict[str, Any]]:
    for model, (kind, label, role) in MODELS.items():
        for outcome in OUTCOMES:
            mixed = kind == "mixed"
            fit = {
                "formula": f"{outcome} ~ arm * round", "n_obs": 2904, "n_dropped": 0,
                "n_groups": {"participant": 968, "scenario": 5} if mixed else {"participant": 968},
                "criterion": 8012.4, "log_likelihood": -4006.2, "reml": mixed, "theta": [0.61, 0.08] if mixed else [],
                "sigma": 0.83, "converged": True, "singular": False, "warnings": [],
                "variance_components": [
                    {"group": group, "term1": None if group == "Residual" else "(Intercept)", "term2": None,
                     "variance_or_covariance": sd * sd, "sd_or_correlation": sd}
                    for group, sd in (("participant", 0.51), ("scenario", 0.07), ("Residual", 0.83))
                    if mixed or group == "Residual"
                ],
                "coefficients": _coefficients(outcome, 1931.4 if mixed else None),
            }  # fmt: skip
            yield {
                "model": model, "label": label, "outcome": outcome, "kind": kind, "role": role, "error": None,
                "fit": fit, "cell_means": list(_cell_means(outcome, blinded=blinded)), "expected": [],
            }  # fmt: skip


def _cell_means(outcome: str, *, blinded: bool) -> Iterator[dict[str, Any]]:
    start, *gains = OUTCOMES[outcome][2]
    for arm, gain in zip(ARMS, (0.0, *gains), strict=True):
        for number in (1, 2, 3):
            mean = start + (0 if number == 1 or blinded else gain + 0.05 * number)
            yield {"arm": arm, "session": f"conversation_{number}", "n": 242, "mean": mean, "sd": 1.07}


def _lend_an_ear_record(*, blinded: bool) -> Any:
    from forethought.registration import Registration, SeedCommitment
    from forethought.reports.record import (
        AllocationChecks,
        BalanceRow,
        DeviationRow,
        Flow,
        Followed,
        LedgerHead,
        Moments,
        Predictability,
        Reason,
        Record,
        Replay,
        SampleRatio,
        SessionCount,
        WaveAllocation,
    )

    def followed(arm: str | None, allocated: int) -> Followed:
        gone = 2 if arm else 8
        lost = (
            Reason(reason="did not come to conversation 2", count=gone),
            Reason(reason="did not come to conversation 3", count=gone),
        )
        return Followed(
            arm=arm, allocated=allocated, received=None if blinded else allocated - gone,
            not_received=() if blinded else (Reason(reason="left before the training", count=gone),),
            lost=lost, analysed=allocated - gone, not_analysed=(Reason(reason="no conversation was scored", count=gone),),
        )  # fmt: skip

    allocated = sum(ALLOCATED.values())
    by_stratum = {
        "sex=Female": {"control": 124, "video": 123, "coach": 122, "both": 123},
        "sex=Male": {"control": 123, "video": 122, "coach": 122, "both": 123},
    }
    software = {"python": "3.11.2", "forethought": "0.1.0", "numpy": "2.4.0", "scipy": "1.17.0"}
    return Record(
        registration=Registration(
            study_id="lend_an_ear", fingerprint="3f" * 32, protocol_sha256="a7" * 32, locked_at=LOCKED,
            locked_by="principal investigator", git_commit=None, materials={"scenarios.md": "c4" * 32},
            software=software | {"numpy": "2.3.5"},
            seeds=(SeedCommitment(wave=1, commitment="9b" * 32, supplied=False),),
            allocation_algorithm="permuted-blocks/1", protocol={},
        ),
        moments=Moments(
            first_allocation=LOCKED + timedelta(days=1, hours=3), first_outcome=LOCKED + timedelta(days=1, hours=5),
            unblinded=None if blinded else LOCKED + timedelta(days=40),
        ),
        flow=Flow(
            assessed=1150,
            excluded=(Reason(reason="did not meet: fluent in English", count=61), Reason(reason="returned the submission", count=84),
                      Reason(reason="timed out", count=23)),
            randomised=allocated, together=followed(None, allocated),
            by_arm=() if blinded else tuple(followed(arm, number) for arm, number in ALLOCATED.items()),
        ),
        balance=tuple(
            BalanceRow(wave=1, stratum=stratum, allocated=sum(arms.values()), by_arm={} if blinded else arms)
            for stratum, arms in by_stratum.items()
        ),
        replay=None if blinded else Replay(replayed=allocated, agreed=allocated),
        allocation=AllocationChecks(
            waves=(
                WaveAllocation(
                    wave=1, allocated=allocated, replay=None if blinded else Replay(replayed=allocated, agreed=allocated),
                    seed_agrees=True, within_bounds=True, stopped=(Reason(reason="randomised in error", count=1),),
                ),
            ),
            ratios=(SampleRatio(counted="who came", people=974, mismatch=False),
                    SampleRatio(counted="who completed", people=955, mismatch=False)),
            predictability=() if blinded else (Predictability(wave=1, units=968, guessed=0.4864, by_chance=0.25),),
        ),
        sessions=tuple(
            SessionCount(session=f"conversation_{number}", planned=allocated, done=allocated - 7 * number - 5, out_of_window=5, missed=7 * number)
            for number in (1, 2, 3)
        ),
        deviations=(DeviationRow(kind="software", planned="numpy 2.3.5", done="numpy 2.4.0", declared="undeclared"),),
        ledger=LedgerHead(events=57, hash="e1" * 32),
        software=software,
    )  # fmt: skip


def _lend_an_ear(*, blinded: bool, simulated: bool) -> ReportedStudy:
    from forethought.reports.record import Run

    results = {
        "format": "forethought-results/1", "fingerprint": "3f" * 32, "data_sha256": "5d" * 32,
        "blinded": blinded, "simulated": simulated, "registered": True,
        "findings": list(_findings(blinded=blinded, simulated=simulated)),
        "models": list(_lend_an_ear_models(blinded=blinded)), "preparation": [],
    }  # fmt: skip
    return ReportedStudy(
        _protocol("lend_an_ear"), results, _lend_an_ear_record(blinded=blinded), Run(made_at=NOW, by="tester")
    )


@pytest.fixture(scope="session")
def real_study() -> ReportedStudy:
    """Sleep deprivation: real, not randomised, never locked, one hypothesis, beside lme4's numbers."""
    from forethought.reports.record import Flow, Followed, LedgerHead, Moments, Record, Run

    return ReportedStudy(
        _protocol("sleepstudy"),
        json.loads(_given("sleepstudy_results")),
        Record(
            registration=None,
            moments=Moments(first_outcome=LOCKED),
            flow=Flow(assessed=18, randomised=None, together=Followed(arm=None, allocated=18, analysed=18)),
            ledger=LedgerHead(events=4, hash="7a" * 32),
            software={"python": "3.11.2", "forethought": "0.1.0", "numpy": "2.4.0"},
        ),
        Run(made_at=NOW, by="tester"),
    )


@pytest.fixture(scope="session")
def blinded_study() -> ReportedStudy:
    """Lend an Ear before its unblinding: registered, real, placebo arms."""
    return _lend_an_ear(blinded=True, simulated=False)


@pytest.fixture(scope="session")
def simulated_study() -> ReportedStudy:
    """Lend an Ear played by a program, unblinded: 7 outcomes, 2 models, 6 contrasts."""
    return _lend_an_ear(blinded=False, simulated=True)
