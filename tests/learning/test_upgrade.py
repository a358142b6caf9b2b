"""What a learner of features of version 1 leaves is kept, as far as it still means the same."""

import duckdb
import numpy as np
import pytest

from learner import snapshot
from learner.bandit_learner import Bandit
from learner.policy import Arm, Feedback
from router.request.context import NAMES_1, context_of, taught
from router.request.lens import Lens, kept
from router.telemetry.store.catalog import CATALOG_FILE
from tests.learning.test_learner_files import rewritten
from tests.learning.traffic import Traffic, begun, features_of, rebuilt, turned

LENS = 0xABC


class OldTraffic(Traffic):
    """Requests as a router of version 1 wrote them, which saw them through a lens."""

    def send(self, count=30, **given):
        super().send(count, features_version=1, features=old_features("sql request 1"), **given)


def old_features(text):
    row = list(features_of(text)[: len(NAMES_1)])
    row[NAMES_1.index("lens")] = float(LENS)
    row[NAMES_1.index("near")], row[NAMES_1.index("far")] = 3.0, 1.0
    return row


def old_snapshot(fold):
    """The fold's snapshot as version 1 wrote it, with evidence that was seen through a lens."""
    bandit = Bandit(f"1:{LENS:x}")
    bandit.set_arms([Arm("cheap"), Arm("dear")])
    for n in range(200):
        for arm, quality in ((Arm("cheap"), 0.2), (Arm("dear"), 0.9)):
            context = {"task=sql": 1.0, "part.chars": 0.5, "part.asks": 1.0, "near=3": 1.0}
            bandit.learn(
                Feedback(f"{arm}{n}", arm, context | {"vec.2": 0.4, "lex.1": 1.0}, quality)
            )
    body = snapshot.opened(snapshot.written(bandit))
    version = fold.keep(1.0)
    stored = snapshot.opened(version.path.read_bytes())
    shared = ("names", "arms", "features", "learned", "watching")
    version.path.write_bytes(rewritten(stored | {name: body[name] for name in shared}))
    return version


def test_an_old_snapshot_keeps_what_was_not_seen_through_its_lens(config, stored):
    version = old_snapshot(turned(begun(config)))
    state = begun(config).state
    assert state.bandit.features == taught(0)
    assert list(state.bandit.evidence.names) == ["bias", "task=sql", "part.chars"]
    assert state.bandit.learned == 400
    assert version.path.exists()  # not put aside
    policy = state.bandit.policy()
    means = policy.posterior.means @ np.array([1.0, 1.0, 0.5])
    assert dict(zip(policy.arms, means.round(1), strict=True)) == {"cheap": 0.2, "dear": 0.9}


def test_an_old_pinned_snapshot_still_decides(config, stored):
    fold = turned(begun(config))
    fold.registry.pin(old_snapshot(fold).name)
    policy = begun(config).policy(0.0)
    assert policy.features == taught(0)
    assert policy.seen > 390


def test_old_rows_are_learned_without_their_lens(config, stored):
    traffic = OldTraffic(config, stored)
    traffic.send(60)
    fold = turned(begun(config))
    assert fold.state.bandit.learned > 30
    names = fold.state.bandit.evidence.names
    assert "part.chars" in names
    assert not [name for name in names if name.startswith(("near", "far", "lex", "vec"))]
    assert rebuilt(config).state.written(0.0) == fold.state.written(0.0)
    Traffic(config, stored, seed=2).send(20)
    assert turned(fold).state.bandit.learned > 40  # both versions side by side


def test_an_old_lens_is_fitted_anew(config):
    folder = config.learner_folder
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {
        name: np.zeros((16, 8), np.float32)
        for name in (
            *("weights", "words", "words_middle", "near", "far"),
            *("meaning", "meaning_middle", "near_both", "far_both"),
        )
    }
    np.savez_compressed(folder / "lens-000000000abc.npz", **arrays)
    (folder / "lens").write_text("000000000abc\n")
    assert kept(folder) is None
    with pytest.raises(ValueError, match="no lens"):
        Lens.read((folder / "lens-000000000abc.npz").read_bytes())


def test_an_old_row_names_its_features_in_telemetry(config, stored):
    OldTraffic(config, stored).send(3)
    with duckdb.connect(str(config.telemetry_folder / CATALOG_FILE), read_only=True) as con:
        near, further = con.execute(
            "SELECT features['near'], features['vec.20'] FROM requests LIMIT 1"
        ).fetchone()
    assert (near, further) == (3.0, None)


def test_an_old_row_makes_a_context(config):
    context = context_of(old_features("sql request"), "sql", lens=LENS)
    assert context["near=3"] == 1.0
    assert context["task=sql"] == 1.0
