"""`python -m experiments.reuse.verifier.train`: train the pair verifier and write its parameters.

The verifier reads two requests side by side with the packaged sentence encoder, of which it changes
little: low-rank additions to its matrices, its scales, and a head. These parameters, rounded to
eight bits, are the file. The same pairs and the same seed give the same file on the same machine;
on another processor, figures move in the third digit. A GPU takes minutes, two cores take hours.
"""

import argparse
import gzip
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

RANK = 5
MOST_TOKENS = 128
_TARGETS = ("query", "key", "value", "dense")


class Added(nn.Module):
    """A linear layer with a low-rank addition."""

    def __init__(self, inner: nn.Linear, rank: int) -> None:
        super().__init__()
        self.inner = inner
        self.down = nn.Parameter(torch.randn(rank, inner.in_features) / inner.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(inner.out_features, rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        plain: torch.Tensor = self.inner(x)
        return plain + (x @ self.down.T) @ self.up.T


class Verifier(nn.Module):
    def __init__(self, folder: Path, rank: int) -> None:
        super().__init__()
        from transformers import AutoConfig, BertModel

        config = AutoConfig.from_pretrained(folder)
        self.bert: Any = BertModel.from_pretrained(
            folder, add_pooling_layer=False, attn_implementation="eager", dtype=torch.float32
        )
        self.bert.requires_grad_(False)
        for layer in self.bert.encoder.layer:
            for parent in (
                layer.attention.self,
                layer.attention.output,
                layer.intermediate,
                layer.output,
            ):
                for name in _TARGETS:
                    if isinstance(getattr(parent, name, None), nn.Linear):
                        setattr(parent, name, Added(getattr(parent, name), rank))
        for name, parameter in self.bert.named_parameters():
            if "LayerNorm" in name:
                parameter.requires_grad_(True)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(3 * config.hidden_size, 1)

    def forward(self, ids: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        """`kinds` is 1 for tokens of the first text, 2 for those of the second, 0 for padding."""
        mask = (kinds > 0).long()
        hidden = self.bert(
            input_ids=ids, attention_mask=mask, token_type_ids=(kinds == 2).long()
        ).last_hidden_state
        first = _mean(hidden, kinds == 1)
        second = _mean(hidden, kinds == 2)
        features = torch.cat([hidden[:, 0], (first - second).abs(), first * second], dim=1)
        logits: torch.Tensor = self.head(self.drop(features))
        return logits[:, 0]


def _mean(hidden: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    weights = chosen.unsqueeze(2).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def changed(model: Verifier) -> dict[str, np.ndarray]:
    """The trained parameters as they are stored: matrices in eight bits, a scale for each row."""
    stored: dict[str, np.ndarray] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        values = parameter.detach().float().cpu().numpy()
        if name.endswith((".down", ".up")):
            rows = values if name.endswith(".down") else values.T  # one scale for each rank
            scale = np.abs(rows).max(axis=1, keepdims=True) / 127 + 1e-12
            stored[name] = np.round(rows / scale).astype(np.int8)
            stored[name + ".scale"] = scale[:, 0].astype(np.float32)
        else:
            stored[name] = values.astype(np.float16)
    return stored


def put(model: Verifier, stored: dict[str, np.ndarray]) -> None:
    """The stored parameters, back into the model."""
    own = dict(model.named_parameters())
    for name, values in stored.items():
        if name.endswith(".scale"):
            continue
        full = values.astype(np.float32)
        if name + ".scale" in stored:
            full = full * stored[name + ".scale"][:, None]
            full = full if name.endswith(".down") else full.T
        own[name].data.copy_(torch.from_numpy(np.ascontiguousarray(full)))


def held_out(text: str) -> bool:
    """Whether pairs of this first request are kept from training."""
    digest = hashlib.blake2b(text.strip().lower().encode(), digest_size=2).digest()
    return digest[0] % 16 == 0


class Pairs:
    """All pairs as tokens; a pair is held out by the hash of its second text's words."""

    def __init__(self, path: Path, tokenizer: Tokenizer) -> None:
        with gzip.open(path, "rt") as file:
            self.rows = [json.loads(line) for line in file]
        tokenizer.no_padding()
        tokenizer.enable_truncation(MOST_TOKENS // 2)
        self.first = [e.ids for e in tokenizer.encode_batch([row["a"] for row in self.rows])]
        self.second = [e.ids[1:] for e in tokenizer.encode_batch([row["b"] for row in self.rows])]
        self.labels = np.array([row["label"] for row in self.rows], dtype=np.float32)
        self.weights = np.array([row["weight"] for row in self.rows], dtype=np.float32)
        held = [held_out(row["a"]) for row in self.rows]
        self.held = np.array(held)

    def batch(
        self, chosen: np.ndarray, device: str, turned: np.ndarray
    ) -> tuple[torch.Tensor, torch.Tensor]:
        pairs = []
        for at, turn in zip(chosen.tolist(), turned.tolist(), strict=True):
            a, b = self.first[at], self.second[at]
            if turn:  # the second request first
                a, b = [a[0], *b], a[1:]
            pairs.append((a, b))
        longest = max(len(a) + len(b) for a, b in pairs)
        ids = np.zeros((len(pairs), longest), dtype=np.int64)
        kinds = np.zeros((len(pairs), longest), dtype=np.int64)
        for n, (a, b) in enumerate(pairs):
            ids[n, : len(a)], ids[n, len(a) : len(a) + len(b)] = a, b
            kinds[n, : len(a)], kinds[n, len(a) : len(a) + len(b)] = 1, 2
        return torch.from_numpy(ids).to(device), torch.from_numpy(kinds).to(device)


def scores(model: Verifier, data: Pairs, chosen: np.ndarray, device: str) -> np.ndarray:
    """The logits of pairs, the mean of both orders."""
    model.eval()
    logits = np.zeros(len(chosen), dtype=np.float32)
    with torch.no_grad():
        for start in range(0, len(chosen), 256):
            part = chosen[start : start + 256]
            both = [
                model(*data.batch(part, device, np.full(len(part), turn))) for turn in (False, True)
            ]
            logits[start : start + 256] = ((both[0] + both[1]) / 2).float().cpu().numpy()
    model.train()
    return logits


def train(
    model: Verifier,
    data: Pairs,
    *,
    device: str,
    epochs: int,
    rate: float,
    size: int,
    seed: int,
    batch: int = 128,
) -> None:
    chance = np.random.default_rng(seed)
    training = np.flatnonzero(~data.held)
    if size:
        training = chance.permutation(training)[:size]
    lengths = np.array([len(a) + len(b) for a, b in zip(data.first, data.second, strict=True)])
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    total = epochs * (len(training) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=total + 1, pct_start=0.06
    )
    loss_of = nn.BCEWithLogitsLoss(reduction="none")
    model.train()
    begun, step = time.time(), 0
    for epoch in range(epochs):
        order = training[np.argsort(lengths[training] + chance.random(len(training)) * 8)]
        batches = order[: len(order) // batch * batch].reshape(-1, batch)
        total_loss = 0.0
        for part in batches[chance.permutation(len(batches))]:
            logits = model(*data.batch(part, device, chance.random(batch) < 0.5))
            labels = torch.from_numpy(data.labels[part]).to(device)
            weights = torch.from_numpy(data.weights[part]).to(device)
            loss = (loss_of(logits, labels) * weights).mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            schedule.step()
            total_loss += loss.detach()
            step += 1
        print(
            f"epoch {epoch}: loss {float(total_loss) / len(batches):.4f}, "
            f"{time.time() - begun:.0f} s",
            flush=True,
        )


def report(data: Pairs, logits: np.ndarray, chosen: np.ndarray) -> dict[str, Any]:
    """How many pairs that ask the same are accepted where few others are."""
    labels = data.labels[chosen] > 0.5
    result: dict[str, Any] = {
        "pairs": len(chosen),
        "accuracy": round(float(((logits > 0) == labels).mean()), 4),
    }
    qqp = np.array([data.rows[at]["kind"] == "qqp" for at in chosen])
    result["accuracy_qqp"] = round(float(((logits > 0) == labels)[qqp].mean()), 4)
    made = np.array(
        [
            data.rows[at]["kind"].split("_")[0] not in ("qqp", "stsb", "mrpc", "gsmplus")
            for at in chosen
        ]
    )
    for share in (0.01, 0.02, 0.05):
        cut = float(np.quantile(logits[~labels & made], 1 - share))
        result[f"qqp_recall_at_{share}_of_made"] = round(
            float((logits[labels & qqp] > cut).mean()), 4
        )
        result[f"qqp_others_at_{share}_of_made"] = round(
            float((logits[~labels & qqp] > cut).mean()), 4
        )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, default=Path("var/reuse/pairs.jsonl.gz"))
    parser.add_argument(
        "--model", type=Path, help="the encoder's folder; by default the packaged one"
    )
    parser.add_argument("--out", type=Path, default=Path("router/reuse/verifier.npz"))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--rank", type=int, default=RANK)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=0, help="train on so many pairs only")
    options = parser.parse_args()
    folder = options.model
    if folder is None:
        from router.encoding.encoder import packaged_model

        folder = packaged_model()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(options.seed)
    model = Verifier(folder, options.rank).to(device)
    data = Pairs(options.pairs, Tokenizer.from_file(str(folder / "tokenizer.json")))
    print(f"{len(data.rows)} pairs on {device}", flush=True)
    train(
        model,
        data,
        device=device,
        epochs=options.epochs,
        rate=options.rate,
        size=options.size,
        seed=options.seed,
    )
    stored = changed(model)
    put(model, stored)
    held = np.flatnonzero(data.held)
    if options.size:
        held = held[:1000]
    print(json.dumps(report(data, scores(model, data, held, device), held), indent=1), flush=True)
    np.savez_compressed(options.out, allow_pickle=False, **stored)
    print(options.out, options.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
