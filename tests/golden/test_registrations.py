"""Registrations written by earlier releases are read for ever: each record keeps its hash, each timestamp verifies."""

import shutil
from pathlib import Path

import pytest

from forethought.protocol.folder import StudyFolder
from forethought.registration import Registration, read, read_document

HERE = Path(__file__).parent / "registrations"


@pytest.fixture
def small(tmp_path: Path) -> Registration:
    """A study of format 2: locked with a timestamp, amended twice, the second time with a timestamp."""
    shutil.copy(HERE / "format_2" / "small.json", tmp_path / "registration.json")
    registered = read(StudyFolder(tmp_path))
    assert registered is not None
    return registered


@pytest.mark.parametrize(
    ("file", "hashes"),
    [
        ("format_1/sleepstudy.json", ("f20f194a7f2817cf58c5638e5b626a7c15048930ce44758abe0e18370527040d",)),
        (
            "format_2/small.json",
            (
                "dd751e813a5bbbac76342c1bb4ab396dc38caf8efd4dee1776e5e0cc6fb0ea9f",
                "12b1d0355dab32cccc360578b042e226368d8ff822b79673e4b467112d034cbe",
                "33cf5faa0028b0241e269109fdc84930734196b53d9c9e528478327c1a406602",
            ),
        ),
    ],
)
def test_each_record_keeps_its_hash(file: str, hashes: tuple[str, ...]) -> None:
    document = read_document(HERE / file)
    assert document is not None
    assert document.record_hashes == hashes


def test_the_plan_that_stands_is_that_of_the_second_amendment(small: Registration) -> None:
    assert small.fingerprint == "0e0c9a54f6c372fbc791db3e2aad8ed6fc3da47984af340a49156039464ed716"
    assert small.current_fingerprint == "712a074559a1e426e32ac952448cf0027eb39e7cade7bd961f4392d412fc5af4"
    assert [seed.wave for seed in small.all_seeds] == [1, 2, 3]
    assert small.current_materials != small.materials
    assert small.current_scorers != small.scorers


def test_the_differences_read_as_they_were_written(small: Registration) -> None:
    assert [[one.words for one in amendment.differences] for amendment in small.amendments] == [
        ["analysis.alpha was changed from 0.05 to 0.01"],
        [
            'waves.3 was added: {number: 3, opens: "2026-12-02T09:00:00+00:00", target: 4}',
            "the file materials/rubric.md was changed",
        ],
    ]


def test_the_timestamps_are_of_the_lock_and_of_the_second_amendment(small: Registration) -> None:
    document = read_document(HERE / "format_2" / "small.json")
    assert document is not None
    assert [one.record for one in small.timestamps] == [document.record_hashes[0], document.record_hashes[2]]
