"""Writes training runs in the layout of an `mlruns` folder, which MLflow reads without our help.

Nothing of MLflow is needed to write it: a folder for the experiment, a folder for each run, and in
it `meta.yaml`, a file for each metric, parameter and tag, and the model's card as an artifact.
"""

import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from router.files import whole_folder
from router.models.card import Card
from router.models.registry import Registry
from router.training.model_changes import cards

_EXPERIMENT = "1"
_FINISHED = 3  # MLflow's number for a run that ended well
_NAME = re.compile(r"[^A-Za-z0-9_./ -]")


def export(registry: Registry, folder: Path) -> int:
    """Replace the experiment in an mlruns folder by the runs of the registry; their number."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with whole_folder(folder / _EXPERIMENT) as place:
        _yaml(
            place / "meta.yaml",
            {
                "artifact_location": (folder.resolve() / _EXPERIMENT).as_uri(),
                "creation_time": 0,
                "experiment_id": _EXPERIMENT,
                "last_update_time": 0,
                "lifecycle_stage": "active",
                "name": "waggle",
            },
        )
        for card, version, _, promoted in cards(registry):
            if card is not None:
                _run(place, folder.resolve(), card, version.digest, promoted=promoted)
                count += 1
    return count


def _run(place: Path, root: Path, card: Card, digest: str, *, promoted: bool) -> None:
    run_id = uuid.UUID(digest[:32]).hex
    home, at = place / run_id, round(card.made_at * 1000)
    for name in ("metrics", "params", "tags", "artifacts"):
        (home / name).mkdir(parents=True)
    spent = round(1000 * float(card.metrics.get("cpu_seconds") or 0))
    _yaml(
        home / "meta.yaml",
        {
            "artifact_uri": f"{(root / _EXPERIMENT / run_id).as_uri()}/artifacts",
            "end_time": at,
            "entry_point_name": "",
            "experiment_id": _EXPERIMENT,
            "lifecycle_stage": "active",
            "run_id": run_id,
            "run_name": card.reference,
            "run_uuid": run_id,
            "source_name": "",
            "source_type": 4,
            "source_version": "",
            "start_time": at - spent,
            "status": _FINISHED,
            "tags": [],
            "user_id": "waggle",
        },
    )
    numbers = {**_numbers(card.metrics), "threshold": card.threshold}
    for part in card.slices:
        place_of = f"slice/{part['slice']}/{str(part['value']).replace('/', '_')}"
        numbers |= {f"{place_of}/{name}": value for name, value in _numbers(part).items()}
    for name, value in numbers.items():
        _write(home / "metrics", name, f"{at} {value} 0\n")
    data = {f"data_{key}": value for key, value in card.data.items()}
    for name, value in {**card.parameters, **data, "features": card.features}.items():
        _write(home / "params", name, str(value))
    tags = {"mlflow.runName": card.reference, "mlflow.user": "waggle", "model": card.name}
    tags |= {"kind": card.kind, "promoted": str(promoted).lower(), "parent": card.parent}
    for name, text in tags.items():
        _write(home / "tags", name, text)
    (home / "artifacts" / "card.json").write_bytes(card.encoded())


def _numbers(facts: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in facts.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _write(folder: Path, name: str, text: str) -> None:
    parts = [part for part in _NAME.sub("_", name)[:200].split("/") if part.strip(". ")]
    path = folder.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _yaml(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(content), sort_keys=True), "utf-8")
