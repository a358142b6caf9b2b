import pytest


@pytest.fixture
def data(tmp_path, encoders):
    """A data folder that already has the exported encoder."""
    (tmp_path / "encoders").symlink_to(encoders)
    return tmp_path
