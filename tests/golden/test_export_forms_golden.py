"""The forms of the shipped studies, word for word: what a registry is told by this release.

A golden file is the text that `export` prints, with a fingerprint of zeros; the one in JSON is the payload for OSF. When
a change is meant, renew the files and read their difference before it is committed:

    FORETHOUGHT_RENEW_GOLDEN=1 make test ARGS=tests/golden/test_export_forms_golden.py
"""

import difflib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from forethought.protocol import plain_yaml, shipped
from forethought.protocol.formats import upgraded
from forethought.protocol.shape import examine
from forethought.reports.forms.aspredicted import aspredicted
from forethought.reports.forms.form import Plan
from forethought.reports.forms.osf import osf

FOLDER = Path(__file__).parent / "exports"
RENEW = "FORETHOUGHT_RENEW_GOLDEN"


def plan(name: str) -> Plan:
    data: Any = plain_yaml.parse(shipped.text(name)).data
    found = examine(upgraded(data))
    assert found.protocol is not None
    return Plan(protocol=found.protocol, fingerprint="0" * 64, registration=None)


def compare(file: str, text: str) -> None:
    """Fail with the difference where the text is not the golden one; renew it where that was asked for."""
    path = FOLDER / file
    if os.environ.get(RENEW):
        path.write_text(text + "\n", encoding="utf-8")
    golden = path.read_text(encoding="utf-8").splitlines()
    difference = "\n".join(difflib.unified_diff(golden, text.splitlines(), "golden", "now", lineterm="", n=1))
    assert not difference, f"{file} has changed; set {RENEW}=1 to renew it\n{difference}"


@pytest.mark.parametrize("name", shipped.names())
def test_the_text_for_osf(name: str) -> None:
    compare(f"{name}_osf.md", osf(plan(name)).text)


@pytest.mark.parametrize("name", shipped.names())
def test_the_text_for_aspredicted(name: str) -> None:
    compare(f"{name}_aspredicted.txt", aspredicted(plan(name)).text)


def test_the_payload_for_osf() -> None:
    payload = dict(osf(plan("sleepstudy")).payload)
    compare("sleepstudy_osf.json", json.dumps(payload, indent=1, ensure_ascii=False))
