"""What is wrong with a file, where, and what to do: every problem at once, by line."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

KeyPath = tuple[str | int, ...]
"""The keys and list positions (from 0) that lead to a value."""

MOST = 1000
"""Problems of one file that are told; nobody corrects more before looking again."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem on one line. `what` and `remedy` are sentences without their full stop."""

    line: int
    what: str
    remedy: str

    def located(self, file: str) -> str:
        """The line a person reads: `protocol.yaml:41: what. What to do.`"""
        stop = "" if self.remedy.endswith("?") else "."
        return f"{file}:{self.line}: {_legible(self.what)}. {_legible(self.remedy)}{stop}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One problem of the value at `at`, before its line is known."""

    at: KeyPath
    what: str
    remedy: str


def nearest(name: object, names: Iterable[str]) -> str | None:
    """The one of `names` that was probably meant, if any is near."""
    spelt = str(name)
    if len(spelt) > _LONGEST_NAME:
        return None
    known = [*islice(names, _COMPARED)]
    close = get_close_matches(spelt, known, n=1, cutoff=0.6)
    if close:
        return close[0]
    folded = {_letters(one): one for one in known}
    return folded.get(_letters(spelt))


def suggestion(name: object, names: Iterable[str], otherwise: str) -> str:
    """`Did you mean ...?` where a name is near, `otherwise` where none is."""
    known = list(names)
    near = nearest(name, known)
    if near is not None:
        return f"Did you mean `{near}`?"
    return otherwise


def meant(names: Iterable[str], known: Sequence[str]) -> frozenset[str]:
    """The known names that these are, or that were probably meant by them: a misspelt one is one mistake, not two."""
    return frozenset(name if name in known else nearest(name, known) or name for name in names)


def one_of(names: Iterable[str]) -> str:
    """Names as a remedy lists them."""
    known = list(names)
    return f"There is {listed(known)}" if known else "There is none"


def listed(names: Sequence[str]) -> str:
    """`a`, `b` and `c`, cut short where the list is long."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) > _SHOWN:
        return f"{', '.join(quoted[:_SHOWN])} and {len(quoted) - _SHOWN} more"
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def unknown_keys(
    at: KeyPath, given: Mapping[str, object], known: Sequence[str], what: str
) -> Iterator[Fault]:
    """Keys of a mapping that are none of the known names; `what` says what a key should be."""
    for key in given:
        if key not in known:
            yield Fault((*at, key), f"`{key}` is no {what}", suggestion(key, known, one_of(known)))


def exact_keys(at: KeyPath, given: Mapping[str, object], known: Sequence[str], what: str) -> Iterator[Fault]:
    """Keys of a mapping that must be just the known names; a misspelt one is reported once."""
    lacking = [name for name in known if name not in given]
    for key in given:
        if key not in known:
            meant = nearest(key, lacking)
            lacking = [name for name in lacking if name != meant]
            remedy = suggestion(key, [meant] if meant else known, one_of(known))
            yield Fault((*at, key), f"`{key}` is no {what}", remedy)
    for name in lacking:
        yield Fault(at, f"the {what} `{name}` is missing here", f"Add `{name}`")


_SHOWN = 12


_LONGEST_NAME = 200
_COMPARED = 500
_LONGEST = 1000
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Zl", "Zp"})
_LOOKING_LATIN = frozenset("АВЕЅІЈКМНОРСТУХаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")
"""Letters of other scripts that look like Latin ones, as the Cyrillic а."""


def _letters(name: str) -> str:
    """The letters of a short name in their order in the alphabet, so that exchanged ones do not matter."""
    return "".join(sorted(name.casefold()))


def _legible(text: str) -> str:
    """The text on one line and not too long, with each sign that cannot be seen, or passes for another, as a number."""
    line = " ".join(text.split())
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST // 2]} ... {line[-_LONGEST // 4 :]}"
    return line if line.isascii() else "".join(_spelt(sign) for sign in line)


def _spelt(sign: str) -> str:
    unseen = unicodedata.category(sign) in _UNSEEN
    return f"\\u{ord(sign):04x}" if unseen or sign in _LOOKING_LATIN else sign
