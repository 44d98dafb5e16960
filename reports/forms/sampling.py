"""Existing data, recruitment, sample size and stopping, in words."""

from collections.abc import Iterator
from typing import assert_never

from forethought.protocol.recruitment import FixedSample, GroupSequential, Quota
from forethought.protocol.rules import Criterion
from forethought.reports import formatting
from forethought.reports.forms import words
from forethought.reports.forms.form import Plan

STATUS = {
    "prior_to_creation": "Registered before the data existed",
    "prior_to_observation": "Registered before anybody had observed the data",
    "prior_to_access": "Registered before the authors had access to the data",
    "prior_to_analysis": "Registered before the authors had analysed the data",
    "following_analysis": "Registered after the data, or some of them, had been analysed",
    "not_stated": "The protocol does not state what existed of the data when it was written",
}

SPENDING = {
    "pocock": "Pocock's boundaries",
    "obrien_fleming": "the boundaries of O'Brien and Fleming",
    "lan_demets_obrien_fleming": "the function of Lan and DeMets that is like O'Brien and Fleming's boundaries",
    "lan_demets_pocock": "the function of Lan and DeMets that is like Pocock's boundaries",
    "hwang_shih_decani": "the function of Hwang, Shih and DeCani",
    "kim_demets": "the function of Kim and DeMets",
    "haybittle_peto": "the boundaries of Haybittle and Peto",
}


def existing_data(plan: Plan) -> str:
    """What existed of the data, and how bias is kept out."""
    existing = plan.protocol.study.existing_data
    return words.sentences(STATUS[existing.status], existing.explanation)


def procedures(plan: Plan) -> str:
    """Whom, how, on what terms and when: population, eligibility, quotas, consent, payment, waves."""
    protocol = plan.protocol
    asked, recruits, responses = protocol.recruitment, protocol.imports.recruits, protocol.imports.responses
    return words.paragraphs(
        words.sentences(f"Population: {asked.population}"),
        words.sentences(f"Setting: {protocol.study.setting}") if protocol.study.setting else None,
        words.sentences(
            asked.procedure,
            f"Recruits come from {recruits.source.capitalize()}"
            if recruits and recruits.source != "csv"
            else None,
            f"Answers come from {responses.source.capitalize()}"
            if responses and responses.source != "csv"
            else None,
        ),
        words.numbered("To take part, in this order", eligibility(plan)),
        words.numbered("Quotas, after that", map(_quota, asked.quotas)),
        words.sentences(f"Consent: {asked.consent.procedure}"),
        words.sentences(f"Compensation: {asked.compensation}"),
        words.bullets("Timeline", timeline(plan)),
        words.bullets(
            "Materials, fixed by their hashes when the protocol is locked",
            (f"{material.file}: {material.description}" for material in protocol.materials),
        ),
    )


def eligibility(plan: Plan, *, reasons: bool = True) -> Iterator[str]:
    """The criteria that a recruit must pass, each with the words under which others are counted."""
    recruits = plan.protocol.imports.recruits
    for criterion in recruits.eligibility if recruits else ():
        yield _required(criterion) if reasons else words.rule(criterion)


def _required(criterion: Criterion) -> str:
    return f"{words.rule(criterion)}; others are counted as “{criterion.reason}”"


def _quota(quota: Quota) -> str:
    return (
        f"each wave takes at most {formatting.count(quota.at_most)} whose {words.spaced(quota.variable)} is "
        f"“{quota.value}”; others are counted as “{quota.reason}”"
    )


def timeline(plan: Plan) -> Iterator[str]:
    """When each wave opens, and when each session of a participant is on time."""
    for wave in plan.protocol.waves:
        target = formatting.counted(wave.target, "participant")
        assumed = " (an assumption)" if wave.assumed else ""
        yield f"Wave {wave.number} opens on {formatting.moment(wave.opens)}, with a target of {target}{assumed}"
    for session in plan.protocol.sessions:
        yield f"{session.label}: {words.window(session.window)}"


def sample_size(plan: Plan) -> str:
    """How many participants are to complete, or are in the data that exist, by wave and in all."""
    protocol = plan.protocol
    total = sum(wave.target for wave in protocol.waves)
    people = formatting.counted(total, "participant")
    sessions = len(protocol.sessions)
    return words.sentences(
        f"Data of {people} are to be analysed"
        if _exist(plan)
        else f"{people} {'is' if total == 1 else 'are'} to complete the study",
        words.capital(
            words.listed(f"{formatting.count(wave.target)} in wave {wave.number}" for wave in protocol.waves)
        )
        if len(protocol.waves) > 1
        else None,
        f"Each participant has {formatting.counted(sessions, 'session')}" if sessions else None,
    )


def _exist(plan: Plan) -> bool:
    """Whether the study is of data that are there already, so that nobody is recruited for it."""
    status = plan.protocol.study.existing_data.status
    return not plan.protocol.randomised and status not in ("prior_to_creation", "not_stated")


def rationale(plan: Plan) -> str:
    """Why there are so many."""
    return words.sentence(plan.protocol.recruitment.sample_size.rationale)


def stopping(plan: Plan, *, stated: bool = True) -> str:
    """The rule that ends recruitment and, where asked for, the protocol's statement of it."""
    rule = plan.protocol.recruitment.sample_size.stopping
    match rule:
        case FixedSample() if _exist(plan):
            kind = "The sample size is that of the data that exist"
        case FixedSample():
            kind = "The sample size is fixed beforehand: the outcomes are analysed once, when recruitment is over"
        case GroupSequential():
            kind = _looks(rule)
        case _:
            assert_never(rule)
    return words.sentences(kind, rule.statement if stated else None)


def _looks(rule: GroupSequential) -> str:
    at = words.listed(formatting.level(look) for look in rule.looks)
    parameter = "" if rule.parameter is None else f", with the parameter {formatting.plain(rule.parameter)}"
    ends = (
        "no look ends the study for want of an effect"
        if rule.futility == "none"
        else "a look may end the study for want of an effect, which binds nobody"
    )
    return (
        f"The study is group-sequential: the outcomes are looked at {formatting.counted(len(rule.looks), 'time')}, at "
        f"{at} of the information; the significance level is spent by {SPENDING[rule.spending]}{parameter}; {ends}"
    )
