"""AsPredicted's form filled from a protocol, as full as its one page allows.

Each answer has several versions, from all that the protocol says to a summary by labels and counts. All begin in full.
While they are too long together, the answer that becomes shorter by the most gives way to its next version; room that
is left then goes to fuller versions again. No version cuts a text: what is still too long is kept whole, with a warning.

Questions and options are those of CenterForOpenScience/osf.io, website/project/metadata/aspredicted.json (version 3),
whose ids OSF takes; that the answers should fit one page, about 3,200 characters, is said in crsh/prereg.
"""

from collections.abc import Mapping, Sequence

from forethought.reports import formatting
from forethought.reports.forms import aspredicted_answers as answers
from forethought.reports.forms.form import Filled, Kind, Plan, Question, draft

NAME = "Preregistration Template from AsPredicted.org"
VERSION = 3
LONGEST = 3200

STUDY_TYPES: Mapping[str, str] = {
    "experiment": "Experiment",
    "observational": "Observational/archival study",
    "meta_analysis": "Other (describe below)",
    "other": "Other (describe below)",
}
"""The protocol's study.type to the option of the last question."""

EXISTING_DATA: Mapping[str, str] = dict.fromkeys(
    ("prior_to_observation", "prior_to_access", "prior_to_analysis", "not_stated"),
    "It's complicated. We have already collected some data but explain in Question 8 why readers may consider this a "
    "valid pre-registration nevertheless.",
) | {
    "prior_to_creation": "No, no data have been collected for this study yet.",
    "following_analysis": "Yes, we already collected the data.",
}
"""The protocol's study.existing_data.status to the option of the first question."""


def _question(name: str, title: str, kind: Kind = "text") -> Question:
    return Question(id=name, title=title, kind=kind)


QUESTIONS: tuple[Question, ...] = (
    _question("data", "Have any data been collected for this study already?", "select"),
    _question("hypothesis", "What's the main question being asked or hypothesis being tested in this study?"),
    _question("dependent", "Describe the key dependent variable(s) specifying how they will be measured."),
    _question("conditions", "How many and which conditions will participants be assigned to?"),
    _question(
        "analyses",
        "Specify exactly which analyses you will conduct to examine the main question/hypothesis.",
    ),
    _question(
        "outliers",
        "Describe exactly how outliers will be defined and handled, and your precise rule(s) for excluding "
        "observations.",
    ),
    _question("sample", "How many observations will be collected or what will determine sample size?"),
    _question("other", "Anything else you would like to pre-register?"),
    _question("name", "Give a title for this AsPredicted pre-registration."),
    _question("study_type", "The type of study you are pre-registering.", "select"),
)
OTHER_TYPE = _question("study_type_other", "Other")


def aspredicted(plan: Plan) -> Filled:
    """The form in full where it fits the page, summarised where it does not, and with a warning beyond that."""
    study = plan.protocol.study
    given: dict[str, str] = {
        "data": EXISTING_DATA[study.existing_data.status],
        "name": study.title,
        "study_type": STUDY_TYPES[study.type],
    }
    if study.type in ("meta_analysis", "other"):
        given["study_type_other"] = "Meta-analysis" if study.type == "meta_analysis" else study.summary
    given |= fitted(_versions(plan), LONGEST - sum(map(len, given.values())))
    return Filled(
        form="aspredicted",
        schema=NAME,
        schema_version=VERSION,
        text="\n\n".join(_numbered(given)),
        payload=draft(plan, (*QUESTIONS, OTHER_TYPE), given),
        warnings=_warnings(plan, sum(map(len, given.values()))),
    )


def _versions(plan: Plan) -> Mapping[str, Sequence[str]]:
    return {
        "hypothesis": answers.hypothesis(plan),
        "dependent": answers.dependent(plan),
        "conditions": answers.conditions(plan),
        "analyses": answers.analyses(plan),
        "outliers": answers.outliers(plan),
        "sample": answers.sample(plan),
        "other": answers.other(plan),
    }


def fitted(versions: Mapping[str, Sequence[str]], room: int) -> dict[str, str]:
    """One version of each answer: as full as fit the room together, or the shortest where none do."""
    steps = {name: _shrinking(texts) for name, texts in versions.items()}
    at = dict.fromkeys(steps, 0)

    def length() -> int:
        return sum(len(texts[at[name]]) for name, texts in steps.items())

    def saving(name: str) -> int:
        left = steps[name][at[name] :]
        return len(left[0]) - len(left[1]) if len(left) > 1 else 0

    while length() > room and saving(most := max(steps, key=saving)) > 0:
        at[most] += 1
    for name, texts in steps.items():  # what the last step has left free goes to fuller versions again
        while at[name] and length() - len(texts[at[name]]) + len(texts[at[name] - 1]) <= room:
            at[name] -= 1
    return {name: texts[at[name]] for name, texts in steps.items()}


def _shrinking(texts: Sequence[str]) -> list[str]:
    """The versions that are shorter than each one before: a summary that saves nothing is none."""
    kept = [texts[0]]
    for text in texts[1:]:
        if len(text) < len(kept[-1]):
            kept.append(text)
    return kept


def _warnings(plan: Plan, length: int) -> tuple[str, ...]:
    found = []
    if length > LONGEST:
        over = formatting.counted(length - LONGEST, "character")
        found.append(
            f"aspredicted: the answers are {over} longer than the {formatting.count(LONGEST)} of one page, and nothing "
            "was cut. Shorten the texts of the protocol, or shorten the answers by hand."
        )
    if plan.protocol.study.existing_data.status == "not_stated":
        found.append(
            "aspredicted: question 1 cannot be answered, because the protocol states nothing of existing data. State "
            "it in study.existing_data."
        )
    return tuple(found)


def _numbered(given: Mapping[str, str]) -> list[str]:
    blocks = []
    for number, question in enumerate(QUESTIONS, start=1):
        blocks.append(f"{number}) {question.title}\n{given[question.id]}")
    if OTHER_TYPE.id in given:
        blocks.append(f"{OTHER_TYPE.title}\n{given[OTHER_TYPE.id]}")
    return blocks
