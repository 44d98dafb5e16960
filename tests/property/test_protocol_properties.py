"""Protocols under chance: the fingerprint's invariances, sound protocols that have no fault, and garbage and corruption
that never give more than located problems.
"""

import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forethought.errors import ProtocolInvalid
from forethought.protocol import plain_yaml, shipped
from forethought.protocol.fingerprint import fingerprint
from forethought.protocol.loading import load

PROTOCOLS = {name: shipped.text(name) for name in shipped.names()}
DATA: dict[str, Any] = {name: plain_yaml.parse(raw).data for name, raw in PROTOCOLS.items()}
LOCATED = re.compile(r"protocol\.yaml:[1-9][0-9]*: \S[^\n]*[.?]")

quick = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
names = st.sampled_from(shipped.names())
texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
data = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
)


def shuffled(value: Any, draw: st.DrawFn) -> Any:
    """The value with the keys of every mapping in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], draw) for key in draw(st.permutations(sorted(value)))}
    if isinstance(value, list):
        return [shuffled(item, draw) for item in value]
    return value


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all leaves."""
    if isinstance(value, dict):
        return [place for key, inner in value.items() for place in places(inner, (*at, key))]
    if isinstance(value, list):
        return [place for index, inner in enumerate(value) for place in places(inner, (*at, index))]
    return [at]


def with_leaf(value: Any, at: tuple[Any, ...], leaf: object) -> Any:
    changed = deepcopy(value)
    inner = changed
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = leaf
    return changed


@given(data)
@quick
def test_what_is_written_is_what_is_read(value: Any) -> None:
    written = yaml.safe_dump(
        {"root": value}, allow_unicode=True, default_style='"' if isinstance(value, str) else None
    )
    as_json = json.dumps({"root": value}, ensure_ascii=False)
    assert plain_yaml.parse(as_json.encode()).data == {"root": value}
    try:
        read = plain_yaml.parse(written.encode()).data
    except plain_yaml.NotPlain:
        return  # PyYAML wrote an anchor, a tag or one of the words that are refused
    assert read == {"root": value}


@given(st.data(), names)
@quick
def test_the_order_of_keys_and_the_layout_leave_the_fingerprint_as_it_is(
    chance: st.DataObject, name: str
) -> None:
    turned = shuffled(DATA[name], chance.draw)
    indent = chance.draw(st.sampled_from([None, 0, 1, 4]))
    reread = plain_yaml.parse(
        json.dumps(turned, indent=indent, ensure_ascii=chance.draw(st.booleans())).encode()
    ).data
    assert fingerprint(reread) == fingerprint(DATA[name])


@given(st.data(), names, leaves)
@quick
def test_any_changed_value_changes_the_fingerprint(chance: st.DataObject, name: str, leaf: object) -> None:
    at = chance.draw(st.sampled_from(places(DATA[name])))
    changed = with_leaf(DATA[name], at, leaf)
    same = changed == DATA[name] and json.dumps(changed) == json.dumps(DATA[name])
    numerically_same = not same and changed == DATA[name] and not isinstance(leaf, bool)
    assert (fingerprint(changed) == fingerprint(DATA[name])) == (same or numerically_same)


def flow(value: Any, chance: st.DataObject) -> str:
    """The value in YAML's flow style, with line ends, spaces and comments wherever they may be."""
    gap = chance.draw(st.sampled_from(["", " ", "\n ", " # a comment, {with} [brackets]: and 'quotes'\n "]))
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{gap}{json.dumps(key)}: {flow(inner, chance)}" for key, inner in value.items())
            + gap
            + "}"
        )
    if isinstance(value, list):
        return "[" + ",".join(f"{gap}{flow(inner, chance)}" for inner in value) + gap + "]"
    return json.dumps(value, ensure_ascii=chance.draw(st.booleans()))


@given(chance=st.data())
@quick
def test_a_protocol_in_any_layout_has_the_same_fingerprint(
    folder: Path, protocols: st.SearchStrategy[Any], chance: st.DataObject
) -> None:
    value = chance.draw(protocols)
    turned = shuffled(value, chance.draw)
    width = chance.draw(st.sampled_from([20, 80, 10_000]))
    block = yaml.safe_dump(turned, allow_unicode=chance.draw(st.booleans()), sort_keys=False, width=width)
    for text in (block, flow(turned, chance)):
        file = folder / "protocol.yaml"
        file.write_text(f"# {chance.draw(st.sampled_from(['', 'x', 'a: [']))}\n{text}", encoding="utf-8")
        loaded = load(file)
        assert loaded.data == value
        assert loaded.fingerprint == fingerprint(value)


@given(chance=st.data())
@settings(quick, max_examples=150)
def test_a_sound_protocol_has_no_fault(
    folder: Path, protocols: st.SearchStrategy[Any], chance: st.DataObject
) -> None:
    assert problems_of(json.dumps(chance.draw(protocols)).encode(), folder) is None


@given(chance=st.data())
@quick
def test_any_changed_value_of_a_sound_protocol_changes_its_fingerprint(
    protocols: st.SearchStrategy[Any], chance: st.DataObject
) -> None:
    value = chance.draw(protocols)
    at = chance.draw(st.sampled_from(places(value)))
    changed = with_leaf(value, at, f"{chance.draw(texts)} and no other")
    assert fingerprint(changed) != fingerprint(value)


def corrupted(value: Any, chance: st.DataObject) -> Any:
    """The value after one thing in it was lost, renamed, repeated, exchanged or replaced."""
    value = deepcopy(value)
    at = chance.draw(st.sampled_from(places(value)))
    at = at[: chance.draw(st.integers(1, len(at)))]
    around: Any = value
    for step in at[:-1]:
        around = around[step]
    match chance.draw(st.sampled_from(["lost", "renamed", "repeated", "exchanged", "replaced"])):
        case "lost":
            del around[at[-1]]
        case "renamed" if isinstance(around, dict):
            around[chance.draw(texts)] = around.pop(at[-1])
        case "repeated" if isinstance(around, list):
            around.append(deepcopy(around[at[-1]]))
        case "exchanged":
            other = chance.draw(
                st.sampled_from([*around] if isinstance(around, dict) else range(len(around)))
            )
            around[at[-1]], around[other] = around[other], around[at[-1]]
        case _:
            around[at[-1]] = chance.draw(leaves | data)
    return value


@given(chance=st.data())
@settings(quick, max_examples=300)
def test_a_sound_protocol_with_one_corruption_has_located_problems_or_none(
    folder: Path, protocols: st.SearchStrategy[Any], chance: st.DataObject
) -> None:
    expect_located(json.dumps(corrupted(chance.draw(protocols), chance)).encode(), folder)


@given(chance=st.data())
@settings(quick, max_examples=100)
def test_what_is_warned_of_is_located_too(
    folder: Path, protocols: st.SearchStrategy[Any], chance: st.DataObject
) -> None:
    (folder / "protocol.yaml").write_text(json.dumps(chance.draw(protocols), indent=1))
    warnings = load(folder / "protocol.yaml").warnings
    assert [one for one in warnings if not LOCATED.fullmatch(one) or ": warning: " not in one] == []


def problems_of(raw: bytes, folder: Path) -> tuple[str, ...] | None:
    """The problems of these bytes as a protocol; None where they have none."""
    file = folder / "protocol.yaml"
    file.write_bytes(raw)
    try:
        load(file)
    except ProtocolInvalid as error:
        return error.problems
    return None


def expect_located(raw: bytes, folder: Path) -> None:
    """Loading gives a protocol, or problems of one line each, located and in the order of lines."""
    problems = problems_of(raw, folder)
    if problems is not None:
        assert problems
        assert [problem for problem in problems if not LOCATED.fullmatch(problem)] == []
        lines = [int(problem.split(":")[1]) for problem in problems]
        assert lines == sorted(lines)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("garbage")


@given(raw=st.binary(max_size=80))
@quick
def test_random_bytes_give_located_problems(folder: Path, raw: bytes) -> None:
    expect_located(raw, folder)


@given(text=st.text(st.sampled_from("abyn:-#&*!|>?%@'\"{}[],\\ \n0123.e~<=_\ud7ff\u2028\x85"), max_size=120))
@quick
def test_random_yaml_signs_give_located_problems(folder: Path, text: str) -> None:
    expect_located(text.encode("utf-8", "surrogatepass"), folder)


@given(value=st.dictionaries(texts, data, max_size=5))
@quick
def test_random_data_give_located_problems(folder: Path, value: Any) -> None:
    expect_located(json.dumps(value).encode(), folder)


@given(chance=st.data(), name=names)
@settings(quick, max_examples=100)
def test_a_protocol_with_some_bytes_changed_gives_located_problems(
    folder: Path, chance: st.DataObject, name: str
) -> None:
    raw = bytearray(PROTOCOLS[name])
    for _ in range(chance.draw(st.integers(1, 4))):
        raw[chance.draw(st.integers(0, len(raw) - 1))] = chance.draw(
            st.sampled_from(b" :-#\n&*!'\"[]{}xy019\t\xff,")
        )
    expect_located(bytes(raw), folder)


@given(chance=st.data(), name=names, leaf=leaves | data)
@settings(quick, max_examples=200)
def test_a_protocol_with_any_value_replaced_gives_located_problems(
    folder: Path, chance: st.DataObject, name: str, leaf: object
) -> None:
    at = chance.draw(st.sampled_from(places(DATA[name])))
    cut = chance.draw(st.integers(1, len(at)))
    expect_located(json.dumps(with_leaf(DATA[name], at[:cut], leaf)).encode(), folder)
