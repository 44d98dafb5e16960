"""A small plan, locked and amended in memory, and a deed that is exactly as planned."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from forethought.deviations import (
    Analysed,
    Deed,
    DeviationClass,
    Examined,
    Excluded,
    Fitted,
    Prepared,
    Scored,
    SessionDone,
    WaveDone,
    find,
    planned,
)
from forethought.deviations.testing import registered_tests
from forethought.protocol.differences import differences
from forethought.protocol.protocol import Protocol
from forethought.registration import (
    Amendment,
    DeclaredDeviation,
    Difference,
    Registration,
    SeedCommitment,
    Stage,
)

LOCKED = datetime(2026, 1, 1, tzinfo=UTC)
FIRST_OUTCOME = datetime(2026, 2, 1, tzinfo=UTC)

Change = Callable[[Any], None]
Lock = Callable[..., Registration]
Amend = Callable[..., Registration]


@pytest.fixture(scope="session")
def plan_data() -> dict[str, Any]:
    """What the protocol's file says."""
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("small_plan.yaml").read_text("utf-8"))
    return data


@pytest.fixture
def lock(plan_data: dict[str, Any]) -> Lock:
    """Lock the plan, or one with changes; `given` replaces parts of the record."""

    def locked(change: Change | None = None, **given: Any) -> Registration:
        data = deepcopy(plan_data)
        if change is not None:
            change(data)
        record = {
            "study_id": "small",
            "fingerprint": "0" * 64,
            "protocol_sha256": "0" * 64,
            "locked_at": LOCKED,
            "locked_by": "tester",
            "git_commit": None,
            "materials": {"rubric.md": "a" * 64, "script.md": "a" * 64},
            "scorers": {"judge": "a" * 64},
            "software": {"scipy": "1.17"},
            "seeds": tuple(SeedCommitment(wave=wave, commitment="0" * 64, supplied=False) for wave in (1, 2)),
            "allocation_algorithm": "permuted-blocks/1",
            "protocol": data,
        }
        return Registration(**(record | given))

    return locked


@pytest.fixture
def amend() -> Amend:
    """Append an amendment: a change of the plan's data, files of other hashes, deviations that it declares."""

    def amended(
        registration: Registration,
        change: Change | None = None,
        *,
        late: bool = False,
        declared: Sequence[tuple[str | None, str]] = (),
        reason: str = "It turned out so.",
        materials: Mapping[str, str] | None = None,
        scorers: Mapping[str, str] | None = None,
    ) -> Registration:
        before = registration.current_protocol
        after = deepcopy(before)
        if change is not None:
            change(after)
        files = {**registration.current_materials, **(materials or {})}
        found = [Difference(**asdict(one)) for one in differences(before, after)]
        found += [
            Difference(
                field=f"materials.{name}", change="changed", before="x", after="y", words=f"the file {name}"
            )
            for name in files
            if files[name] != registration.current_materials.get(name)
        ]
        number = len(registration.amendments) + 1
        amendment = Amendment(
            number=number,
            parent="0" * 64,
            previous="0" * 64,
            fingerprint=f"{number:064x}",
            protocol_sha256="0" * 64,
            protocol=after,
            differences=tuple(found),
            declared=tuple(DeclaredDeviation(kind=kind, statement=said) for kind, said in declared),
            reason=reason,
            amended_at=(FIRST_OUTCOME if late else LOCKED) + timedelta(days=number),
            amended_by="tester",
            git_commit=None,
            materials=files,
            scorers={**registration.current_scorers, **(scorers or {})},
            software={},
            seeds=(),
            after=Stage(first_allocation=late, first_outcome=late, unblinded=False),
        )
        return registration.model_copy(update={"amendments": (*registration.amendments, amendment)})

    return amended


@pytest.fixture(scope="session")
def as_planned(plan_data: dict[str, Any]) -> Deed:
    """A study that was run and analysed as it was locked."""
    protocol = Protocol.model_validate_json(json.dumps(plan_data))
    return Deed(
        first_outcome_at=FIRST_OUTCOME,
        waves=(
            WaveDone(number=1, closed=True, completed=100),
            WaveDone(number=2, closed=True, completed=50),
        ),
        excluded=tuple(
            Excluded(criterion=criterion, position=position, count=3, last_at=LOCKED)
            for position, criterion in enumerate(("adult", "known_sex", "few_men"), start=1)
        ),
        sessions=tuple(
            SessionDone(session=session, held=150, outside=0, outside_registered=0)
            for session in ("first", "second")
        ),
        scores=(
            *(
                Scored(outcome=one, scorer="judge", version="rated/1", count=300)
                for one in ("warmth", "advice")
            ),
            Scored(outcome="overall", scorer="composite", version="composite/1", count=300),
        ),
        analysis=Analysed(
            findings=tuple(
                Examined(hypothesis=one[0], model=one[1], outcome=one[2], contrast=one[3], ci_level=0.95)
                for one in registered_tests(protocol)
            ),
            models=tuple(
                Fitted(model=model.id, outcome=outcome, formula=model.formula)
                for model in protocol.analysis.models
                for outcome in model.outcomes
            ),
            preparation=(
                Prepared(reason="a conversation of ten words or fewer", records=4),
                Prepared(reason="text was pasted", records=2),
            ),
        ),
        software={"scipy": "1.17"},
        frozen_tables={"scores": "aa"},
        tables_now={"scores": "aa"},
    )


@pytest.fixture
def found() -> Callable[[Registration, Deed], list[tuple[str, str, str]]]:
    """Kind, planned and done of each deviation."""
    return lambda locked, deed: [(one.kind, one.planned, one.done) for one in find(planned(locked), deed)]


@pytest.fixture
def classes() -> Callable[[Registration, Deed], list[tuple[str, DeviationClass]]]:
    """Kind and class of each deviation."""
    return lambda locked, deed: [(one.kind, one.deviation_class) for one in find(planned(locked), deed)]


@pytest.fixture
def analysed() -> Callable[..., Deed]:
    """A deed with parts of its analysis changed."""

    def change(deed: Deed, **changes: Any) -> Deed:
        assert deed.analysis is not None
        return replace(deed, analysis=replace(deed.analysis, **changes))

    return change
