"""The sentence vector by which a request is routed."""

import numpy as np
import pytest

from router.api.parse import parse_chat
from router.config.config import Config
from router.routing.claims import Claims


def configured(data):
    """A router that has one plan and no specialist."""
    return Config.model_validate(
        {
            "server": {"data": str(data)},
            "backends": {"a": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}},
            "plans": {"a": {"ask": "a"}},
            "objective": {"learning": {"encode": True}},
        }
    )


@pytest.fixture
def data(tmp_path, encoders):
    (tmp_path / "encoders").symlink_to(encoders)
    return tmp_path


def vector_of(claims, config, text, *, always=True):
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "%s"}]}' % text.encode()
    request = parse_chat(body, {}, request_id="x", key_id="")
    return claims.vector(config, request, always=always)


def test_a_request_has_a_vector_without_any_specialist(data):
    vector = vector_of(Claims(), configured(data), "What is the capital of Peru?")
    assert len(vector) == 384
    assert np.linalg.norm(vector) == pytest.approx(1, abs=0.01)


def test_a_request_written_again_has_the_same_vector_of_its_own(data):
    claims, config = Claims(), configured(data)
    first = vector_of(claims, config, "What is the capital of Peru?")
    assert vector_of(claims, config, "Hi! what is the capital of Peru, please") == first
    assert vector_of(claims, config, "What is the capital of Chile?") != first


def test_a_request_is_encoded_once_however_often_its_vector_is_asked_for(data, monkeypatch):
    claims, config, encoded = Claims(), configured(data), []
    encode = claims._encode
    monkeypatch.setattr(claims, "_encode", lambda c, text: encoded.append(text) or encode(c, text))
    assert vector_of(claims, config, "What is it?") == vector_of(claims, config, "What is it?")
    assert len(encoded) == 1


def test_without_always_a_request_has_only_a_vector_that_was_made_already(data):
    assert vector_of(Claims(), configured(data), "What is it?", always=False) is None


def test_warming_loads_the_encoder_of_requests_and_says_when_it_is_done(data):
    claims = Claims()
    assert not claims.preparing
    claims.warm(configured(data))
    assert not claims.preparing
    assert vector_of(claims, configured(data), "What is it?") is not None


def test_without_an_encoder_a_request_has_no_vector(tmp_path):
    assert vector_of(Claims(), configured(tmp_path), "What is it?") is None
