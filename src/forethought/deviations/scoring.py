"""What was measured, against the plan: scorers, their versions, and the materials that were locked."""

from collections.abc import Iterator

from forethought.deviations.computed import Computed
from forethought.deviations.records import Deed, Plan, Scored
from forethought.protocol.measures import Outcome, Rated
from forethought.protocol.protocol import Protocol

VERSION = 1
"""Of every kind of scoring when protocols of the formats known so far were registered."""


def of_scoring(plan: Plan, deed: Deed) -> Iterator[Computed]:
    """Every difference in how outcomes were scored, and in what the raters and participants were given."""
    yield from _scores(plan, deed)
    yield from _raters(plan)
    yield from _materials(plan)


def _scores(plan: Plan, deed: Deed) -> Iterator[Computed]:
    registered = plan.protocol.outcomes_by_id
    amended = plan.now.outcomes_by_id
    fields: tuple[str, ...]
    for one in deed.scores:
        if one.outcome not in registered:
            planned, fields = f"no outcome `{one.outcome}`", (f"outcomes.{one.outcome}.id",)
        else:
            planned = f"`{one.outcome}` scored by {_scoring(registered[one.outcome])}"
            fields = (f"outcomes.{one.outcome}",)
        done = f"scored by {one.scorer} ({one.version})"
        if planned != f"`{one.outcome}` {done}":
            as_amended = one.outcome in amended and _is_of(one, amended[one.outcome])
            yield Computed(
                kind="outcome",
                planned=planned,
                done=f"`{one.outcome}` {done}",
                fields=fields if as_amended else (),
            )


def _scoring(outcome: Outcome) -> str:
    scorer = outcome.scorer if isinstance(outcome, Rated) else outcome.kind
    return f"{scorer} ({outcome.kind}/{VERSION})"


def _is_of(one: Scored, outcome: Outcome) -> bool:
    """Whether it was scored as this outcome says, in whichever version."""
    scorer = outcome.scorer if isinstance(outcome, Rated) else outcome.kind
    return (one.scorer, one.version.partition("/")[0]) == (scorer, outcome.kind)


def _raters(plan: Plan) -> Iterator[Computed]:
    """Raters that are another than was locked: by what they are, their rubric or their prompt."""
    locked = plan.registration
    for rater, digest in locked.scorers.items():
        now = locked.current_scorers.get(rater)
        if now != digest:
            how = "changed: what it is, its rubric or its prompt" if now else "is no longer a rater"
            yield Computed(
                kind="scorer",
                planned=f"rater `{rater}` as locked",
                done=f"rater `{rater}` {how}",
                fields=(f"raters.{rater}", *_files_of(rater, plan.protocol), *_files_of(rater, plan.now)),
            )


def _materials(plan: Plan) -> Iterator[Computed]:
    """Materials that are another file than was locked; those of a rater are named with the rater."""
    locked = plan.registration
    of_raters = {
        file
        for rater in locked.scorers
        for version in (plan.protocol, plan.now)
        for file in _files_of(rater, version)
    }
    for name, digest in locked.materials.items():
        now = locked.current_materials.get(name)
        if now != digest and _field(name) not in of_raters:
            yield Computed(
                kind="material",
                planned=f"`{name}` as locked",
                done=f"`{name}` was {'changed' if now else 'taken out'}",
                fields=(_field(name),),
            )


def _files_of(rater: str, protocol: Protocol) -> tuple[str, ...]:
    files = [file for one in protocol.raters if one.id == rater for file in (one.rubric, one.prompt)]
    return tuple(_field(file) for file in files if file is not None)


def _field(material: str) -> str:
    """How a changed file is spoken of in an amendment's differences."""
    return f"materials.{material}"
