"""The content of three reports, word for word: what a reader of this release is told.

A golden file is the content as JSON (`forethought.reports.content.as_json`), beside this test. When a change of
words or numbers is meant, renew the files and read their difference before it is committed:

    FORETHOUGHT_RENEW_GOLDEN=1 make test ARGS=tests/golden/test_report_content.py
"""

import difflib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from forethought.reports.content import as_json

FOLDER = Path(__file__).parent
RENEW = "FORETHOUGHT_RENEW_GOLDEN"


def of_one_outcome(study: Any) -> dict[str, Any]:
    """The study's results for overall empathy alone, so that the file can be read."""
    kept = {
        name: [one for one in study.results[name] if one["outcome"] == "overall_empathy"]
        for name in ("findings", "models")
    }
    return {**study.results, **kept}


def compare(name: str, report: Any) -> None:
    """Fail with the difference where the report is not the golden one; renew it where that was asked for."""
    path = FOLDER / f"{name}.json"
    text = json.dumps(as_json(report), indent=1, ensure_ascii=False) + "\n"
    if os.environ.get(RENEW):
        path.write_text(text, encoding="utf-8")
    golden = path.read_text(encoding="utf-8").splitlines()
    difference = "\n".join(difflib.unified_diff(golden, text.splitlines(), "golden", "now", lineterm="", n=2))
    assert not difference, f"{name} has changed; set {RENEW}=1 to renew it\n{difference}"


def test_a_real_study_that_is_not_randomised(real_study: Any) -> None:
    compare("report_of_a_real_study", real_study.report())


@pytest.mark.parametrize("state", ["blinded", "simulated"])
def test_a_randomised_study(state: str, request: pytest.FixtureRequest) -> None:
    study = request.getfixturevalue(f"{state}_study")
    compare(f"report_of_a_{state}_study", study.report(results=of_one_outcome(study)))
