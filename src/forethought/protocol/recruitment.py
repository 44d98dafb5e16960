"""The human side of a study: who is asked, what they agree to, when it stops, and how they are kept from harm."""

from typing import Annotated, Literal

from pydantic import Field

from forethought.protocol.values import Assumable, Name, Text


class Consent(Assumable):
    """How people agree to take part."""

    procedure: Text = Field(description="Who tells them what, and how they agree.")
    material: Text | None = Field(
        default=None, description="The file under `materials/` that holds what they are told."
    )


class Quota(Assumable):
    """At most so many eligible people of one kind in each wave, in their order of arrival."""

    id: Name = Field(description="The quota's name, counted apart in the flow diagram.")
    variable: Name = Field(description="A category of imports.recruits.variables.")
    value: Text = Field(description="The level that is limited.")
    at_most: int = Field(ge=1, description="How many people of this level a wave takes.")
    reason: Text = Field(description="The words that the flow diagram prints for those turned away.")


class FixedSample(Assumable):
    """Recruitment stops at a number set beforehand; outcomes are looked at once, at the end."""

    rule: Literal["fixed"] = Field(description="One analysis, when recruitment is over.")
    statement: Text = Field(description="What ends recruitment, and what happens if the target is missed.")


class GroupSequential(Assumable):
    """Planned looks at the outcomes, with the significance level spent over them."""

    rule: Literal["group_sequential"] = Field(description="Several analyses, at planned fractions.")
    looks: tuple[Annotated[float, Field(gt=0, le=1)], ...] = Field(
        min_length=2, description="Information fractions in their order; the last is 1."
    )
    spending: Literal[
        "pocock",
        "obrien_fleming",
        "lan_demets_obrien_fleming",
        "lan_demets_pocock",
        "hwang_shih_decani",
        "kim_demets",
        "haybittle_peto",
    ] = Field(description="How the significance level is spent.")
    parameter: float | None = Field(
        default=None, description="The gamma of Hwang, Shih and DeCani, or the rho of Kim and DeMets."
    )
    futility: Literal["none", "non_binding"] = Field(
        default="none", description="Whether a look may end the study for want of an effect."
    )
    statement: Text = Field(description="Who looks, at what, and who decides.")


Stopping = Annotated[FixedSample | GroupSequential, Field(discriminator="rule")]


class SampleSize(Assumable):
    """Why the targets of the waves are what they are, and when recruitment stops."""

    rationale: Text = Field(description="The power analysis, or the resource that limits the sample.")
    stopping: Stopping = Field(description="What ends recruitment.")


class Harm(Assumable):
    """An unwanted event to look for, in every arm alike."""

    id: Name = Field(description="The harm's name.")
    label: Text = Field(description="What it is.")
    assessed: Text = Field(description="How and when it is looked for, and who is told.")


class Recruitment(Assumable):
    """Who is asked to take part, on what terms, and until when."""

    population: Text = Field(description="The people whom the study is about.")
    procedure: Text = Field(description="How people are found, and what happens to them, step by step.")
    compensation: Text = Field(description="What they get, and what for; `None` where nothing.")
    consent: Consent = Field(description="What they are told, and how they agree.")
    sample_size: SampleSize = Field(description="How many, why, and when to stop.")
    quotas: tuple[Quota, ...] = Field(
        default=(), description="Limits within each wave, after eligibility, in this order."
    )
    harms: tuple[Harm, ...] = Field(default=(), description="Unwanted events to record.")
    distress: Text = Field(description="Where somebody who is distressed is sent, and who sees to it.")


class Blinding(Assumable):
    """Who does not know which arm a participant is in."""

    participants: bool = Field(description="Participants do not know their arm.")
    deliverers: bool = Field(description="Those who deal with participants do not know.")
    raters: bool = Field(description="Those who rate outcomes do not know.")
    analysts: bool = Field(description="Those who analyse do not know until the unblinding.")
    how: Text = Field(description="How it is kept so, or why it cannot be.")
