import pytest
from hypothesis import HealthCheck, settings

from router.encoding.encoder import Encoder, packaged_model, prepared

# Timing on shared machines says nothing; what an example does must not depend on it.
settings.register_profile(
    "waggle", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.load_profile("waggle")


@pytest.fixture(scope="session")
def encoders(tmp_path_factory):
    """The exported encoder's home, exported once for all tests of a run."""
    root = tmp_path_factory.getbasetemp()
    home = (root.parent if root.name.startswith("popen-") else root) / "encoders"
    prepared(packaged_model(), home)
    return home


@pytest.fixture(scope="session")
def encoder(encoders):
    return Encoder(prepared(packaged_model(), encoders))
