import pytest


@pytest.fixture
def data(tmp_path, encoders):
    """A data folder in which the encoder is exported already."""
    (tmp_path / "encoders").symlink_to(encoders)
    return tmp_path
