"""OSF Preregistration, version 3: its questions, and its options word for word.

From CenterForOpenScience/osf.io, website/project/metadata/osf-preregistration-3.json; `former` is the question's id
in version 2 (osf-preregistration.json), whose title, authors and description became data of the registration.
"""

from collections.abc import Mapping

from forethought.reports.forms.form import Question

NAME = "OSF Preregistration"
VERSION = 3

_STUDY, _DESIGN, _SAMPLING = "Study Information", "Design Plan", "Sampling Plan"
_VARIABLES, _ANALYSIS, _OTHER = "Variables", "Analysis Plan", "Other"

FORMER_METADATA: Mapping[str, str] = {"Title": "q1", "Authors": "q2", "Description": "q3"}
"""What version 2 asked for, and version 3 takes from the registration's own data."""

QUESTIONS: tuple[Question, ...] = (
    Question(id="q2", former="q4", page=_STUDY, title="Hypotheses", required=True),
    Question(id="q3", former="q5", page=_DESIGN, title="Study type", required=True, kind="select"),
    Question(id="q4", former="q6", page=_DESIGN, title="Blinding", required=True, kind="select_many"),
    Question(id="q5", former="q7", page=_DESIGN, title="Is there any additional blinding in this study?"),
    Question(id="q6", former="q8", page=_DESIGN, title="Study design", required=True, kind="object"),
    Question(id="q7", former="q9", page=_DESIGN, title="Randomization"),
    Question(id="q8", former="q10", page=_SAMPLING, title="Existing Data", required=True, kind="select"),
    Question(id="q9", former="q11", page=_SAMPLING, title="Explanation of existing data"),
    Question(
        id="q10",
        former="q12",
        page=_SAMPLING,
        title="Data collection procedures",
        required=True,
        kind="object",
    ),
    Question(id="q11", former="q13", page=_SAMPLING, title="Sample size", required=True),
    Question(id="q12", former="q14", page=_SAMPLING, title="Sample size rationale"),
    Question(id="q13", former="q15", page=_SAMPLING, title="Stopping rule"),
    Question(id="q14", former="q16", page=_VARIABLES, title="Manipulated variables", kind="object"),
    Question(
        id="q15", former="q17", page=_VARIABLES, title="Measured variables", required=True, kind="object"
    ),
    Question(id="q16", former="q18", page=_VARIABLES, title="Indices", kind="object"),
    Question(
        id="q17", former="q19", page=_ANALYSIS, title="Statistical models", required=True, kind="object"
    ),
    Question(id="q18", former="q20", page=_ANALYSIS, title="Transformations"),
    Question(id="q19", former="q21", page=_ANALYSIS, title="Inference criteria"),
    Question(id="q20", former="q22", page=_ANALYSIS, title="Data exclusion"),
    Question(id="q21", former="q23", page=_ANALYSIS, title="Missing data"),
    Question(id="q22", former="q24", page=_ANALYSIS, title="Exploratory analysis"),
    Question(id="q23", former="q25", page=_OTHER, title="Other"),
)

STUDY_TYPES: Mapping[str, str] = {
    "experiment": (
        "Experiment - A researcher randomly assigns treatments to study subjects, this includes field or lab "
        "experiments. This is also known as an intervention experiment and includes randomized controlled trials."
    ),
    "observational": (
        "Observational Study - Data is collected from study subjects that are not randomly assigned to a "
        "treatment. This includes surveys, “natural experiments,” and regression discontinuity designs."
    ),
    "meta_analysis": "Meta-Analysis - A systematic review of published studies.",
    "other": "Other",
}
"""The protocol's study.type to the option of q3."""

NO_BLINDING = "No blinding is involved in this study."
BLINDED: Mapping[str, str] = {
    "participants": (
        "For studies that involve human subjects, they will not know the treatment group to which they have been "
        "assigned."
    ),
    "deliverers": (
        "Personnel who interact directly with the study subjects (either human or non-human subjects) will not be "
        "aware of the assigned treatments. (Commonly known as “double blind”)"
    ),
    "analysts": (
        "Personnel who analyze the data collected from the study are not aware of the treatment applied to any "
        "given group."
    ),
}
"""The fields of the protocol's section `blinding` to the options of q4."""

_FOLLOWING = "Registration following analysis of the data"
EXISTING_DATA: Mapping[str, str] = {
    "prior_to_creation": "Registration prior to creation of data",
    "prior_to_observation": "Registration prior to any human observation of the data",
    "prior_to_access": "Registration prior to accessing the data",
    "prior_to_analysis": "Registration prior to analysis of the data",
    "following_analysis": _FOLLOWING,
    "not_stated": _FOLLOWING,
}
"""The protocol's study.existing_data.status to the option of q8; of what is not stated, the weakest claim."""
