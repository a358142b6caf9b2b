"""`python -m router.encoding.export MODEL FOLDER`: a sentence-transformers model as int8 ONNX.

Done once, in a process that may need torch and its memory, so that those who serve need neither.
What does not give the vectors that the model gives is not kept.
"""

import json
import shutil
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

_ALIKE = 0.97  # cosine to the model's own vectors; int8 rounding costs about a hundredth
_TRIED = (
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
    wanted = loaded.encode(list(_TRIED), normalize_embeddings=True, show_progress_bar=False)

    class Sentences(torch.nn.Module):
        """Ids and mask in, vectors of length one out, whatever pooling the model has."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = loaded

        def forward(self, ids: Any, mask: Any) -> Any:
            told = self.inner({"input_ids": ids, "attention_mask": mask})
            return torch.nn.functional.normalize(told["sentence_embedding"], dim=-1)

    example = (torch.ones(2, 8, dtype=torch.long), torch.ones(2, 8, dtype=torch.long))
    axes = {"ids": {0: "texts", 1: "tokens"}, "mask": {0: "texts", 1: "tokens"}}
    with tempfile.TemporaryDirectory() as beside:
        whole, small = Path(beside) / "whole.onnx", Path(beside) / "small.onnx"
        with torch.no_grad():
            torch.onnx.export(
                Sentences(),
                example,
                str(whole),
                input_names=["ids", "mask"],
                output_names=["vectors"],
                dynamic_axes=axes | {"vectors": {0: "texts"}},
                opset_version=17,
                dynamo=False,
            )
        _quantised(whole, small)
        settings = {"dimensions": int(wanted.shape[1]), "most_tokens": loaded.max_seq_length or 256}
        for path in (small, whole):
            made = Path(beside) / "made"
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            shutil.copy(path, made / "model.onnx")
            shutil.copy(model / "tokenizer.json", made / "tokenizer.json")
            (made / "encoder.json").write_text(json.dumps(settings))
            if _alike(made, wanted):
                _into(made, folder)
                return
    raise SystemExit("the exported model gives other vectors than the model itself")


def _quantised(whole: Path, small: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # One scale for each row of a weight: with one for all of it, vectors were off by .05.
    quantize_dynamic(str(whole), str(small), weight_type=QuantType.QInt8, per_channel=True)


def _alike(made: Path, wanted: Any) -> bool:
    from router.encoding.encoder import Encoder

    vectors = Encoder(made).encode(list(_TRIED))
    return bool(((vectors * wanted).sum(axis=1) > _ALIKE).all())


def _into(made: Path, folder: Path) -> None:
    """Written beside and renamed: a folder that is there is whole."""
    beside = folder.with_name(folder.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(made, beside)
    beside.rename(folder)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    export(Path(sys.argv[1]), Path(sys.argv[2]))
