"""Which distributions and links are offered, and what statsmodels calls them."""

from collections.abc import Mapping
from typing import Any, Literal

from forethought.errors import ModelNotFitted

Family = Literal["binomial", "poisson", "gaussian", "gamma"]
Link = Literal["logit", "probit", "cloglog", "log", "identity", "inverse"]

LINKS: Mapping[str, tuple[Link, ...]] = {
    "binomial": ("logit", "probit", "cloglog"),
    "poisson": ("log",),
    "gaussian": ("identity", "log"),
    "gamma": ("log", "inverse"),
}
"""The links of each family, the default first. R's default for gamma is the inverse, whose effects are no ratios."""

ESTIMATED_DISPERSION = ("gaussian", "gamma")
"""Families whose variance has a factor of its own, so that model-based tests have t, not the normal distribution."""

_FAMILY_CLASSES = {"binomial": "Binomial", "poisson": "Poisson", "gaussian": "Gaussian", "gamma": "Gamma"}
_LINK_CLASSES = {
    "logit": "Logit", "probit": "Probit", "cloglog": "CLogLog",
    "log": "Log", "identity": "Identity", "inverse": "InversePower",
}  # fmt: skip


def chosen_link(family: str, link: str | None) -> Link:
    """The link asked for, or the family's default. Raises ModelNotFitted for a family or link not offered."""
    if family not in LINKS:
        raise ModelNotFitted("family", f"`{family}` is not offered", f"Take one of {', '.join(LINKS)}")
    for offered in LINKS[family]:
        if link in (None, offered):
            return offered
    what = f"the {family} family has no link `{link}` here"
    raise ModelNotFitted("link", what, f"Take one of {', '.join(LINKS[family])}")


def statsmodels_family(family: Family, link: Link) -> Any:
    """statsmodels' family with its link."""
    from statsmodels.genmod import families

    return getattr(families, _FAMILY_CLASSES[family])(getattr(families.links, _LINK_CLASSES[link])())
