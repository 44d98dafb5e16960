"""Who asks what: the study, its waves, and its sources."""

from pydantic import AwareDatetime, Field

from forethought.protocol.values import Assumable, Name, Text, Value


class Author(Value):
    """One author of the protocol."""

    name: Text
    affiliation: Text | None = None


class Source(Value):
    """A publication, data set or repository that the protocol rests on."""

    label: Text
    location: Text = Field(description="A DOI, an arXiv number or a repository's owner/name.")
    licence: Text | None = None


class Study(Value):
    """What the study is called, who answers for it, and what it cannot show."""

    id: Name = Field(description="Part of every random stream: never changed after the first lock.")
    title: Text
    summary: Text
    authors: tuple[Author, ...] = Field(min_length=1)
    ethics: Text
    sources: tuple[Source, ...] = ()
    limitations: tuple[Text, ...] = ()


class Wave(Assumable):
    """One round of recruitment with its own secret seed."""

    number: int = Field(ge=1)
    opens: AwareDatetime = Field(description="When recruitment begins, with its offset from UTC.")
    target: int = Field(ge=1, description="Participants who are to complete.")
