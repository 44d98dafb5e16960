"""Every key of every shipped protocol, deleted, renamed or misspelt, and every reference misspelt: a located fault.

Or provably nothing is lost: the schema does not ask for a key that is gone. Of the items of a list that have the same
keys, one stands for all. Most mutations are made in the data, and a fault's path stands for its line; each twentieth
goes through a real file, written as JSON, which is YAML with each key on a line of its own.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol import plain_yaml, shipped
from forethought.protocol.loading import examined, load
from forethought.protocol.paths import NOT_THERE, value_at
from forethought.protocol.problems import Fault
from forethought.protocol.vocabulary import keys_at, required_at

KeyPath = tuple[str | int, ...]

STUDIES = (*shipped.names(), "whole")
WORDS_OF_OTHERS = ("codes", "roles", "sessions", "stimuli")
"""Mappings whose keys are the words of an export: only their author knows how those are spelt."""
SAMPLE = 20
"""Each so-manieth mutation goes through a file."""


def raw(name: str) -> bytes:
    whole = Path(__file__).parent / "protocol_faults" / "whole.yaml"
    return whole.read_bytes() if name == "whole" else shipped.text(name)


def keys(data: Any, at: KeyPath = ()) -> list[KeyPath]:
    """The path of every key, at every depth; of the items of a list, one of each kind has it for all."""
    found: dict[tuple[object, ...], KeyPath] = {}
    for path, kind in all_keys(data, at):
        form = tuple("*" if isinstance(step, int) else step for step in path)
        found.setdefault((*form, kind), path)
    return [*found.values()]


def all_keys(data: Any, at: KeyPath = (), kind: str = "") -> Iterator[tuple[KeyPath, str]]:
    """Every key's path, and what kinds of mapping it is in."""
    if isinstance(data, dict):
        kind += "".join(
            str(data.get(key, ""))
            for key in ("kind", "step", "test", "method")
            if isinstance(data.get(key), str)
        )
        for key, value in data.items():
            yield (*at, key), kind
            yield from all_keys(value, (*at, key), kind)
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from all_keys(value, (*at, index), kind)


def of_others(at: KeyPath) -> bool:
    return len(at) > 2 and at[-2] in WORDS_OF_OTHERS and at[0] == "imports"


@pytest.fixture(scope="module", params=STUDIES)
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The protocol.yaml of a study, in a folder of its own."""
    folder = tmp_path_factory.mktemp("study") / request.param
    if request.param != "whole":
        return shipped.copy(request.param, folder).protocol
    folder.mkdir()
    (folder / "protocol.yaml").write_bytes(raw("whole"))
    return folder / "protocol.yaml"


@pytest.fixture
def data(study: Path) -> Any:
    """What the study's file says; of its published tables, to which nothing refers, the first stands for all."""
    found: Any = plain_yaml.parse(study.read_bytes()).data
    if "expected" in found["analysis"]:
        del found["analysis"]["expected"][1:]
    return found


def faults_of(data: Any, study: Path) -> list[Fault]:
    return examined(data, study.parent / "materials")[1]


def expect_in_file(data: Any, study: Path, at: KeyPath) -> None:
    """The same data as a file are refused, with a problem on the line of the path."""
    mutated = study.with_name("mutated.yaml")
    mutated.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")
    line = plain_yaml.parse(mutated.read_bytes()).line(at)
    with pytest.raises(ProtocolInvalid) as caught:
        load(mutated)
    assert any(one.startswith(f"mutated.yaml:{line}: ") for one in caught.value.problems)


@contextmanager
def changed(data: Any, at: KeyPath, change: Callable[[dict[str, Any], str], None]) -> Iterator[None]:
    """The data with one mapping changed, and afterwards as they were."""
    mapping: Any = value_at(data, at[:-1])
    before = dict(mapping)
    change(mapping, str(at[-1]))
    yield
    mapping.clear()
    mapping.update(before)


def transposed(word: str) -> str:
    """The word with two neighbours exchanged; where that changes nothing, its last sign twice."""
    for left in range(1, len(word) - 1):
        if word[left] != word[left + 1] and word[left : left + 2].isalnum():
            return word[:left] + word[left + 1] + word[left] + word[left + 2 :]
    return word + word[-1]


def unlike(key: str) -> str:
    return f"{'q' if key[0] != 'q' else 'z'}{'xvw' * 3}"


def rename(to: Callable[[str], str]) -> Callable[[dict[str, Any], str], None]:
    def renamed(mapping: dict[str, Any], key: str) -> None:
        items = [(to(key) if name == key else name, value) for name, value in mapping.items()]
        mapping.clear()
        mapping.update(items)

    return renamed


def delete(mapping: dict[str, Any], key: str) -> None:
    del mapping[key]


@pytest.mark.parametrize("to", [transposed, unlike])
def test_a_misspelt_or_renamed_key_is_a_fault_on_its_own_line(
    data: Any, study: Path, to: Callable[[str], str]
) -> None:
    missed = []
    for number, at in enumerate(keys(data)):
        if of_others(at):
            continue
        wrong = (*at[:-1], to(str(at[-1])))
        suggested = to is transposed and len(str(at[-1])) > 3 and at[-1] in keys_at(at[:-1], data)
        with changed(data, at, rename(to)):
            found = faults_of(data, study)
            here = [fault for fault in found if fault.at == wrong and str(wrong[-1]) in fault.what]
            if here and number % SAMPLE == 0:
                expect_in_file(data, study, wrong)
        if not here or (suggested and here[0].remedy != f"Did you mean `{at[-1]}`?"):
            missed.append((at, [(fault.at, fault.what, fault.remedy) for fault in found]))
    assert missed == []


def test_a_deleted_key_is_a_fault_of_the_mapping_around_it_or_was_optional(data: Any, study: Path) -> None:
    missed = []
    for number, at in enumerate(keys(data)):
        required = at[-1] in required_at(at[:-1], data)
        with changed(data, at, delete):
            found = faults_of(data, study)
            named = [fault for fault in found if fault.at == at[:-1] and f"`{at[-1]}`" in fault.what]
            if named and number % SAMPLE == 0:
                expect_in_file(data, study, at[:-1])
        located = all(value_at(data, fault.at) is not NOT_THERE for fault in found)
        if not located or (required and not named):
            missed.append((at, [(fault.at, fault.what) for fault in found]))
    assert missed == []


REFERENCES = (
    "allocation.strata.*",
    "stimuli.sessions.*",
    "sessions.*.materials.*",
    "imports.*.variables.*.session",
    "imports.conversations.sessions.*",
    "imports.conversations.stimuli.*",
    "imports.recruits.eligibility.*.variable",
    "recruitment.consent.material",
    "recruitment.quotas.*.variable",
    "recruitment.quotas.*.value",
    "wave_pooling.heterogeneity",
    "raters.*.rubric",
    "raters.*.prompt",
    "outcomes.*.scorer",
    "outcomes.*.session",
    "outcomes.*.items.*",
    "outcomes.*.reverse.*",
    "preparation.*.criterion.variable",
    "preparation.*.how.of",
    "preparation.*.how.of.*",
    "analysis.population",
    "analysis.models.*.population",
    "analysis.models.*.outcomes.*",
    "analysis.models.*.cluster",
    "analysis.hypotheses.*.models.*",
    "analysis.hypotheses.*.outcomes.*",
    "analysis.hypotheses.*.contrasts.*",
    "analysis.hypotheses.*.estimand",
    "analysis.families.*.model",
    "analysis.families.*.contrasts.*",
    "analysis.families.*.outcomes.*",
    "analysis.expected.*.model",
    "analysis.expected.*.outcome",
    "analysis.expected.*.coefficients.*.term",
    "simulation.conversations.phrases",
    "simulation.outcomes.published.*.outcome",
)
"""Where a name is written that something else bears."""
DEFINITIONS = (
    "arms.*.id",
    "sessions.*.id",
    "stimuli.name",
    "stimuli.items.*",
    "materials.*.file",
    "raters.*.id",
    "imports.*.variables.*.name",
    "outcomes.*.id",
    "preparation.*.name",
    "analysis.populations.*.id",
    "analysis.estimands.*.id",
    "analysis.models.*.id",
    "analysis.contrasts.*.id",
)
"""Where the names are given that others refer to."""


def leaves(data: Any, at: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*at, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from leaves(value, (*at, index))
    else:
        yield at, data


def matching(data: Any, patterns: tuple[str, ...]) -> list[tuple[KeyPath, str]]:
    """Texts at these places: for each pattern and length of path, each different text once."""
    found: dict[tuple[str, str], KeyPath] = {}
    for at, value in leaves(data):
        for pattern in patterns:
            spoken = ".".join(map(str, at))
            if len(at) == pattern.count(".") + 1 and fnmatchcase(spoken, pattern) and isinstance(value, str):
                found.setdefault((pattern, value), at)
    return [(at, value) for (_, value), at in found.items()]


def mutated(data: Any, at: KeyPath, study: Path) -> list[Fault]:
    """The faults after the text at this place is misspelt."""
    around: Any = value_at(data, at[:-1])
    right = around[at[-1]]
    around[at[-1]] = transposed(right)
    found = faults_of(data, study)
    around[at[-1]] = right
    return found


def test_a_misspelt_reference_is_a_fault_at_its_own_place(data: Any, study: Path) -> None:
    missed = []
    for at, value in matching(data, REFERENCES):
        found = mutated(data, at, study)
        if not any(fault.at == at for fault in found):
            missed.append((at, value, [(fault.at, fault.what) for fault in found]))
    assert missed == []


def test_a_misspelt_name_is_a_fault_there_or_where_it_is_referred_to(data: Any, study: Path) -> None:
    referred = {value for _, value in matching(data, REFERENCES)}
    missed = []
    for at, value in matching(data, DEFINITIONS):
        found = mutated(data, at, study)
        there = [
            one
            for one in found
            if one.at == at or value in f"{one.at[-1:]} {value_at(data, one.at)} {one.what}"
        ]
        if value in referred and not there:
            missed.append((at, value, [(fault.at, fault.what) for fault in found]))
    assert missed == []


def test_every_place_of_a_reference_and_a_name_occurs_in_some_study() -> None:
    studies = [plain_yaml.parse(raw(name)).data for name in STUDIES]
    unused = [
        pattern
        for pattern in (*REFERENCES, *DEFINITIONS)
        if not any(matching(data, (pattern,)) for data in studies)
    ]
    assert unused == []
