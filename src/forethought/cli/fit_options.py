"""What the options of `fit` ask for, from texts as they were typed."""

from collections import Counter
from collections.abc import Sequence

from forethought.analysis.emmeans import Adjustment, FamilyName
from forethought.errors import WrongUsage
from forethought.steps.fit import Means

EXAMPLES = {"--at": "age=20,30", "--coding": "arm=sum", "--reference": "arm=control"}


def means_of(
    names: Sequence[str] | None,
    by: Sequence[str] | None,
    at: Sequence[str] | None,
    contrasts: FamilyName | None,
    adjust: Adjustment | None,
) -> Means | None:
    """The means that the options ask for, None where they ask for none.

    Raises WrongUsage for an option without the one that it belongs to.
    """
    if adjust and not contrasts:
        raise WrongUsage(
            "--adjust", "there are no contrasts to adjust", "Add --contrasts, as in --contrasts pairwise"
        )
    if not names:
        for option, value in (("--by", by), ("--at", at), ("--contrasts", contrasts)):
            if value:
                raise WrongUsage(
                    option, "there are no marginal means", "Add --emmeans with the variables that they are of"
                )
        return None
    listed, within = _listed("--emmeans", names), _listed("--by", by)
    twice = [name for name, times in Counter([*listed, *within]).items() if times > 1]
    if twice:
        raise WrongUsage("--emmeans", f"{', '.join(twice)} is named twice", "Name it once, here or in --by")
    return Means(
        names=listed,
        by=within,
        at={name: _listed("--at", [values]) for name, values in pairs("--at", at).items()},
        contrasts=contrasts,
        adjust=adjust,
    )


def _listed(option: str, texts: Sequence[str] | None) -> list[str]:
    """`a,b` and `a`, `b` are the same list. Raises WrongUsage where a name is empty."""
    found = [part.strip() for text in texts or () for part in text.split(",")]
    if not all(found):
        raise WrongUsage(option, "a name is empty", f"Write {option} a,b, or {option} a {option} b")
    return found


def pairs(option: str, texts: Sequence[str] | None) -> dict[str, str]:
    """The values by their names. Raises WrongUsage for a text without `=` and for a name given twice."""
    found = dict[str, str]()
    for text in texts or ():
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise WrongUsage(
                option, f"`{text}` is not a name and its value", f"Write it as {option} {EXAMPLES[option]}"
            )
        if name in found:
            raise WrongUsage(option, f"`{name}` is given twice", "Give it once")
        found[name] = value
    return found
