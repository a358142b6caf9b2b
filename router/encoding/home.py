"""Encoders by the folder of their model, each loaded once in a process."""

from functools import lru_cache
from pathlib import Path

from router.encoding.encoder import Encoder, fingerprint, packaged_model, prepared


def encoder_of(model: str | None, home: str | None, *, export: bool = True) -> Encoder:
    """The encoder of a model's folder. `export`: make it ready now if it never was, which takes
    seconds; else that is a `LookupError`."""
    return _encoder(model or str(packaged_model()), home or "var/encoders", export)


@lru_cache(maxsize=4)
def _encoder(model: str, home: str, export: bool) -> Encoder:
    if export:
        return Encoder(prepared(Path(model), Path(home)))
    folder = Path(home) / fingerprint(Path(model))
    if not (folder / "encoder.json").is_file():
        raise LookupError(f"the encoder of {model} was not exported yet")
    return Encoder(folder)
