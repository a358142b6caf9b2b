import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from router.encoding.encoder import Encoder, packaged_model, prepared

_RAY_TESTS = "waggle/ray_tests"


class OneService(LoadScopeScheduling):
    """Give all tests marked `ray` to one worker, first of all: one service runs at a time.

    `--dist loadgroup` does not find its marks under pytest 9.2, and the scheduler cannot read other
    marks. So each worker writes the names of these tests to pytest's cache for the scheduler.
    """

    def schedule(self) -> None:
        self._ray_tests = frozenset(self.config.cache.get(_RAY_TESTS, []))
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        return "service" if nodeid in self._ray_tests else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return OneService(config, log) if config.getvalue("dist") == "load" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        ray_tests = [item.nodeid for item in items if item.get_closest_marker("ray")]
        config.cache.set(_RAY_TESTS, ray_tests)


# No deadline: the time that an example takes on a shared machine means nothing.
settings.register_profile(
    "waggle", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("waggle")


@pytest.fixture(scope="session")
def encoders():
    """The folder of the exported encoder, kept from one test run to the next.

    The folder's name is the model's fingerprint; a lock and a rename keep parallel and killed runs
    from leaving half of an export.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "waggle-tests" / "encoders"
    prepared(packaged_model(), home)
    return home


@pytest.fixture(scope="session")
def encoder(encoders):
    return Encoder(prepared(packaged_model(), encoders))
