"""OSF Preregistration, version 3, filled from a protocol: as text to paste, and for OSF's API."""

from collections.abc import Iterator
from itertools import groupby

from forethought.protocol.study import Author
from forethought.reports.forms import design, inference, measures, remainder, sampling, words
from forethought.reports.forms.form import Answers, Filled, Plan, Question, draft
from forethought.reports.forms.osf_schema import (
    BLINDED,
    EXISTING_DATA,
    FORMER_METADATA,
    NAME,
    NO_BLINDING,
    QUESTIONS,
    STUDY_TYPES,
    VERSION,
)


def osf(plan: Plan) -> Filled:
    """The form with an answer to every question that it requires, whatever the protocol."""
    answers = _answers(plan)
    return Filled(
        form="osf",
        schema=NAME,
        schema_version=VERSION,
        text="\n\n".join((*_metadata(plan), *_pages(answers))),
        payload=draft(plan, QUESTIONS, answers),
        warnings=tuple(_warnings(plan, answers)),
    )


def _answers(plan: Plan) -> Answers:
    study = plan.protocol.study
    return {
        "q2": design.hypotheses(plan),
        "q3": STUDY_TYPES[study.type],
        "q4": _blinded(plan),
        "q5": design.blinding(plan),
        "q6": design.study_design(plan),
        "q7": design.randomisation(plan),
        "q8": EXISTING_DATA[study.existing_data.status],
        "q9": sampling.existing_data(plan),
        "q10": sampling.procedures(plan),
        "q11": sampling.sample_size(plan),
        "q12": sampling.rationale(plan),
        "q13": sampling.stopping(plan),
        "q14": design.conditions(plan),
        "q15": measures.measured(plan),
        "q16": measures.indices(plan),
        "q17": inference.models(plan),
        "q18": measures.transformations(plan),
        "q19": inference.criteria(plan),
        "q20": measures.exclusions(plan),
        "q21": inference.missing_data(plan),
        "q22": inference.exploratory(plan),
        "q23": remainder.other(plan),
    }


def _blinded(plan: Plan) -> tuple[str, ...]:
    blind = plan.protocol.blinding
    return tuple(option for name, option in BLINDED.items() if getattr(blind, name)) or (NO_BLINDING,)


def _warnings(plan: Plan, answers: Answers) -> Iterator[str]:
    if plan.protocol.study.existing_data.status == "not_stated":
        yield (
            f"osf: q8 reads `{answers['q8']}`, the weakest claim, because the protocol states nothing of existing "
            "data. State it in study.existing_data."
        )
    if answers["q4"] == (NO_BLINDING,) and plan.protocol.blinding.raters:
        yield (
            f"osf: q4 reads `{NO_BLINDING}`, because OSF has no option for blinded raters; q5 says that they are. "
            "Choose what fits best on OSF."
        )


def _metadata(plan: Plan) -> Iterator[str]:
    study = plan.protocol.study
    given = {
        "Title": study.title,
        "Authors": "\n".join(map(_author, study.authors)),
        "Description": words.paragraphs(study.summary, study.background),
        "Tags": ", ".join(study.keywords),
    }
    yield f"# {NAME}, version {VERSION}"
    for title, text in given.items():
        former = f" (version 2: {FORMER_METADATA[title]})" if title in FORMER_METADATA else ""
        if text:
            yield f"## {title}{former}\n\n{text}"


def _author(author: Author) -> str:
    orcid = f"https://orcid.org/{author.orcid}" if author.orcid else None
    return ", ".join(filter(None, (author.name, author.affiliation, orcid)))


def _pages(answers: Answers) -> Iterator[str]:
    for page, questions in groupby(QUESTIONS, key=lambda question: question.page):
        yield f"# {page}"
        for question in questions:
            yield f"{_heading(question)}\n\n{_text(answers[question.id])}"


def _heading(question: Question) -> str:
    return f"## {question.id} {question.title} (version 2: {question.former})"


def _text(answer: str | tuple[str, ...]) -> str:
    return answer if isinstance(answer, str) else "\n".join(answer)
