"""A form before and after it is filled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from forethought.protocol.protocol import Protocol
from forethought.registration import Registration
from forethought.reports.names import Names

Kind = Literal["text", "object", "select", "select_many"]
Answers = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of a form. An `object` takes a text under `question` and files under `uploader`."""

    id: str
    title: str
    page: str = ""
    former: str | None = None
    required: bool = False
    kind: Kind = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a form is filled from: the protocol, its fingerprint, and the registration where there is one."""

    protocol: Protocol
    fingerprint: str
    registration: Registration | None
    names: Names = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", Names(self.protocol))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A filled form: as text to paste, and as OSF's API takes it. A warning is a whole sentence or two."""

    form: str
    schema: str
    schema_version: int
    text: str
    payload: Mapping[str, object]
    warnings: tuple[str, ...]


def draft(plan: Plan, questions: tuple[Question, ...], answers: Answers) -> Mapping[str, object]:
    """A draft registration for OSF's API (version 2), which makes one of it by POST to /v2/draft_registrations/.

    `registration_responses` is flat, and OSF refuses a key that the schema does not have. A question of several
    parts has a key for each: `q6.question`, and `q6.uploader`, a list of references to files. One choice is a text,
    several are a list of texts, each in the words of the schema. Read in CenterForOpenScience/osf.io:
    api/nodes/serializers.py (DraftRegistrationLegacySerializer), api/draft_registrations/serializers.py,
    osf/models/validators.py (RegistrationResponsesValidator), osf/utils/registrations.py and osf/utils/migrations.py
    (get_subquestion_qid). The schema's own id and the project's are known to OSF alone: add them as relationships.
    """
    responses: dict[str, object] = {}
    for question in questions:
        answer = answers.get(question.id)
        if answer and question.kind == "object":
            responses |= {f"{question.id}.question": answer, f"{question.id}.uploader": []}
        elif answer:
            responses[question.id] = answer if isinstance(answer, str) else list(answer)
    study = plan.protocol.study
    attributes = {
        "title": study.title,
        "description": "\n\n".join(filter(None, (study.summary, study.background))),
        "tags": list(study.keywords),
        "registration_responses": responses,
    }
    return {"data": {"type": "draft_registrations", "attributes": attributes}}
