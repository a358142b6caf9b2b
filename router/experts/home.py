"""Encoders by the folder of their model, each loaded once in a process."""

from functools import lru_cache
from pathlib import Path

from router.encoding.encoder import Encoder, packaged_model, prepared


def encoder_of(model: str | None, home: str | None) -> Encoder:
    return _encoder(model or str(packaged_model()), home or "var/encoders")


@lru_cache(maxsize=4)
def _encoder(model: str, home: str) -> Encoder:
    return Encoder(prepared(Path(model), Path(home)))
