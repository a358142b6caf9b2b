"""River's running statistics, restored from a snapshot.

The arithmetic is River's, and only River's public names are used. To restore a running mean
exactly, one update adds the old mean with the old count as its weight. To restore an exponentially
weighted mean, one update adds the old mean as the first value.
"""

from river import stats

_FADE = 0.03


class FadingMean:
    """River's exponentially weighted mean, which is None until the first value."""

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
    """River's running mean in the state that it had after `count` values."""
    restored = stats.Mean()
    if count:
        restored.update(mean, w=count)
    return restored
