"""Adapters of language models: low-rank matrices beside the weights of linear layers (LoRA).

Files are those of the library PEFT (`adapter_config.json`, `adapter_model.safetensors`), so that an
adapter can be used elsewhere, and one from elsewhere here. Whoever imports this module needs torch.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import nn

from router.models.card import BrokenModel

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
_MISFITS = (ArithmeticError, AttributeError, KeyError, RuntimeError, TypeError, ValueError)


class Lora(nn.Module):
    """A linear layer with an adapter, which adds nothing until it is trained."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float) -> None:
        super().__init__()
        kind: Any = {"device": base.weight.device, "dtype": torch.float32}
        self.base, self.scale, self.on = base, alpha / rank, True
        self.down = nn.Parameter(torch.empty(rank, base.in_features, **kind))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank, **kind))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.base(inputs)
        if not self.on:
            return answer
        added = inputs.to(self.down.dtype) @ self.down.T @ self.up.T
        return answer + (self.scale * added).to(answer.dtype)


def attached(model: nn.Module, rank: int, alpha: float) -> dict[str, Lora]:
    """Freeze a model, and put an adapter beside each linear layer; the adapters by the names of
    their layers."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    names = [name for name, layer in model.named_modules() if isinstance(layer, nn.Linear)]
    adapters = {}
    for name in names:
        parent, _, own = name.rpartition(".")
        holder = model.get_submodule(parent)
        adapters[name] = Lora(getattr(holder, own), rank, alpha)
        setattr(holder, own, adapters[name])
    return adapters


@contextmanager
def without(adapters: Mapping[str, Lora]) -> Iterator[None]:
    """The model as it was before its adapters."""
    for adapter in adapters.values():
        adapter.on = False
    try:
        yield
    finally:
        for adapter in adapters.values():
            adapter.on = True


def files_of(adapters: Mapping[str, Lora], base: str) -> dict[str, bytes]:
    """The files of trained adapters; `base` says which model they belong to."""
    first = next(iter(adapters.values()))
    rank = first.down.shape[0]
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": first.scale * rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "target_modules": sorted({name.rpartition(".")[2] for name in adapters}),
    }
    tensors = {}
    for name, adapter in adapters.items():
        tensors[f"{_PREFIX}{name}.lora_A.weight"] = adapter.down.detach().cpu().contiguous()
        tensors[f"{_PREFIX}{name}.lora_B.weight"] = adapter.up.detach().cpu().contiguous()
    return {CONFIG: json.dumps(config, indent=1).encode(), WEIGHTS: save(tensors)}


def merge(model: nn.Module, files: Mapping[str, bytes], what: str) -> None:
    """Add an adapter to the weights of its model; `what` names the adapter in an error."""
    try:
        config, tensors = json.loads(files[CONFIG]), load(files[WEIGHTS])
        scale = float(config["lora_alpha"]) / int(config["r"])
        for key, down in tensors.items():
            if not key.endswith(".lora_A.weight"):
                continue
            name = key.removeprefix(_PREFIX).removesuffix(".lora_A.weight")
            up = tensors[key.replace(".lora_A.", ".lora_B.")]
            layer: Any = model.get_submodule(name)
            added = scale * (up.float() @ down.float())
            # A new weight: that of the last layer may be shared with the one that reads tokens.
            layer.weight = nn.Parameter(
                layer.weight.detach() + added.to(layer.weight.device, layer.weight.dtype),
                requires_grad=False,
            )
    except (SafetensorError, *_MISFITS) as error:
        wrong = f"{what} does not fit the model that it is used with ({error})"
        raise BrokenModel(f"{wrong}: use the model that its card names") from None
