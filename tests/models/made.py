"""A head made by hand: it knows tickets of billing and of shipping by a few words."""

import numpy as np

from router.models import model_files
from router.models.card import Card
from router.models.features import FEATURES, Asked, features_of
from router.models.head import Doubts, Head, Slot
from router.models.registry import Registry
from router.models.scoring import Linear
from router.models.twin import Consent, Style, Twin

KNOWN = {"billing": "my invoice shows a wrong charge", "shipping": "my parcel never arrived here"}


def by_hand(*, least: float = 0.8, least_words: float = 0.5) -> Head:
    features = {label: features_of(Asked(text)) for label, text in KNOWN.items()}
    columns = np.unique(np.concatenate([each.buckets for each in features.values()]))
    weights = np.zeros((len(columns), 2), np.float32)
    for label, each in enumerate(features.values()):
        weights[np.searchsorted(columns, each.buckets), label] = 4.0
    scoring = Linear(weights, np.zeros((2, 0), np.float32), np.zeros(2, np.float32))
    certain = np.array([0.0, 1.0], np.float32)
    rarity = np.ones(len(columns), np.float32)
    doubts = Doubts(least, least_words)
    return Head((Slot("", tuple(KNOWN)),), (scoring,), columns, rarity, certain, certain, doubts)


def card(name="triage", version=1, **more) -> Card:
    data = {"name": "tickets", "version": 1, "hash": "0" * 64}
    fields = {"kind": "head", "target": "answer", "features": FEATURES, "made_at": 1.7e9}
    return Card(name, version, **{**fields, "run": "r1", "data": data, **more})


def register(home, head=None, *, name="triage", version=1, promote=True, **more) -> str:
    """Put a head into the registry of a folder, and return the name of its folder."""
    registry = Registry(home)
    made = card(name, version, **more)
    digest, _ = model_files.add(registry.files, made, (head or by_hand()).files())
    line = {"do": "registered", "name": name, "version": version, "digest": digest}
    lines = [{**line, "kind": made.kind, "at": 1.7e9}]
    lines += [{"do": "promoted", "name": name, "version": version, "at": 1.7e9}] if promote else []
    registry.change(lambda _: lines)
    return digest


def register_twin(home) -> None:
    """Put a twin of Ann, by hand, into the registry of a folder."""
    words = "I, Ann, agree that a program writes as I do"
    consent = Consent("Ann", words, "letters", "2026-05-01T00:00:00+00:00", "2999-01-01")
    style = Style("en", 30.0, 8.0, 0.0, 5.0, {"!": 2.0}, ("Hiya NAME,",), ("Bye, Ann",), (), 0.0)
    register(
        home, Twin(style, ("Hiya Bo,\ncome over!\nBye, Ann",), consent), name="ann", kind="twin"
    )
