"""A configuration whose bandit learns, and a folder of telemetry for it."""

import pytest

from tests.learning.traffic import configured
from tests.telemetry.stored import Stored


@pytest.fixture
def config(tmp_path):
    return configured(tmp_path)


@pytest.fixture
def stored(config):
    stored = Stored(config.telemetry_folder)
    yield stored
    stored.close()
