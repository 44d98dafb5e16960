"""How much an unblinding opens, as it is written."""

import pytest

from forethought.errors import WrongUsage
from forethought.steps.scopes import STUDY, OnePerson, OneWave, scope


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("study", STUDY),
        (" study ", STUDY),
        ("wave 2", OneWave(2)),
        ("wave:2", OneWave(2)),
        ("wave: 2", OneWave(2)),
        ("participant pabc", OnePerson("pabc")),
        ("participant:pabc", OnePerson("pabc")),
    ],
)
def test_a_scope_is_read_with_a_space_or_a_colon(text: str, wanted: object) -> None:
    assert scope(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "all", "wave", "wave -1", "wave two", "participant", "study 1", "Study"]
)
def test_anything_else_is_no_scope(text: str) -> None:
    with pytest.raises(WrongUsage, match="it is no scope"):
        scope(text)
