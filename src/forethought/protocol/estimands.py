"""What is estimated: estimands with the five attributes of ICH E9(R1), and the populations analysed."""

from typing import Literal

from pydantic import Field

from forethought.protocol.values import Assumable, Name, Text


class IntercurrentEvent(Assumable):
    """Something after allocation that changes what an outcome means, and what is done about it."""

    event: Text = Field(description="What happens, such as training that is cut short.")
    strategy: Literal[
        "treatment_policy", "hypothetical", "composite", "while_on_treatment", "principal_stratum"
    ] = Field(
        description=(
            "Counted whatever happens; as if it had not happened; as an outcome of its own; up to the event; "
            "or in those alone in whom it would not happen."
        )
    )
    handling: Text = Field(description="What this means for the data.")


class Estimand(Assumable):
    """What a hypothesis is about, by the five attributes of ICH E9(R1)."""

    id: Name = Field(description="The estimand's name, which hypotheses give.")
    treatment: Text = Field(description="The conditions that are compared.")
    population: Text = Field(description="The people of whom it is said.")
    variable: Text = Field(description="What is measured of each of them, and when.")
    intercurrent_events: tuple[IntercurrentEvent, ...] = Field(
        min_length=1, description="What may come in between, each with its strategy."
    )
    summary: Text = Field(description="The number over the population, such as a difference of means.")


class Population(Assumable):
    """A set of participants to analyse, by what happened to them and never by hand."""

    id: Name = Field(description="The population's name.")
    label: Text = Field(description="Its name for readers.")
    rule: Literal["randomised", "every_session", "sessions_in_window", "all_records"] = Field(
        description=(
            "Everyone allocated, in the arm allocated; of these, those who held every session; those who held "
            "every session inside its window; or, where nobody is allocated, all records."
        ),
        json_schema_extra={"later": ["received_as_allocated"]},
    )
