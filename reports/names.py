"""The protocol's own words for what results name by id, and the report's words for its fixed vocabulary."""

from collections.abc import Iterable

from forethought.analysis.findings import Finding
from forethought.analysis.verdicts import Verdict
from forethought.protocol.analysis import Family, MissingData, Model
from forethought.protocol.protocol import Protocol
from forethought.reports import formatting

POPULATIONS = {
    "randomised": "everyone allocated, in the arm allocated",
    "every_session": "of those allocated, whoever held every session",
    "sessions_in_window": "of those allocated, whoever held every session inside its window",
    "all_records": "all records that remain after preparation",
}
"""Whom a rule keeps."""

DDF = {"satterthwaite": "Satterthwaite", "kenward_roger": "Kenward and Roger"}
"""Whose degrees of freedom a mixed model has."""

ASSUMED_OF_MISSING = {
    "mcar": "Missing completely at random is assumed. ",
    "mar": "Missing at random is assumed. ",
    "mnar": "Missing not at random is assumed. ",
    "not_stated": "",
}
DONE_ABOUT_MISSING = {
    "available_records": "Each model uses every record that has its outcome and predictors. "
}


class Names:
    """Labels of one protocol; what it does not label is called by its id."""

    def __init__(self, protocol: Protocol) -> None:
        analysis = protocol.analysis
        self._outcomes = {outcome.id: outcome.label for outcome in protocol.outcomes}
        self._contrasts = {contrast.id: contrast.label for contrast in analysis.contrasts}
        self._arms = {arm.id: arm.label for arm in protocol.arms}
        self._sessions = {session.id: session.label for session in protocol.sessions}
        self._families = {family.id: family for family in analysis.families}
        self._models = {model.id: model.label for model in analysis.models}
        self._populations = protocol.populations_by_id
        self._everyone = analysis.population

    def outcome(self, name: str) -> str:
        """An outcome's label."""
        return self._outcomes.get(name, name)

    def contrast(self, name: str) -> str:
        """A contrast's label, or the coefficient's own name."""
        return self._contrasts.get(name, name)

    def arm(self, name: str) -> str:
        """An arm's label."""
        return self._arms.get(name, name)

    def session(self, name: str) -> str:
        """A session's label."""
        return self._sessions.get(name, name)

    def model(self, name: str) -> str:
        """A model's label."""
        return self._models.get(name, name)

    def population(self, model: Model) -> str:
        """The label of a model's population, and whom it holds."""
        one = self._populations[model.population or self._everyone]
        return f"{one.label} ({POPULATIONS[one.rule]})"

    def families_of(self, findings: Iterable[Finding]) -> tuple[Family, ...]:
        """The families whose adjustment the findings carry, without those that adjust nothing."""
        named = dict.fromkeys(finding.family for finding in findings)
        found = (self._families.get(name) for name in named if name is not None)
        return tuple(family for family in found if family is not None and family.method != "none")


def family_in_words(family: Family) -> str:
    """What is adjusted together, as a sentence."""
    tests = len(family.contrasts) * (len(family.outcomes) if family.scope == "all_outcomes" else 1)
    within = "over all its outcomes" if family.scope == "all_outcomes" else "within each outcome"
    assumed = " This family is an assumption." if family.assumed else ""
    together = formatting.counted(tests, "test")
    return f"p adjusted by Holm's method {within} ({family.label}; {together} together).{assumed}"


def missing_data_in_words(missing: MissingData) -> str:
    """What is assumed of missing outcomes, what is done about them, and why."""
    assumed = ASSUMED_OF_MISSING[missing.assumption]
    return f"Missing data. {assumed}{DONE_ABOUT_MISSING[missing.method]}{missing.statement}"


def tally(verdicts: Iterable[Verdict]) -> str:
    """How the verdicts fall out, in words: `Corroborated in 5 of 7 tests, inconclusive in 2.`"""
    found = list(verdicts)
    counts = [(name, found.count(name)) for name in Verdict if name in found]
    if len(found) == 1:
        return f"{found[0].capitalize()}."
    if len(counts) == 1:
        return f"{found[0].capitalize()} in all {len(found)} tests."
    (first, number), *others = counts
    rest = "".join(f", {name} in {times}" for name, times in others)
    return f"{first.capitalize()} in {number} of {len(found)} tests{rest}."
