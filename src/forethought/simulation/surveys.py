"""The survey: one row for each person who came, as a Qualtrics export with its three header rows."""

import json
import string
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from statistics import NormalDist
from zoneinfo import ZoneInfo

import numpy as np

from forethought.protocol.imports import Responses, Variable
from forethought.protocol.protocol import Protocol
from forethought.schemas.exports.recognition import SIMULATION_COLUMN
from forethought.simulation.attendance import Booleans, Meetings, People
from forethought.simulation.exports import ExportFile, Instants, csv_file
from forethought.simulation.streams import stream
from forethought.simulation.thresholds import Floats

FILE = "qualtrics_survey.csv"
ZONE = "America/Denver"
"""In which Qualtrics writes times unless told otherwise."""
OWN = {
    "StartDate": ("Start Date", "startDate"),
    "EndDate": ("End Date", "endDate"),
    "Status": ("Response Type", "status"),
    "Progress": ("Progress", "progress"),
    "Duration (in seconds)": ("Duration (in seconds)", "duration"),
    "Finished": ("Finished", "finished"),
    "RecordedDate": ("Recorded Date", "recordedDate"),
    "ResponseId": ("Response ID", "_recordId"),
    "DistributionChannel": ("Distribution Channel", "distributionChannel"),
    "UserLanguage": ("User Language", "userLanguage"),
}
"""The service's own columns: their labels and import ids."""
TIMES = ("StartDate", "EndDate", "RecordedDate")

SELF_REPORT = (12, 61, 275, 1003, 1553)
"""How often each of five answers was given to `self_empathized` in the published study, from least to most."""
PERSON_SHARE = 0.4
"""Share of an answer's latent variance that a person brings to every answer."""
PREVIEWS = 2
"""Rows that the survey's author made while trying it out: no participant's."""


def play_survey(protocol: Protocol, people: People, meetings: Meetings, seed: int) -> ExportFile | None:
    """The survey of all who came to the first session; None where nobody did, or no responses are imported.

    Answers that belong to a session are given where it was held. They do not depend on the arm.
    """
    responses = protocol.imports.responses
    if responses is None:
        return None
    rng = stream(seed, "surveys")
    came = np.unique(meetings.person)
    if not len(came):
        return None
    held = np.zeros((len(people.arms), len(protocol.sessions)), dtype=bool)
    held[meetings.person, meetings.session] = True
    answers = _answers(protocol, responses, held[came], rng)
    finished = np.logical_and.reduce(held[came], axis=1)
    own = _own(people.allocated_at[came], finished, *_spans(meetings), rng)
    ids = [people.source_ids[one] for one in came]
    columns = {
        **{name: [*_preview(name, own), *cells] for name, cells in own.items()},
        **{name: [""] * PREVIEWS + cells for name, cells in answers.items()},
        responses.participant: [""] * PREVIEWS + ids,
        SIMULATION_COLUMN: [str(seed)] * (PREVIEWS + len(ids)),
    }
    return csv_file(FILE, columns, above=(_labels(columns), _import_ids(columns)))


def _spans(meetings: Meetings) -> tuple[Instants, Instants]:
    """When each person's first meeting began and the last ended."""
    first = np.flatnonzero(np.diff(meetings.person, prepend=-1))
    last = np.append(first[1:], len(meetings.person)) - 1
    return meetings.started[first], meetings.ended[last]


def _own(
    allocated: Instants, finished: Booleans, first: Instants, last: Instants, rng: np.random.Generator
) -> dict[str, list[str]]:
    """Qualtrics's own columns: the survey opens before the first session and closes after the last."""
    n = len(first)
    before = rng.integers(150, 420, size=n).astype("timedelta64[s]")
    after = rng.integers(40, 180, size=n).astype("timedelta64[s]")
    start, end = np.maximum(first - before, allocated), last + after
    seconds = ((end - start) // np.timedelta64(1, "s")).astype(np.int64)
    letters = np.array(list(string.ascii_letters + string.digits))
    return {
        "StartDate": _wall_times(start),
        "EndDate": _wall_times(end),
        "Status": ["IP Address"] * n,
        "Progress": np.where(finished, 100, 60).astype(str).tolist(),
        "Duration (in seconds)": seconds.astype(str).tolist(),
        "Finished": np.where(finished, "True", "False").tolist(),
        "RecordedDate": _wall_times(end + np.timedelta64(1, "s")),
        "ResponseId": ["R_" + "".join(letters[row]) for row in rng.integers(len(letters), size=(n, 15))],
        "DistributionChannel": ["anonymous"] * n,
        "UserLanguage": ["EN"] * n,
    }


def _preview(name: str, own: Mapping[str, Sequence[str]]) -> list[str]:
    marks = {
        "Status": "Survey Preview",
        "DistributionChannel": "preview",
        "Finished": "False",
        "Progress": "20",
    }
    if name == "ResponseId":
        return [f"R_preview{number:08d}" for number in range(1, PREVIEWS + 1)]
    return [marks.get(name, min(own[name], default=""))] * PREVIEWS


def _answers(
    protocol: Protocol, responses: Responses, held: Booleans, rng: np.random.Generator
) -> dict[str, list[str]]:
    """Each variable's answers, blank for a session that was not held."""
    person = rng.standard_normal(len(held))
    sessions = [session.id for session in protocol.sessions]
    answers = {}
    for variable in responses.variables:
        occasion = rng.standard_normal(len(held))
        latent = np.sqrt(PERSON_SHARE) * person + np.sqrt(1 - PERSON_SHARE) * occasion
        given = (
            held[:, sessions.index(variable.session)]
            if variable.session in sessions
            else np.full(len(held), True)
        )
        answers[variable.column] = np.where(given, _chosen(_scale(variable), latent), "").tolist()
    return answers


def _chosen(scale: Sequence[str], latent: Floats) -> np.ndarray:
    """Each person's answer, as an array of objects: the scale's points in its order, by latent quantiles."""
    weights = np.array(SELF_REPORT if len(scale) == len(SELF_REPORT) else [1] * len(scale), dtype=float)
    cuts = [NormalDist().inv_cdf(share) for share in np.cumsum(weights)[:-1] / weights.sum()]
    return np.array(scale, dtype=object)[np.searchsorted(cuts, latent)]


def _scale(variable: Variable) -> tuple[str, ...]:
    """The answers that a variable allows, from least to most."""
    if variable.codes:
        return tuple(sorted(variable.codes, key=lambda word: variable.codes[word]))
    if variable.levels:
        return variable.levels
    if variable.type == "number":
        low = 1.0 if variable.minimum is None else variable.minimum
        high = low + 4 if variable.maximum is None else variable.maximum
        return tuple(f"{value:g}" for value in np.arange(low, high + 1))
    return ("",)


def _labels(columns: Mapping[str, object]) -> list[str]:
    """The second header row: what Qualtrics showed, over several lines where it was a question."""
    question = "\n\nChoose the answer that fits you best."
    return [
        OWN[name][0] if name in OWN else name if _embedded(name) else name.replace("_", " ") + question
        for name in columns
    ]


def _import_ids(columns: Mapping[str, object]) -> list[str]:
    """The third header row, with the time zone of times."""
    rows = []
    for number, name in enumerate(columns, start=1):
        own = OWN[name][1] if name in OWN else f"QID{number}"
        entry = {"ImportId": name if _embedded(name) else own}
        rows.append(json.dumps(entry | ({"timeZone": ZONE} if name in TIMES else {})))
    return rows


def _embedded(name: str) -> bool:
    """Whether the column is embedded data, not a question: such as PROLIFIC_PID."""
    return name == SIMULATION_COLUMN or name.isupper()


def _wall_times(instants: Instants) -> list[str]:
    """Times as a clock in Qualtrics's zone showed them."""
    zone = ZoneInfo(ZONE)
    moments: list[datetime] = instants.astype("datetime64[us]").tolist()
    return [f"{moment.replace(tzinfo=UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}" for moment in moments]
