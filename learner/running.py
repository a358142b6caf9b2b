"""River's running statistics, made to go on from what a snapshot holds.

The arithmetic is River's, and only its public names are used. A running mean continues exactly
where it stopped: one update with the old mean, weighted by the old count, brings it there. The
first value of an exponentially weighted mean is its mean.
"""

from river import stats

_FADE = 0.03


class FadingMean:
    """River's exponentially weighted mean; None until the first value."""

    def __init__(self, mean: float | None = None) -> None:
        self._mean = stats.EWMean(fading_factor=_FADE)
        self._empty = True
        if mean is not None:
            self.update(mean)

    def update(self, value: float) -> None:
        self._mean.update(value)
        self._empty = False

    @property
    def mean(self) -> float | None:
        return None if self._empty else self._mean.get()


def restored_mean(count: float, mean: float) -> stats.Mean:
    """River's running mean as it stood after `count` values."""
    restored = stats.Mean()
    if count:
        restored.update(mean, w=count)
    return restored
