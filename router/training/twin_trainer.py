"""Makes a twin of a person from their own texts: a style card, and the most typical texts.

The texts are a data set of their own, whose rows hold the texts as answers. The test texts, which
nothing else saw, say whether the card is of this person: they must be nearer to the other texts
than to a page of general prose.

Not covered: whether a writer follows the card.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from router.models.features import FEATURES
from router.models.twin import Consent, Twin
from router.training.data_query import DataRefused
from router.training.data_sets import DataSet
from router.training.trainer import Trained, Wish, Work
from router.training.voices import likeness, profile, style_of

LEAST_TEXTS, LEAST_WORDS = 10, 500
_LEAST_NEARER = 0.8
_MOST_TEXTS = 12  # that a twin keeps
_LONGEST = 2_000  # characters of one that is kept
_PROSE = Path(__file__).parent.parent / "documents" / "background.txt"


def train_twin(data: DataSet, wish: Wish, work: Work) -> Trained:
    if not wish.consent:
        raise DataRefused("a twin needs the person's consent: give it with --consent and --of")
    consent = Consent(**wish.consent)
    texts = [row.answer for split in ("train", "validation") for row in _rows(data, split)]
    words = sum(len(text.split()) for text in texts)
    if len(texts) < LEAST_TEXTS or words < LEAST_WORDS:
        raise DataRefused(
            f"{data.reference} has {len(texts)} texts of {words} words to learn from, and a twin "
            f"needs {LEAST_TEXTS} of {LEAST_WORDS}: put more of the person's texts into the folder"
        )
    work.tell(0.3, "measuring")
    whole = profile("\n".join(texts))
    ranked = sorted(texts, key=lambda text: -likeness(profile(text), whole))
    twin = Twin(
        style_of(texts), tuple(t for t in ranked if len(t) <= _LONGEST)[:_MOST_TEXTS], consent
    )
    test = [row.answer for row in _rows(data, "test")]
    metrics = _measured(test, whole)
    nearer = metrics["nearer_to_the_author"]
    why = ""
    if nearer is not None and nearer < _LEAST_NEARER:
        why = f"{nearer:.0%} of the held-out texts are nearer to the others than to general prose"
    return Trained(
        files=twin.files(),
        parameters={
            "texts": len(texts),
            "words": words,
            "consent_until": consent.until,  # who gave it, in which words: in the model's file
        },
        metrics={**metrics, "texts": len(texts)},
        slices=(),
        calibration={},
        threshold=0.0,
        cost={"usd_per_1000": 0.0},
        why=why,
        features=FEATURES,
    )


def _rows(data: DataSet, split: Any) -> Sequence[Any]:
    return data.rows[split]


def _measured(test: Sequence[str], whole: Mapping[str, float]) -> dict[str, Any]:
    prose = profile(_PROSE.read_text("utf-8"))
    nearer = [likeness(profile(t), whole) > likeness(profile(t), prose) for t in test]
    return {
        "held_out_texts": len(test),
        "nearer_to_the_author": sum(nearer) / len(nearer) if nearer else None,
    }
