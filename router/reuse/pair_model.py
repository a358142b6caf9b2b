"""`python -m router.reuse.pair_model MODEL PARAMETERS FOLDER`: write the pair verifier as ONNX.

The export adds the trained parameters (`verifier.npz`) to the matrices of the packaged sentence
encoder. It runs in a process of its own, because only the export needs torch and its memory, and
keeps no export whose answers differ from those of the trained model.
"""

import json
import shutil
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from router.encoding.export import quantise
from router.files import whole_folder
from router.reuse.verifier import MOST_TOKENS, SETTINGS_FILE, PairVerifier

_MOST_APART = 0.75  # of a logit, on the probes; int8 rounding costs about .2
_PROBES = (
    ("How do I reverse a list in Python?", "python reverse a list"),
    ("What causes earthquakes?", "Why do earthquakes happen?"),
    ("How do I invite my boss?", "How do I fire my boss?"),
    ("why is the sky blue", "What colour is the sky in a long winter night at the north pole?"),
)


def merged(model: Path, parameters: Mapping[str, np.ndarray]) -> Any:
    """The model with its trained parameters, as one torch module."""
    import torch
    from transformers import BertModel

    bert = BertModel.from_pretrained(
        str(model), add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
    )
    own = dict(bert.named_parameters())
    for name, values in parameters.items():
        if name.startswith("bert.") and name.endswith(".down"):
            up = name.removesuffix(".down") + ".up"
            down_values = values.astype(np.float32) * parameters[name + ".scale"][:, None]
            up_values = parameters[up].astype(np.float32) * parameters[up + ".scale"][:, None]
            weight = own[name.removeprefix("bert.").removesuffix("down") + "weight"]
            weight.data += torch.from_numpy(up_values.T @ down_values)
        elif name.startswith("bert.") and not name.endswith((".up", ".scale")):
            own[name.removeprefix("bert.")].data.copy_(torch.from_numpy(values.astype(np.float32)))

    class Pairs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert = bert
            self.head = torch.nn.Linear(3 * bert.config.hidden_size, 1)
            self.head.weight.data.copy_(
                torch.from_numpy(parameters["head.weight"].astype(np.float32))
            )
            self.head.bias.data.copy_(torch.from_numpy(parameters["head.bias"].astype(np.float32)))

        def forward(self, ids: Any, kinds: Any) -> Any:
            first, second = (kinds == 1).float().unsqueeze(2), (kinds == 2).float().unsqueeze(2)
            hidden = self.bert(
                input_ids=ids,
                attention_mask=(kinds > 0).long(),
                token_type_ids=(kinds == 2).long(),
            ).last_hidden_state
            means = [(hidden * kind).sum(1) / kind.sum(1) for kind in (first, second)]
            features = [hidden[:, 0], (means[0] - means[1]).abs(), means[0] * means[1]]
            return self.head(torch.cat(features, dim=1))[:, 0]

    return Pairs().eval()


def export(model: Path, parameters: Path, folder: Path) -> None:
    import torch

    torch.set_num_threads(1)
    stored = dict(np.load(parameters))
    module = merged(model, stored)
    with tempfile.TemporaryDirectory() as scratch, whole_folder(folder) as target:
        full, quantised = Path(scratch) / "full.onnx", Path(scratch) / "quantised.onnx"
        example = (torch.ones(2, 8, dtype=torch.long), torch.ones(2, 8, dtype=torch.long))
        example[1][:, 4:] = 2
        axes = {name: {0: "pairs", 1: "tokens"} for name in ("ids", "kinds")}
        with torch.no_grad():
            torch.onnx.export(
                module, example, str(full), input_names=["ids", "kinds"], output_names=["logits"],
                dynamic_axes=axes | {"logits": {0: "pairs"}}, opset_version=17, dynamo=False,
            )  # fmt: skip
        quantise(full, quantised)
        shutil.copy(model / "tokenizer.json", target / "tokenizer.json")
        settings = {"most_tokens": MOST_TOKENS, "calibration": stored["calibration"].tolist()}
        (target / SETTINGS_FILE).write_text(json.dumps(settings))
        shutil.copy(full, target / "model.onnx")
        wanted = PairVerifier(target).logits(_PROBES)
        shutil.copy(quantised, target / "model.onnx")
        if np.abs(PairVerifier(target).logits(_PROBES) - wanted).max() > _MOST_APART:
            shutil.copy(full, target / "model.onnx")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    export(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
