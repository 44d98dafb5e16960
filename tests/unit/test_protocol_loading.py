"""From protocol.yaml to a Protocol: the sentences about its shape, all at once, each with its line."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from forethought.errors import ProtocolInvalid, WrongUsage
from forethought.protocol import shipped
from forethought.protocol.loading import LoadedProtocol, load, schema

SMALL = """\
format: forethought-protocol/1
study:
  id: small
  title: A small study
  summary: Two arms, one question.
  authors:
    - name: A. Nobody
  ethics: None needed.
waves:
  - number: 1
    opens: "2026-01-01T00:00:00+00:00"
    target: 10
allocation: none
imports:
  responses:
    source: csv
    participant: who
    record: row
    variables:
      - {name: score, column: score, type: number}
      - {name: dose, column: dose, type: number}
analysis:
  population: all_records
  missing_data: None is missing.
  models:
    - id: line
      kind: ols
      label: A line
      formula: y ~ dose
      outcomes: [score]
      role: primary
      cluster: participant
  contrasts:
    - id: slope
      label: The slope
      weights: {dose: 1}
  hypotheses:
    - id: rises
      statement: More dose, more score.
      role: primary
      models: [line]
      outcomes: [score]
      contrasts: [slope]
      direction: greater
      smallest_effect: 0.1
      estimand: The change of the mean score with one unit of dose, in everyone.
"""


def written(text: str, folder: Path) -> Path:
    file = folder / "protocol.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def changed(old: str, new: str, folder: Path) -> tuple[str, ...]:
    """The problems of the small study after one change to its text."""
    assert SMALL.count(old) == 1
    with pytest.raises(ProtocolInvalid) as caught:
        load(written(SMALL.replace(old, new), folder))
    return caught.value.problems


def test_a_sound_protocol_is_loaded_with_its_data_and_hashes(tmp_path: Path) -> None:
    loaded = load(written(SMALL, tmp_path))
    assert isinstance(loaded, LoadedProtocol)
    assert loaded.protocol.study.id == "small"
    assert loaded.data["allocation"] == "none"
    assert not loaded.protocol.randomised
    assert len(loaded.fingerprint) == len(loaded.raw_sha256) == 64
    assert loaded.path == tmp_path / "protocol.yaml"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        # keys
        ("  title: A", "  titel: A", "4: `titel` is no key of study. Did you mean `title`?"),
        ("  title: A small study\n", "", "2: study has no `title`. Add `title`."),
        ("  ethics: N", "  colour: red\n  ethics: N", "8: `colour` is no key of study. Remove it; the keys here are `id`, `title`, `summary`, `background`, `keywords`, `authors`, `contact`, `type`, `framework`, `existing_data`, `ethics`, `funding` and 6 more."),
        ("      kind: ols\n", "", "26: analysis.models.line has no `kind`. Add `kind`."),
        ("      kind: ols", "      kinds: ols", "27: `kinds` is no key of analysis.models.line. Did you mean `kind`?"),
        # what this release does not have
        ("kind: ols", "kind: splines", "27: analysis.models.line.kind: `splines` is not in this release, which has `mixed` and `ols`. Write `mixed` or `ols`."),
        ("kind: ols", "kind: bayes", "27: analysis.models.line.kind: `bayes` is a method this release does not have; it has `mixed`, `ols`. Write `mixed` or `ols`."),
        ("allocation: none", "allocation: minimisation", "13: allocation: `minimisation` is not in this release, which has `simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization` and `none`. Did you mean `minimization`?"),
        ("allocation: none", "allocation:\n  method: minimisation", "14: allocation.method: `minimisation` is not in this release, which has `simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization` and `none`. Did you mean `minimization`?"),
        ("allocation: none", "allocation: wei_urn", "13: allocation: `wei_urn` is a method this release does not have; it has `simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization`, `none`. Write `simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization` or `none`."),
        ("allocation: none", "allocation:\n  method: wei_urn", "14: allocation.method: `wei_urn` is a method this release does not have; it has `simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization`, `none`. Write `simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization` or `none`."),
        ("allocation: none", "allocation: non", "13: allocation: `non` is not in this release, which has `simple`, `complete`, `permuted_blocks`, `biased_coin`, `big_stick`, `block_urn`, `minimization`, `rerandomization` and `none`. Did you mean `none`?"),
        ("allocation: none", "allocation:\n  methd: none", "14: `methd` is no key of allocation. Did you mean `method`?"),
        ("allocation: none", "allocation: {}", "13: allocation has no `method`. Add `method`."),
        ("allocation: none", "allocation: permuted_blocks", "13: allocation must be a mapping of keys to values, not `permuted_blocks`. Correct it."),
        ("allocation: none", "allocation: [none]", "13: allocation must be a mapping of keys to values, not a list. See a shipped protocol."),
        ("allocation: none", "allocation:", "13: allocation is empty. Write a value, or remove the key."),
        ("allocation: none", "allocation: {method: null}", "13: allocation.method is empty. Write a value, or remove the key."),
        ("source: csv", "source: spss", "16: imports.responses.source cannot be `spss`. Write `qualtrics` or `csv`."),
        ("source: csv", "source: cvs", "16: imports.responses.source cannot be `cvs`. Did you mean `csv`?"),
        ("kind: ols", "kind: olls", "27: analysis.models.line.kind: `olls` is not in this release, which has `mixed` and `ols`. Did you mean `ols`?"),
        # types
        ("title: A small study", "title: 5", "4: study.title must be text, not `5`. Put it in quotes."),
        ("title: A small study", "title:", "4: study.title is empty. Write a value, or remove the key."),
        ("title: A small study", "title: ' '", "4: study.title is empty. Write a value, or remove the key."),
        ("title: A small study", "title: [A]", "4: study.title must be text, not a list. Write a text."),
        ("target: 10", "target: ten", "12: waves.1.target must be a whole number, not `ten`. Correct it."),
        ("target: 10", "target: 9.5", "12: waves.1.target must be a whole number, not `9.5`. Correct it."),
        ("target: 10", "target: 0", "12: waves.1.target is `0`; it must be at least 1. Correct it."),
        ("smallest_effect: 0.1", "smallest_effect: 0", "45: analysis.hypotheses.rises.smallest_effect is `0`; it must be more than 0. Correct it."),
        ("smallest_effect: 0.1", "smallest_effect: small", "45: analysis.hypotheses.rises.smallest_effect must be a number, not `small`. Correct it."),
        ("weights: {dose: 1}", "weights: {dose: one}", "36: analysis.contrasts.slope.weights.dose must be a number, not `one`. Correct it."),
        ("weights: {dose: 1}", "weights: {}", "36: analysis.contrasts.slope.weights lists 0, and needs 1 or more. Add to the list."),
        ("outcomes: [score]\n      role", "outcomes: score\n      role", "30: analysis.models.line.outcomes must be a list, not `score`. Correct it."),
        ("outcomes: [score]\n      role", "outcomes: []\n      role", "30: analysis.models.line.outcomes lists 0, and needs 1 or more. Add to the list."),
        ("id: small", "id: small study", "3: study.id cannot be `small study`: a name has letters, digits and underscores, and begins with a letter. Rename it."),
        ("id: small", f"id: {'s' * 65}", "3: study.id is longer than 64 characters. Shorten it."),
        ("record: row", "record: row\n    participants: x", "19: `participants` is no key of imports.responses. Remove it; the keys here are `assumed`, `note`, `source`, `participant`, `record`, `finished`, `missing` and `variables`."),
        ("    target: 10", "    target: 10\n    assumed: 1", "13: waves.1.assumed must be true or false, not `1`. Correct it."),
        ('"2026-01-01T00:00:00+00:00"', "soon", '11: waves.1.opens cannot be `soon`: it is a time. Write it as "2025-03-25T09:00:00+00:00", in quotes.'),
        ('"2026-01-01T00:00:00+00:00"', "1", '11: waves.1.opens cannot be `1`: it is a time. Write it as "2025-03-25T09:00:00+00:00", in quotes.'),
        ('"2026-01-01T00:00:00+00:00"', '"2026-01-01T00:00:00"', '11: waves.1.opens `2026-01-01T00:00:00` has no offset from UTC. Write it as "2025-03-25T09:00:00+00:00", in quotes.'),
        ("- {name: score, column: score, type: number}", "- score", "20: imports.responses.variables.#1 must be a mapping of keys to values, not `score`. Correct it."),
    ],
)  # fmt: skip
def test_a_fault_of_shape_is_said_in_words(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert f"protocol.yaml:{said}" in changed(old, new, tmp_path)


def test_a_misspelt_required_key_is_one_problem_and_not_two(tmp_path: Path) -> None:
    assert len(changed("  title: A", "  titel: A", tmp_path)) == 1


def test_a_wrong_item_of_a_list_is_one_problem_and_not_two(tmp_path: Path) -> None:
    assert len(changed("  - number: 1", "  - number: one", tmp_path)) == 1


def test_all_problems_come_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = (
        SMALL.replace("  title:", "  titel:")
        .replace("target: 10", "target: 0")
        .replace("record: row", "record: x")
    )
    with pytest.raises(ProtocolInvalid) as caught:
        load(written(text, tmp_path))
    assert [one.split(":")[1] for one in caught.value.problems] == ["4", "12", "18"]
    assert str(caught.value) == "\n".join(caught.value.problems)


def test_a_misspelt_key_does_not_hide_what_the_sections_say_of_each_other(tmp_path: Path) -> None:
    text = SMALL.replace("  title:", "  titel:").replace("y ~ dose", "y ~ doze")
    with pytest.raises(ProtocolInvalid) as caught:
        load(written(text, tmp_path))
    assert [one.split(":")[1] for one in caught.value.problems] == ["4", "29"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: the file is empty. Begin with `format: forethought-protocol/2`."),
        ("# nothing\n", "1: the file is empty. Begin with `format: forethought-protocol/2`."),
        (
            "- a\n- b\n",
            "1: the file is no mapping of keys to values. Begin with `format: forethought-protocol/2`.",
        ),
        (
            "just words\n",
            "1: the file is no mapping of keys to values. Begin with `format: forethought-protocol/2`.",
        ),
    ],
)
def test_a_file_that_is_no_protocol_says_how_one_begins(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolInvalid) as caught:
        load(written(text, tmp_path))
    assert caught.value.problems == (f"protocol.yaml:{said}",)


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage) as caught:
        load(tmp_path / "protocol.yaml")
    assert caught.value.exit_code == 2


def test_a_list_keeps_its_order_and_a_mapping_has_none(tmp_path: Path) -> None:
    turned = SMALL.replace(
        "{name: dose, column: dose, type: number}", "{type: number, column: dose, name: dose}"
    )
    first = load(written(SMALL, tmp_path)).protocol
    second = load(written(turned, tmp_path)).protocol
    assert first == second
    assert repr(first) == repr(second)


def test_a_protocol_cannot_be_changed(tmp_path: Path) -> None:
    loaded = load(written(SMALL, tmp_path))
    with pytest.raises(ValidationError, match="frozen"):
        loaded.protocol.study.title = "Another"


def test_the_json_schema_takes_what_load_takes(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())
    validator = jsonschema.Draft202012Validator(schema())
    for name in shipped.names():
        loaded = load(shipped.copy(name, tmp_path / name).protocol)
        assert list(validator.iter_errors(loaded.data)) == []


def test_loading_a_protocol_imports_no_heavy_library() -> None:
    heavy = "{'pandas', 'numpy', 'scipy', 'duckdb', 'statsmodels', 'formulaic', 'matplotlib', 'prefect'}"
    program = f"import sys, forethought.protocol.loading as l; l.load; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_sound_protocol_is_loaded_without_making_the_json_schema(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from forethought.protocol import vocabulary; from forethought.protocol.loading import load;"
        f"load(Path({str(written(SMALL, tmp_path))!r})).warnings; print(vocabulary._schema.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
