import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

from router.encoding.encoder import Encoder, packaged_model, prepared


class OneService(LoadScopeScheduling):
    """One running service at a time, from the first moment, however many tests run beside it.

    `--dist loadgroup` says as much, but does not see its own marks under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return "service" if nodeid.startswith("tests/serve/") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return OneService(config, log)


# Timing on shared machines says nothing; what an example does must not depend on it.
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
