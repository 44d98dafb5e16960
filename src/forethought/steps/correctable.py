"""What can be wrong with a record, and the values that a correction may give."""

import math
from dataclasses import dataclass

from forethought.errors import WrongUsage
from forethought.protocol.imports import Variable
from forethought.protocol.protocol import Protocol


@dataclass(frozen=True, slots=True)
class RandomisedInError:
    """Somebody ineligible was allocated: analysed as randomised, and counted towards balance no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongValue:
    """A recruitment variable has another value: allocation and stratum stay, analyses use the true one."""

    item: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomisedTwice:
    """One person has two records: the first allocation stands, this one is not analysed."""

    first: str


@dataclass(frozen=True, slots=True)
class NotCounted:
    """A debug or test run: counted towards balance no longer."""


Wrong = RandomisedInError | WrongValue | RandomisedTwice | NotCounted

KINDS = ("randomised-in-error", "wrong-value", "randomised-twice", "not-counted")


def wrong(kind: str, *, item: str | None = None, value: str | None = None, first: str | None = None) -> Wrong:
    """What the command line says is wrong; WrongUsage where an option is missing, or is of another kind."""
    given = {"--item": item, "--value": value, "--first": first}
    needed = {"wrong-value": ("--item", "--value"), "randomised-twice": ("--first",)}.get(kind, ())
    if kind not in KINDS:
        raise WrongUsage(f"--kind {kind}", "it is no kind of correction", f"Choose one of {', '.join(KINDS)}")
    for option, said in given.items():
        if option in needed and (said is None or not said.strip()):
            raise WrongUsage(option, f"`--kind {kind}` needs it", f"Give {' and '.join(needed)}")
        if option not in needed and said is not None:
            raise WrongUsage(option, f"`--kind {kind}` does not take it", "Leave it out")
    match kind:
        case "wrong-value":
            return WrongValue(item=str(item), value=str(value))
        case "randomised-twice":
            return RandomisedTwice(first=str(first))
        case "randomised-in-error":
            return RandomisedInError()
        case _:
            return NotCounted()


def recruitment_variable(protocol: Protocol, item: str) -> Variable:
    """The variable that recruitment reads under this name (WrongUsage: there is none)."""
    recruits = protocol.imports.recruits
    known = {variable.name: variable for variable in recruits.variables} if recruits else {}
    if item not in known:
        listed = ", ".join(known) or "none"
        raise WrongUsage(f"--item {item}", "it is no recruitment variable", f"The protocol has: {listed}")
    return known[item]


def text_of(value: str, variable: Variable) -> str:
    """The value as the table `responses` holds it; WrongUsage where the variable cannot have it."""
    text = value.strip()
    match variable.type:
        case "category" if variable.levels and text not in variable.levels:
            raise _refused(variable, text, f"one of: {', '.join(variable.levels)}")
        case "number" if not _is_number(text, variable):
            raise _refused(variable, text, _wanted(variable))
        case _ if not text:
            raise _refused(variable, text, "some text")
    return text


def _is_number(text: str, variable: Variable) -> bool:
    """Whether it is a finite number in the variable's range, or a response word that stands for one."""
    try:
        number = variable.codes[text] if text in variable.codes else float(text)
    except ValueError:
        return False
    low = -math.inf if variable.minimum is None else variable.minimum
    high = math.inf if variable.maximum is None else variable.maximum
    return math.isfinite(number) and low <= number <= high


def _wanted(variable: Variable) -> str:
    low, high = variable.minimum, variable.maximum
    words = f" or one of: {', '.join(variable.codes)}" if variable.codes else ""
    from_to = (f" from {low:g}" if low is not None else "") + (f" up to {high:g}" if high is not None else "")
    return f"a number{from_to}{words}"


def _refused(variable: Variable, value: str, wanted: str) -> WrongUsage:
    return WrongUsage(f"--value {value}", f"`{variable.name}` must be {wanted}", "Give the true value")
