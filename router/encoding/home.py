"""The encoders of this process; the process opens each exported model once."""

from functools import lru_cache
from pathlib import Path

from router.encoding.encoder import Encoder, NotExported, exported, packaged_model, prepared


def encoder_of(model: str | None, home: str | None, *, export: bool = True) -> Encoder:
    """The encoder of a model's folder; without a folder, of the packaged model.

    If the model has no export yet, `export=True` exports the model, which takes seconds;
    `export=False` raises `NotExported`.
    """
    return _encoder(model or str(packaged_model()), home or "var/encoders", export)


@lru_cache(maxsize=4)
def _encoder(model: str, home: str, export: bool) -> Encoder:
    if export:
        return Encoder(prepared(Path(model), Path(home)))
    folder = exported(Path(model), Path(home))
    if folder is None:
        raise NotExported(f"the encoder of {model} was not exported yet")
    return Encoder(folder)
