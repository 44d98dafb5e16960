"""requirements.lock: names, versions and hashes only, and all that pyproject.toml asks for."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

RENEW = "run `make lock`"


@pytest.fixture(scope="module")
def text(checkout: Path) -> str:
    return (checkout / "requirements.lock").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def entries(text: str) -> list[str]:
    """One string for each locked requirement: its pin, its marker and its hashes."""
    joined = text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.fixture(scope="module")
def locked(entries: list[str]) -> dict[str, list[Version]]:
    """The versions locked for each name; more than one where they differ by platform or Python."""
    versions: dict[str, list[Version]] = defaultdict(list)
    for entry in entries:
        requirement = Requirement(entry.split(" --hash=")[0])
        (pin,) = requirement.specifier
        versions[canonicalize_name(requirement.name)].append(Version(pin.version))
    return dict(versions)


@pytest.fixture(scope="module")
def asked_for(pyproject: dict[str, Any]) -> list[Requirement]:
    project = pyproject["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *pyproject["build-system"]["requires"],
    ]
    return [Requirement(each) for each in wanted]


def test_every_requirement_is_pinned_to_one_version_and_has_hashes(entries: list[str]) -> None:
    whole = re.compile(
        r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[^\s;]+(\s*;[^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*"
    )
    assert entries
    assert [entry for entry in entries if not whole.fullmatch(entry)] == []


def test_there_is_no_address_and_no_path_in_it(text: str) -> None:
    suspicious = re.compile(
        r"://|\S@|@\s|(?<!\S)/|index|find-links|trusted-host|\b[\w-]+\.(org|com|net|io)\b"
    )
    assert [line for line in text.splitlines() if suspicious.search(line)] == []


def test_every_dependency_of_pyproject_is_locked_at_a_version_that_it_allows(
    asked_for: list[Requirement], locked: dict[str, list[Version]]
) -> None:
    refused = [
        f"{requirement} is locked as {locked.get(canonicalize_name(requirement.name), 'nothing')}: {RENEW}"
        for requirement in asked_for
        if not _is_met(requirement, locked.get(canonicalize_name(requirement.name), []))
    ]
    assert refused == []


def test_pip_is_not_in_it_because_the_environment_brings_its_own(locked: dict[str, list[Version]]) -> None:
    assert "pip" not in locked


def test_the_numbers_come_from_one_version_of_each_numerical_library(
    locked: dict[str, list[Version]],
) -> None:
    numerical = ("formulaic", "nlopt", "numpy", "pandas", "pingouin", "scipy", "statsmodels")
    assert {name: len(locked[name]) for name in numerical} == dict.fromkeys(numerical, 1)


def _is_met(requirement: Requirement, versions: list[Version]) -> bool:
    return bool(versions) and all(version in requirement.specifier for version in versions)
