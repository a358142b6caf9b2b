"""All rules that name impossible parameters of a calculation, by method."""

from collections.abc import Callable, Mapping

from sandbox.judging import algebra, dates, finance, inference, probability, units

IMPOSSIBLE: Mapping[str, Callable[..., str]] = {
    **probability.IMPOSSIBLE,
    **inference.IMPOSSIBLE,
    **finance.IMPOSSIBLE,
    **dates.IMPOSSIBLE,
    **units.IMPOSSIBLE,
    **algebra.IMPOSSIBLE,
}
