"""Decides from what was observed whether a cluster still serves, and when it is started again.

Nothing here looks at the machine: observations and times are arguments.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What the command lines of a cluster's vital processes contain, and for how many seconds the
# cluster does without: Ray replaces the last two, and none of the others.
VITAL_PARTS: Mapping[str, str] = {
    "Ray's GCS": "gcs/gcs_server",
    "Ray's raylet": "raylet/raylet",
    "Serve's controller": "ray::ServeController",
    "HAProxy's manager": "ray::HAProxyManager",
}
_REPLACED_SECONDS = {"Serve's controller": 15.0, "HAProxy's manager": 15.0}
_UNANSWERED_SECONDS = 15.0

_PAUSES_SECONDS = (0.0, 1.0, 5.0, 15.0)
_WINDOW_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Absence:
    """Since when each missing process is missing, and no router answers; 0 if one does."""

    missing: Mapping[str, float]
    unanswered: float = 0.0

    def after(self, missing: Iterable[str], *, answered: bool | None, now: float) -> "Absence":
        """The absence after a look. `answered` is None if there was no look, or no clear answer."""
        since = {name: self.missing.get(name, now) for name in missing}
        unanswered = self.unanswered
        if answered is not None:
            unanswered = 0.0 if answered else self.unanswered or now
        return Absence(since, unanswered)

    def reason_to_start_again(self, now: float) -> str:
        """Why the cluster cannot serve any more; empty while it can."""
        for name, since in self.missing.items():
            patience = _REPLACED_SECONDS.get(name, 0.0)
            if now - since >= patience:
                lasting = f" and was not replaced within {patience:.0f} s" if patience else ""
                return f"{name} ended{lasting}"
        if self.unanswered and now - self.unanswered >= _UNANSWERED_SECONDS:
            return f"no router was up for {_UNANSWERED_SECONDS:.0f} s"
        return ""


PRESENT = Absence({})


@dataclass(frozen=True, slots=True)
class Restarts:
    """When the cluster was started again, of late."""

    times: tuple[float, ...] = ()

    def after(self, now: float) -> "Restarts":
        return Restarts((*(at for at in self.times if now - at < _WINDOW_SECONDS), now))

    @property
    def pause_seconds(self) -> float:
        """How long to wait before the latest of these starts."""
        return _PAUSES_SECONDS[min(max(len(self.times) - 1, 0), len(_PAUSES_SECONDS) - 1)]

    @property
    def too_many(self) -> bool:
        """Whether starting again does not help: the cluster fails, whatever we do."""
        return len(self.times) > len(_PAUSES_SECONDS) + 1

    @property
    def summary(self) -> str:
        minutes = (self.times[-1] - self.times[0]) / 60
        return f"{len(self.times)} times in {max(minutes, 1):.0f} min"
