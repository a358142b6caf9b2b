"""What `make env` prepares is taken over by the first start on a data folder."""

import sys

import numpy as np
import pytest

from router.documents.indexing import SHIPPED_DOCUMENTS, installed_index, refresh
from router.encoding.encoder import (
    PRECISE,
    SETTINGS_FILE,
    exported,
    fingerprint,
    installed_with_waggle,
    packaged_model,
    prepared,
)


class CountingEncoder:
    """Encodes each text as the same vector, and keeps the texts."""

    name, dimensions = "counting", 2

    def __init__(self):
        self.texts = []

    def encode(self, texts):
        self.texts += texts
        return np.ones((len(texts), self.dimensions), dtype=np.float32)


@pytest.fixture
def installation(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    return installed_with_waggle()


def test_an_installed_export_is_copied_into_the_data_folder(installation, tmp_path):
    model, data = packaged_model(), tmp_path / "encoders"
    made = installation / "encoders" / fingerprint(model)
    made.mkdir(parents=True)
    for name in (SETTINGS_FILE, PRECISE):
        (made / name).write_text("{}")
    folder = prepared(model, data)
    assert folder == exported(model, data) == data / made.name
    assert not folder.is_symlink()


def test_shipped_documents_are_not_encoded_again(installation, tmp_path):
    shipped, encoder = SHIPPED_DOCUMENTS / "football", CountingEncoder()
    refresh(shipped, installed_index(shipped), encoder)
    passages = len(encoder.texts)
    encoder.texts.clear()
    report = refresh(shipped, tmp_path / "football", encoder)
    assert report.changed
    assert report.passages > 0
    assert report.fresh == 0
    assert len(encoder.texts) < passages / 2  # only the background


def test_other_documents_with_the_name_of_shipped_ones_are_read(installation, tmp_path):
    shipped, encoder = SHIPPED_DOCUMENTS / "football", CountingEncoder()
    refresh(shipped, installed_index(shipped), encoder)
    own = tmp_path / "football"
    own.mkdir()
    for file in shipped.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    assert refresh(own, tmp_path / "index", encoder).fresh > 0
