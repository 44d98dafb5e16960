"""The studentised range: the largest difference between k means, as Tukey's method needs it."""

from scipy.special import ndtr

from forethought.analysis.emmeans.quadrature import normal_nodes, scale_nodes


def studentized_range_p(q: float, k: int, df: float) -> float:
    """The probability that k means differ by q standard errors of a mean or more; to 1e-10 absolute.

    k integral phi(z) (Phi(z + q s) - Phi(z))^(k - 1) dz over the distribution of s. Below 1e-10 it is rounding.
    """
    return 1 - _within(q, k, df)


def studentized_range_quantile(level: float, k: int, df: float) -> float:
    """The q within which all differences between k means lie with this probability; to 1e-10 of itself."""
    from scipy.optimize import brentq

    high = 4.0
    while _within(high, k, df) < level:
        high *= 2
    return float(brentq(lambda q: _within(q, k, df) - level, 0.0, high, xtol=1e-10, rtol=1e-10))


def _within(q: float, k: int, df: float) -> float:
    z, s = normal_nodes(), scale_nodes(df)
    reach = ndtr(z.at + q * s.at[:, None]) - ndtr(z.at)
    return float(s.weights @ (k * reach ** (k - 1) @ z.weights))
