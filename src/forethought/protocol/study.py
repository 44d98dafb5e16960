"""Who asks what: the study, its waves, its sources, and what becomes of its data."""

from typing import Literal

from pydantic import AwareDatetime, Field

from forethought.protocol.values import Assumable, Name, Text, Value


class Author(Value):
    """One author of the protocol."""

    name: Text = Field(description="As it is to be printed.")
    affiliation: Text | None = Field(default=None, description="Where the author works.")
    orcid: str | None = Field(
        default=None,
        pattern=r"^\d{4}-\d{4}-\d{4}-\d{3}[\dX]$",
        description="The author's ORCID iD, as `0000-0002-1825-0097`.",
    )


class Source(Value):
    """A publication, data set or repository that the protocol rests on."""

    label: Text = Field(description="What it is.")
    location: Text = Field(description="A DOI, an arXiv number or a repository's owner/name.")
    licence: Text | None = Field(default=None, description="Under what terms it may be used.")


class Registry(Value):
    """An entry of this study in an independent registry."""

    name: Text = Field(description="The registry, such as `OSF` or `AsPredicted`.")
    id: Text = Field(description="The entry's number or address.")


class ExistingData(Value):
    """What existed of the data, and who had seen it, when the protocol was written."""

    status: Literal[
        "prior_to_creation",
        "prior_to_observation",
        "prior_to_access",
        "prior_to_analysis",
        "following_analysis",
        "not_stated",
    ] = Field(
        description=(
            "Registered before the data existed; before any human observed them; before the authors had "
            "access; before the authors analysed them; or after an analysis. `not_stated` is of format 1."
        )
    )
    explanation: Text = Field(description="Who knew what of the data, and how bias is kept out.")


class Study(Value):
    """What the study is called, who answers for it, and what it cannot show."""

    id: Name = Field(description="Part of every random stream: never changed after the first lock.")
    title: Text = Field(description="The title of the study.")
    summary: Text = Field(description="What is done and asked, in a few sentences for anyone.")
    background: Text | None = Field(default=None, description="Why the question matters, and what is known.")
    keywords: tuple[Text, ...] = Field(default=(), description="Words to find the study by.")
    authors: tuple[Author, ...] = Field(min_length=1, description="Who wrote the protocol.")
    contact: Text | None = Field(default=None, description="Whom to ask about the study.")
    type: Literal["experiment", "observational", "meta_analysis", "other"] = Field(
        description="An experiment allocates treatments; an observational study does not."
    )
    framework: Literal["superiority", "equivalence", "noninferiority", "exploratory"] = Field(
        description="What kind of claim the primary hypotheses make (CONSORT 2025, item 9)."
    )
    existing_data: ExistingData = Field(description="What existed of the data when this was written.")
    ethics: Text = Field(description="Review, approval and consent, or why none was needed.")
    funding: Text = Field(description="Who pays, and what say they have; `None` where nobody does.")
    conflicts: Text = Field(
        description="Interests that compete with the study's; `None` where there is none."
    )
    registry: Registry | None = Field(default=None, description="Where the study is registered elsewhere.")
    setting: Text | None = Field(default=None, description="Where the study takes place.")
    public_involvement: Text | None = Field(
        default=None, description="How people like the participants had a say in the plan."
    )
    sources: tuple[Source, ...] = Field(default=(), description="What the protocol rests on.")
    limitations: tuple[Text, ...] = Field(default=(), description="What the study cannot show.")


class Wave(Assumable):
    """One round of recruitment with its own secret seed."""

    number: int = Field(ge=1, description="1, 2, 3 in their order: part of the wave's random streams.")
    opens: AwareDatetime = Field(description="When recruitment begins, with its offset from UTC.")
    target: int = Field(ge=1, description="Participants who are to complete.")


class WavePooling(Assumable):
    """How several waves become one analysis, and how their difference is shown."""

    method: Literal["together"] = Field(
        description="All waves are analysed together, each person once.",
        json_schema_extra={"later": ["meta_analysis", "separate"]},
    )
    statement: Text = Field(description="Why the waves may be pooled.")
    heterogeneity: Name = Field(
        description="The model, of the role sensitivity or exploratory, whose arm x wave terms show it."
    )


class DataSharing(Value):
    """What others will be able to get, where, when and on what terms (CONSORT 2025, item 4)."""

    level: Literal["open", "on_request", "restricted", "none", "not_stated"] = Field(
        description="How freely the data of participants can be had. `not_stated` is of format 1."
    )
    data: Text = Field(description="Which data are shared, and what is taken out before; or why none are.")
    code: Text = Field(description="Where the code of the analysis is.")
    materials: Text = Field(description="Where the materials are.")
    where: Text | None = Field(default=None, description="The repository.")
    when: Text | None = Field(default=None, description="From when, and for how long.")
    licence: Text | None = Field(default=None, description="The terms of use.")
