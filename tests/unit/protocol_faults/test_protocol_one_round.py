"""All of a protocol's faults come in one round: none hides another, and none is told for what only follows from it."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from forethought.errors import ProtocolInvalid
from forethought.protocol import shipped
from forethought.protocol.checks import CHECKS
from forethought.protocol.checks.check import Check
from forethought.protocol.loading import load
from forethought.protocol.protocol import Protocol
from forethought.protocol.vocabulary import required_at

KeyPath = tuple[str | int, ...]
TEXT = Path(__file__).with_name("whole.yaml").read_text(encoding="utf-8")


def told(text: str, folder: Path) -> list[str]:
    """The problems of a text, without the file's name."""
    file = folder / "protocol.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ProtocolInvalid) as caught:
        load(file)
    return [problem.removeprefix("protocol.yaml:") for problem in caught.value.problems]


def line_of(part: str) -> int:
    """The line of a part of the sound protocol's text."""
    assert TEXT.count(part) == 1
    return TEXT[: TEXT.index(part)].count("\n") + 1


ROUNDS: dict[str, list[tuple[str, str, str]]] = {
    "a misspelt section and what is misspelt inside it": [
        ("\nanalysis:", "\nanalysys:", "`analysys` is no key of the protocol. Did you mean `analysis`?"),
        ("  estimands:", "  estimnds:", "`estimnds` is no key of analysis. Did you mean `estimands`?"),
        ("    - id: by_wave\n", "    - idd: by_wave\n", "`idd` is no key of analysis.models.Waves compared. Did you mean `id`?"),
        ("y ~ arm + sex\n", "y ~ arm + sx\n", "`sx` in the formula of `of_mood` is no variable of the analysis data set. Did you mean `sex`?"),
    ],
    "a misspelt kind and what is misspelt beside it": [
        ("      kind: ols", "      kind: olss", "analysis.models.of_mood.kind: `olss` is not in this release, which has `mixed` and `ols`. Did you mean `ols`?"),
        ("      cluster: part", "      clustr: part", "`clustr` is no key of analysis.models.of_mood. Did you mean `cluster`?"),
        ("y ~ arm + sex\n", "y ~ arm + sx\n", "`sx` in the formula of `of_mood` is no variable of the analysis data set. Did you mean `sex`?"),
    ],
    "a misspelt key of the kind and what is misspelt beside it": [
        ("      kind: ols", "      kid: ols", "`kid` is no key of analysis.models.of_mood. Did you mean `kind`?"),
        ("y ~ arm + sex\n", "y ~ arm + sx\n", "`sx` in the formula of `of_mood` is no variable of the analysis data set. Did you mean `sex`?"),
    ],
    "a misspelt key has its own line for what is wrong in its value": [
        ("      formula: y ~ arm + sex\n", "      formla: y ~ arm + sx\n", "`formla` is no key of analysis.models.of_mood. Did you mean `formula`?"),
        ("      formula: y ~ arm + sex\n", "      formla: y ~ arm + sx\n", "`sx` in the formula of `of_mood` is no variable of the analysis data set. Did you mean `sex`?"),
    ],
    "a word instead of a list, and a name inside it that leads nowhere": [
        ("      outcomes: [mood]\n      role", "      outcomes: mod\n      role", "analysis.models.of_mood.outcomes must be a list, not `mod`. Correct it."),
        ("      outcomes: [mood]\n      role", "      outcomes: mod\n      role", "`mod` of the model `of_mood` is no outcome. Did you mean `mood`?"),
        ("strata: [sex]", "strata: [sexe]", "the stratum variable `sexe` is none of imports.recruits.variables, known at allocation. Did you mean `sex`?"),
    ],
    "a value of the wrong type and contradictions of other sections": [
        ('{number: 1, opens: "2026-01-01T00:00:00+00:00", target: 40}', '{number: 1, opens: "2026-01-01T00:00:00+00:00", target: many}', "waves.1.target must be a whole number, not `many`. Correct it."),
        ("block_sizes: [2, 4]", "block_sizes: [2, 3]", "blocks of 3 cannot hold the ratio, whose shares sum to 2. Use multiples of 2."),
        ("scorer: judge}", "scorer: jugde}", "the scorer `jugde` of `warmth` is none of the raters. Did you mean `judge`?"),
        ("y ~ arm + sex\n", "y ~ arm + sx\n", "`sx` in the formula of `of_mood` is no variable of the analysis data set. Did you mean `sex`?"),
    ],
    "a lost label and a contrast of an arm that does not exist": [
        ("    - {id: gain, label: Gain, weights", "    - {id: gain, weights", "analysis.contrasts.gain has no `label`. Add `label`."),
        ('{"arm[T.training]:round": 1}', '{"arm[T.trainin]:round": 1}', "`arm[T.trainin]:round` is no coefficient of the model `main`. Did you mean `arm[T.training]:round`?"),
    ],
    "a method of a later release and contradictions of other sections": [
        ("      method: holm", "      method: hommel", "analysis.families.of_gains.method: `hommel` is a method this release does not have; it has `none`, `holm`. Write `none` or `holm`."),
        ("heterogeneity: by_wave", "heterogeneity: by_waves", "`by_waves` is no model. Did you mean `by_wave`?"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", ROUNDS)
def test_comes_in_one_round(name: str, tmp_path: Path) -> None:
    text = TEXT
    for old, new, _ in ROUNDS[name]:
        text = text.replace(old, new, 1)
    line = {old: line_of(old) + old.startswith("\n") for old, _, _ in ROUNDS[name]}
    wanted = sorted((line[old], f"{line[old]}: {said}") for old, _, said in ROUNDS[name])
    assert told(text, tmp_path) == [said for _, said in wanted]


def test_a_misspelt_format_does_not_hide_the_rest(tmp_path: Path) -> None:
    text = TEXT.replace("format: for", "fromat: for").replace("scorer: judge}", "scorer: jugde}")
    first, second = told(text, tmp_path)
    assert first == "2: `fromat` is no key of the protocol. Did you mean `format`?"
    assert "Did you mean `judge`?" in second


def places(value: Any, at: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value with its path, those inside others too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        yield (*at, step), one
        yield from places(one, (*at, step))


def test_a_value_of_the_wrong_type_is_one_problem_on_its_line(
    changed: Callable[..., Any], whole: Any
) -> None:
    more = []
    for at, value in places(whole):
        if not isinstance(value, dict | list):
            found = changed((at, {"odd": "thing"}))
            start = f"protocol.yaml:{found.line(at)}: "
            if len(found.problems) != 1 or not found.problems[0].startswith(start):
                more.append((at, found.problems))
    assert more == []


def test_a_lost_key_that_is_required_is_one_problem_on_the_line_around_it(
    changed: Callable[..., Any], whole: Any
) -> None:
    more = []
    for at, _ in places(whole):
        if isinstance(at[-1], str) and at[-1] in required_at(at[:-1], whole):
            found = changed((at, ...))
            start = f"protocol.yaml:{found.line(at[:-1])}: "
            if len(found.problems) != 1 or not found.problems[0].startswith(start):
                more.append((at, found.problems))
    assert more == []


class Watched:
    """A protocol that notes which of its sections are looked at."""

    def __init__(self, value: Any, at: tuple[str, ...], seen: set[str]) -> None:
        self._inner, self._at, self._seen = value, at, seen

    def __getattr__(self, name: str) -> Any:
        found = getattr(type(self._inner), name, None)
        if isinstance(found, property):
            return found.fget(self)  # type: ignore[misc]
        value = getattr(self._inner, name)
        if not self._at and name in ("analysis", "imports"):
            return Watched(value, (name,), self._seen)
        self._seen.add(".".join((*self._at, name)))
        return value


@pytest.fixture(scope="module")
def protocols(tmp_path_factory: pytest.TempPathFactory) -> list[Protocol]:
    folder = tmp_path_factory.mktemp("watched")
    (folder / "protocol.yaml").write_text(TEXT, encoding="utf-8")
    copies = [shipped.copy(name, folder / name).protocol for name in shipped.names()]
    return [load(file).protocol for file in (folder / "protocol.yaml", *copies)]


def called(check: Check) -> str:
    """A check's name; of one that is made for several sections, with the section."""
    find = check.find
    return (
        "-".join((find.func.__name__, *map(str, find.args))) if isinstance(find, partial) else find.__name__
    )


@pytest.mark.parametrize("check", CHECKS, ids=called)
def test_a_check_reads_no_section_but_those_that_it_names(check: Any, protocols: list[Protocol]) -> None:
    seen: set[str] = set()
    for protocol in protocols:
        for fault in check.find(Watched(protocol, (), seen)):
            pytest.fail(f"a sound protocol has the fault {fault}")
    assert seen
    assert seen <= check.reads


def test_what_rests_on_an_unsound_section_is_left_unjudged(changed: Callable[..., Any], whole: Any) -> None:
    arms = deepcopy(whole["arms"])
    arms[1]["id"] = ["training"]
    found = changed((("arms",), arms))
    assert len(found.problems) == 1
    assert "`training` is no arm" not in json.dumps(found.problems)


def test_of_several_lost_keys_each_is_told(changed: Callable[..., Any]) -> None:
    at = ("analysis", "contrasts", 1)
    found = changed((at, {"id": "start"}))
    start = f"protocol.yaml:{found.line(at)}: analysis.contrasts.start has no "
    assert found.problems == (f"{start}`label`. Add `label`.", f"{start}`weights`. Add `weights`.")
