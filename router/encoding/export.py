"""`python -m router.encoding.export MODEL FOLDER`: export a sentence-transformers model to
ONNX, rounded to int8 and precise.

The export runs in a process of its own, because only the export needs torch and its memory. It
keeps no export whose vectors differ from the vectors of the model.
"""

import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from router.encoding.encoder import PRECISE, ROUNDED, SETTINGS_FILE, Encoder
from router.files import whole_folder

_LEAST_PRECISE = 0.9999  # least cosine of the precise export to the model's own vectors
_LEAST_COSINE = 0.97  # least cosine to the model's own vectors; int8 rounding costs about 0.01
_LEAST_WEIGHTS = 1024  # bytes; smaller tensors stay in the model's file
_PROBES = (
    "How long does it take?",
    "The quick brown fox jumps over the lazy dog.",
    "A validator that signs two blocks for one slot loses part of its deposit.",
    "Goalkeepers may not pick up a ball that a team-mate kicked to them.",
    "zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich",
)


def export(model: Path, folder: Path) -> None:
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    loaded = SentenceTransformer(str(model), device="cpu", local_files_only=True)
    wanted = loaded.encode(list(_PROBES), normalize_embeddings=True, show_progress_bar=False)
    settings = {"dimensions": int(wanted.shape[1]), "most_tokens": loaded.max_seq_length or 256}
    with tempfile.TemporaryDirectory() as scratch, whole_folder(folder) as target:
        quantised = Path(scratch) / "quantised.onnx"
        _write_onnx(loaded, target / PRECISE)
        quantise(target / PRECISE, quantised)
        part_weights(target / PRECISE, target / PRECISE)
        shutil.copy(model / "tokenizer.json", target / "tokenizer.json")
        (target / SETTINGS_FILE).write_text(json.dumps(settings))
        if not _alike(Encoder(target, PRECISE), wanted, _LEAST_PRECISE):
            raise SystemExit("the exported model gives other vectors than the model itself")
        part_weights(quantised, target / ROUNDED)
        if not _alike(Encoder(target), wanted, _LEAST_COSINE):
            for file in target.glob(f"{ROUNDED}*"):
                file.unlink()
            os.link(target / PRECISE, target / ROUNDED)


def _alike(encoder: Encoder, wanted: Any, least: float) -> bool:
    return bool(((encoder.encode(_PROBES) * wanted).sum(axis=1) > least).all())


def _write_onnx(loaded: Any, path: Path) -> None:
    """Write a model that turns token ids and a mask into vectors of length one."""
    import torch

    class Sentences(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = loaded

        def forward(self, ids: Any, mask: Any) -> Any:
            features = self.inner({"input_ids": ids, "attention_mask": mask})
            return torch.nn.functional.normalize(features["sentence_embedding"], dim=-1)

    example = (torch.ones(2, 8, dtype=torch.long), torch.ones(2, 8, dtype=torch.long))
    axes = {"ids": {0: "texts", 1: "tokens"}, "mask": {0: "texts", 1: "tokens"}}
    with torch.no_grad():
        torch.onnx.export(
            Sentences(),
            example,
            str(path),
            input_names=["ids", "mask"],
            output_names=["vectors"],
            dynamic_axes=axes | {"vectors": {0: "texts"}},
            opset_version=17,
            dynamo=False,
        )


def part_weights(model: Path, target: Path) -> None:
    """Write a model with its weights in a file beside it, `TARGET.weights`.

    Processes map that file into memory and share it; weights within a model are read into each.
    """
    import onnx

    whole, weights = onnx.load(str(model)), target.with_name(f"{target.name}.weights")
    weights.unlink(missing_ok=True)  # onnx would append to it
    onnx.save_model(
        whole,
        str(target),
        save_as_external_data=True,
        location=weights.name,
        size_threshold=_LEAST_WEIGHTS,
    )
    weights.chmod(target.stat().st_mode)  # onnx closes it to all but its owner


def quantise(full: Path, quantised: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # Each row of a weight has its own scale; with one scale for all rows, vectors were off by .05.
    quantize_dynamic(str(full), str(quantised), weight_type=QuantType.QInt8, per_channel=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    export(Path(sys.argv[1]), Path(sys.argv[2]))
