"""An estimand in words: one line for findings, of the five attributes or of what an older format had."""

from pathlib import Path

import pytest
import yaml

from forethought.analysis.estimands import attributes, in_words
from forethought.protocol.estimands import Estimand, IntercurrentEvent
from forethought.protocol.loading import load

FORMAT_1 = Path(__file__).parents[1] / "golden" / "protocols" / "format_1"

GAIN = Estimand(
    id="gain",
    treatment="The training allocated, against control.",
    population="Adults who enter\n  the study.",
    variable="Change of the rating",
    intercurrent_events=(
        IntercurrentEvent(
            event="Training is cut short.", strategy="treatment_policy", handling="Counted as allocated."
        ),
        IntercurrentEvent(
            event="A person dies", strategy="while_on_treatment", handling="Ratings until then count"
        ),
    ),
    summary="Difference of mean changes.",
)


def test_the_five_attributes_are_one_line_of_text() -> None:
    assert in_words(GAIN) == (
        "Population: Adults who enter the study. Treatment: The training allocated, against control. "
        "Variable: Change of the rating. Intercurrent events: Training is cut short (treatment policy): Counted as "
        "allocated; A person dies (while on treatment): Ratings until then count. Summary: Difference of mean changes."
    )


def test_each_attribute_has_its_name() -> None:
    assert [name for name, _ in attributes(GAIN)] == [
        "Population", "Treatment", "Variable", "Intercurrent events", "Summary",
    ]  # fmt: skip


@pytest.mark.parametrize("study", ["lend_an_ear", "sleepstudy"])
def test_an_estimand_of_format_1_is_its_prose_and_nothing_else(study: str) -> None:
    file = FORMAT_1 / f"{study}.yaml"
    hypotheses = yaml.safe_load(file.read_text("utf-8"))["analysis"]["hypotheses"]
    protocol = load(file).protocol
    for written, read in zip(hypotheses, protocol.analysis.hypotheses, strict=True):
        estimand = protocol.estimands_by_id[read.estimand]
        assert in_words(estimand) == " ".join(written["estimand"].split())
        assert [name for name, _ in attributes(estimand)] == ["Summary"]
