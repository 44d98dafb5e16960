"""How arms are drawn: each method of allocation is a type, so that `match` handles every one of them."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from forethought.protocol.chance import Chance
from forethought.protocol.chance import exact as exact
from forethought.protocol.values import Assumable, Name, Text, Value

MOST = 100_000
"""No ratio, block or list is larger: what is drawn from them stays within 64-bit whole numbers."""


class Dropouts(Assumable):
    """Who counts towards balance, and whether somebody who leaves is replaced."""

    count: Literal["everyone_allocated", "completed", "completed_or_in_progress"] = Field(
        description="Whose place counts towards balance. Returned submissions count only where everyone does; people "
        "who were randomised in error or twice, and test runs, never do once a correction says so."
    )
    in_progress_minutes: int | None = Field(
        default=None,
        ge=1,
        le=525_600,
        description="For `completed_or_in_progress`: how long after allocation somebody who has not finished "
        "still counts; later it is a stale start.",
    )
    replace: Literal["never", "reopen_place", "next_arrival"] = Field(
        description="What becomes of a place that no longer counts: nothing; it is drawn anew among the open "
        "places of its stratum; or the next arrival of the stratum takes its arm, first left first replaced."
    )
    statement: Text = Field(description="Why this suits the study.")


class SeedPolicy(Assumable):
    """Where the secret seeds come from, and when they are shown."""

    drawn_by: Literal["forethought", "statistician", "either"] = Field(
        description="The machine at the lock; a person, with `lock --seed-file`; or whichever is there."
    )
    revealed: Literal["at_unblinding"] = Field(
        description="Seeds stay secret until enrolment is closed and the study is unblinded."
    )


class Cap(Assumable):
    """At most so many allocations to one arm in each wave, in one stratum or in all of it."""

    arm: Name = Field(description="The arm that is limited.")
    stratum: dict[Name, Text] = Field(
        default_factory=dict, description="The stratum's variables and levels; none of them: the whole wave."
    )
    at_most: int = Field(
        ge=1,
        le=1_000_000,
        description="How many it takes; a full arm has probability zero. Where a place was given on, and its first "
        "holder counts again, there may be one more.",
    )


class Randomization(Assumable):
    """What every method has: who or what is allocated, in which ratio, and under which rules."""

    method: str = Field(description="How arms are drawn.")
    unit: Literal["participant", "cluster"] = Field(
        default="participant",
        description="What is allocated. Of a cluster, whoever comes first draws, and all others get the same arm.",
        json_schema_extra={"later": ["session"]},
    )
    cluster: Name | None = Field(
        default=None, description="For clusters: the recruitment variable that names a person's cluster."
    )
    ratio: dict[Name, Annotated[int, Field(ge=1, le=MOST)]] = Field(description="Arm to whole-number share.")
    initial_simple: int = Field(
        default=0,
        ge=0,
        le=MOST,
        description="How many of the first units of a stratum (of the wave, with minimisation) are drawn by the "
        "ratio alone. They count towards balance afterwards.",
    )
    caps: tuple[Cap, ...] = Field(default=(), description="Arms that take only so many.")
    drawn: Literal["on_arrival", "ahead"] = Field(
        default="on_arrival",
        description="Each arm is drawn when its person comes; or the whole list is drawn at the lock and sealed, "
        "one record at a time, its hash in the registration.",
    )
    list_length: int | None = Field(
        default=None,
        ge=1,
        le=MOST,
        description="For a list drawn ahead: the places of each stratum in each wave.",
    )
    dropouts: Dropouts = Field(description="What becomes of the place of somebody who leaves.")
    seed: SeedPolicy = Field(description="Where the secret seeds come from.")
    concealment: Text = Field(description="Who can know an arm before it is allocated, and why nobody can.")

    @property
    def covariates(self) -> tuple[str, ...]:
        """The recruitment variables that the draw looks at, in the order of a stratum's label."""
        return ()


class Stratified(Randomization):
    """A method that is carried out within each stratum apart."""

    strata: tuple[Name, ...] = Field(default=(), description="Recruitment variables known at allocation.")

    @property
    def covariates(self) -> tuple[str, ...]:
        return self.strata


class Simple(Randomization):
    """Simple randomisation: every arm has its share of the ratio each time, whatever came before."""

    method: Literal["simple"] = Field(description="How arms are drawn.")


class Complete(Stratified):
    """Complete randomisation: of every `size` units of a stratum, each arm gets a fixed number.

    Where the ratio does not divide the size, chance decides which arms get one unit more, so that each arm's
    expected number is its share.
    """

    method: Literal["complete"] = Field(description="How arms are drawn.")
    size: int = Field(
        ge=2, le=1_000_000, description="The units of a stratum over which the numbers are fixed."
    )


def _sealed_or_sizes(value: object) -> str:
    return "sealed" if isinstance(value, str) else "sizes"


BlockSizes = Annotated[
    Annotated[tuple[Annotated[int, Field(ge=1, le=MOST)], ...], Field(min_length=1), Tag("sizes")]
    | Annotated[Literal["sealed"], Tag("sealed")],
    Discriminator(_sealed_or_sizes),
]


class PermutedBlocks(Stratified):
    """Permuted blocks within strata; each block's size is drawn from `block_sizes`."""

    method: Literal["permuted_blocks"] = Field(
        description="How arms are drawn.",
        json_schema_extra={
            "later": ["wei_urn", "hierarchical_dynamic", "response_adaptive", "stepped_wedge"]
        },
    )
    block_sizes: BlockSizes = Field(
        description="Multiples of the ratio's sum, each equally likely; or `sealed`: they are kept in `secrets/` "
        "and committed to in the registration."
    )


class BiasedCoin(Stratified):
    """Efron's biased coin: the arms that are furthest behind their share have `chance` together.

    With two equal arms this is Efron (1971, Biometrika 58:403). Where no arm is behind, the ratio decides.
    """

    method: Literal["biased_coin"] = Field(description="How arms are drawn.")
    chance: Chance = Field(description='The probability of the arms behind, such as "2/3".')


class BigStick(Stratified):
    """The big stick: the ratio decides until an arm is `tolerance` ahead, which then waits for the others.

    Soares and Wu (1983, Communications in Statistics 12:2017) for two equal arms. How far an arm is ahead is
    counted in shares: its units divided by its share, against the arm that is furthest behind.
    """

    method: Literal["big_stick"] = Field(description="How arms are drawn.")
    tolerance: int = Field(ge=1, le=MOST, description="How far ahead an arm may be.")


class BlockUrn(Stratified):
    """The block urn: as permuted blocks, but a balanced set goes back into the urn as soon as it is complete.

    Zhao and Weng (2011, Contemporary Clinical Trials 32:953).
    """

    method: Literal["block_urn"] = Field(description="How arms are drawn.")
    block_size: int = Field(ge=2, le=MOST, description="The balls in the urn: a multiple of the ratio's sum.")


class Factor(Value):
    """A variable whose levels minimisation balances."""

    name: Name = Field(description="A category of imports.recruits.variables.")
    weight: int = Field(default=1, ge=1, le=1_000, description="How much its imbalance counts.")


class Minimization(Randomization):
    """Minimisation: the arm that would leave the smallest imbalance over the factors has the highest chance.

    Pocock and Simon (1975, Biometrics 31:103); unequal ratios as Han, Enas and McEntegart (2009, Statistics in
    Medicine 28:3329), which keeps each arm's share in the long run.
    """

    method: Literal["minimization"] = Field(description="How arms are drawn.")
    factors: tuple[Factor, ...] = Field(min_length=1, description="What is balanced.")
    imbalance: Literal["range", "variance", "standard_deviation"] = Field(
        description="How the numbers of one factor level in the arms are compared."
    )
    chance: Chance = Field(description="The probability of the best arm; below 1, so that it stays random.")

    @property
    def covariates(self) -> tuple[str, ...]:
        return tuple(factor.name for factor in self.factors)


class Rerandomization(Randomization):
    """Rerandomisation: those who wait are allocated together, anew until the arms are alike enough.

    Morgan and Rubin (2012, Annals of Statistics 40:1263). The arms have equal shares.
    """

    method: Literal["rerandomization"] = Field(description="How arms are drawn.")
    variables: tuple[Name, ...] = Field(
        min_length=1, description="Recruitment variables to be balanced: numbers, or categories with levels."
    )
    criterion: Literal["mahalanobis", "standardized_difference"] = Field(
        description="The arms' distance: the sum over arms of the Mahalanobis distance of their means from the mean of "
        "all, by the covariance of the mean; or the largest difference of two arms' means, in SDs."
    )
    at_most: float = Field(gt=0, description="The distance that is accepted.")
    most_draws: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="After so many draws the closest is refused, not taken.",
    )

    @property
    def covariates(self) -> tuple[str, ...]:
        return self.variables


class NoAllocation(Value):
    """The study is not randomised; the short form is `allocation: none`."""

    method: Literal["none"] = Field(default="none", description="Nobody is allocated to anything.")


Design = (
    Simple | Complete | PermutedBlocks | BiasedCoin | BigStick | BlockUrn | Minimization | Rerandomization
)
"""Every method of this release."""

_ALGORITHMS: Mapping[str, str] = {
    "simple": "simple/1",
    "complete": "complete/1",
    "permuted_blocks": "permuted-blocks/2",
    "biased_coin": "biased-coin/1",
    "big_stick": "big-stick/1",
    "block_urn": "block-urn/1",
    "minimization": "minimization/1",
    "rerandomization": "rerandomization/1",
}


def algorithm(design: Randomization) -> str:
    """The name of the exact arithmetic by which this release draws the arms of a new study."""
    return _ALGORITHMS[str(_method(design))]


def _method(value: object) -> object:
    """The allocation's method: the short form is the method itself."""
    if isinstance(value, Mapping):
        return value.get("method")
    return value if isinstance(value, str) else getattr(value, "method", None)


def _long_form(value: object) -> object:
    return {"method": "none"} if value == "none" else value


# A validator of the whole field would hand its lists on as Python's, which strict tuples refuse.
Allocation = Annotated[
    Annotated[Simple, Tag("simple")]
    | Annotated[Complete, Tag("complete")]
    | Annotated[PermutedBlocks, Tag("permuted_blocks")]
    | Annotated[BiasedCoin, Tag("biased_coin")]
    | Annotated[BigStick, Tag("big_stick")]
    | Annotated[BlockUrn, Tag("block_urn")]
    | Annotated[Minimization, Tag("minimization")]
    | Annotated[Rerandomization, Tag("rerandomization")]
    | Annotated[
        NoAllocation,
        BeforeValidator(_long_form, json_schema_input_type=NoAllocation | Literal["none"]),
        Tag("none"),
    ],
    Discriminator(_method),
]
