"""What is allocated, in which ratio, and by which variables: whether recruitment gives what the draw looks at."""

from collections.abc import Iterator, Mapping

from forethought.protocol.allocation import Minimization, Randomization, Rerandomization, Stratified
from forethought.protocol.checks.check import reading
from forethought.protocol.imports import Variable
from forethought.protocol.problems import Fault, KeyPath, exact_keys, one_of, suggestion
from forethought.protocol.protocol import Protocol


def ratio_names_the_arms(protocol: Protocol) -> Iterator[Fault]:
    """The ratio has a share for each arm."""
    if isinstance(protocol.allocation, Randomization):
        yield from exact_keys(
            ("allocation", "ratio"), protocol.allocation.ratio, [*protocol.arms_by_id], "arm"
        )


def covariates_are_known(protocol: Protocol) -> Iterator[Fault]:
    """What the draw looks at is given by recruitment for everyone who is eligible."""
    design = protocol.allocation
    if not isinstance(design, Randomization):
        return
    known = _recruitment_variables(protocol)
    recruits = protocol.imports.recruits
    tested = {criterion.variable for criterion in recruits.eligibility} if recruits else set[str]()
    noun = covariate_noun(design)
    for index, name in enumerate(design.covariates):
        at = _place(design, index)
        if name not in known:
            what = f"the {noun} `{name}` is none of imports.recruits.variables, known at allocation"
            yield Fault(at, what, suggestion(name, known, one_of(known)))
        elif (fault := _unsuitable(design, known[name], at, noun)) is not None:
            yield fault
        elif name not in tested:
            what = f"nobody without a known `{name}` {_without(design)}, and no eligibility criterion excludes them"
            yield Fault(at, what, f"Add a criterion on `{name}` to imports.recruits.eligibility")
        if name in design.covariates[:index]:
            yield Fault(at, f"the {noun} `{name}` is listed twice", "List it once")


def clusters_are_known(protocol: Protocol) -> Iterator[Fault]:
    """Clusters are named by a variable of recruitment that is no stratum; people have none."""
    design, at = protocol.allocation, ("allocation", "cluster")
    if not isinstance(design, Randomization):
        return
    if design.cluster is None:
        if design.unit == "cluster":
            what = "clusters are allocated, and nothing says which cluster a person belongs to"
            yield Fault(("allocation", "unit"), what, "Add `cluster`, the recruitment variable that names it")
        return
    if design.unit != "cluster":
        what = f"`cluster` names the clusters that are allocated, but the unit is {design.unit}"
        yield Fault(at, what, "Write `unit: cluster`, or remove it")
    known = _recruitment_variables(protocol)
    name = design.cluster
    if name not in known:
        what = f"the cluster variable `{name}` is none of imports.recruits.variables, known at allocation"
        yield Fault(at, what, suggestion(name, known, one_of(known)))
    elif known[name].type == "number":
        what = f"the cluster variable `{name}` is a number, and names nothing"
        yield Fault(at, what, "Write `type: category` or `type: text` there")
    if name in design.covariates:
        what = f"`{name}` is the cluster and a {covariate_noun(design)}: a cluster would be balanced against itself"
        yield Fault(at, what, "Remove it in one of the two places")


def covariate_noun(design: Randomization) -> str:
    """What a variable is called that the draw looks at."""
    if isinstance(design, Minimization):
        return "factor"
    return "balance variable" if isinstance(design, Rerandomization) else "stratum variable"


def _recruitment_variables(protocol: Protocol) -> Mapping[str, Variable]:
    recruits = protocol.imports.recruits
    return {variable.name: variable for variable in recruits.variables} if recruits else {}


def _place(design: Randomization, index: int) -> KeyPath:
    """Where the variable stands that the draw looks at."""
    if isinstance(design, Minimization):
        return ("allocation", "factors", index, "name")
    return ("allocation", "variables" if isinstance(design, Rerandomization) else "strata", index)


def _unsuitable(design: Randomization, variable: Variable, at: KeyPath, noun: str) -> Fault | None:
    """The fault of a variable that the draw cannot use as it is."""
    if variable.type == "category" and variable.levels:
        return None
    if not isinstance(design, Rerandomization):
        return Fault(at, f"the {noun} `{variable.name}` is no category with levels", "List its levels there")
    if variable.type == "number":
        return None
    what = f"the {noun} `{variable.name}` is neither a number nor a category with levels"
    return Fault(at, what, "List its levels there, or name a number")


def _without(design: Randomization) -> str:
    return "has a stratum" if isinstance(design, Stratified) else "can be balanced"


CHECKS = (
    reading(ratio_names_the_arms, "allocation", "arms"),
    reading(covariates_are_known, "allocation", "imports.recruits"),
    reading(clusters_are_known, "allocation", "imports.recruits"),
)
