"""Words of questions and documents, as far as looking them up needs. Pure."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from router.request.stemming import stem

_WORD = re.compile(r"[a-z0-9]+(?:[-'’][a-z0-9]+)*", re.I)
STOP = frozenset(
    "a about after all also am an and any are as at be because been before being but by can could "
    "did do does doing for from get gets give given gives go goes had has have having he her here "
    "him his how i if in into is it its just like made make makes many may me might mine more most "
    "much must my no not of on one only or other our out over own said same say says she should so "
    "some such take takes tell than that the their them then there these they thing things this "
    "those to too under up us use used uses very was way we were what when where which while who "
    "whom whose why will with without would you your called call calls mean means explain describe "
    "please happen happens happened work works name kind kinds let lets between during each every "
    "first last long need needs needed people person someone somebody something anything anyone "
    "everybody big difference define definition term know known best".split()
)


def content_words(text: str) -> list[str]:
    """Stems of the words that say something, in their order."""
    found = []
    for match in _WORD.finditer(text.lower().replace("’", "'")):
        word = match[0].removesuffix("'s")
        for part in {word, *word.split("-")} if "-" in word else (word,):
            if part not in STOP and (len(part) > 1 or part.isdigit()):
                found.append(stem(part))
    return found


def rarity(texts: Sequence[Iterable[str]]) -> dict[str, float]:
    """How much each word tells, by how few of the texts have it."""
    counts = Counter(word for text in texts for word in set(text))
    return {word: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for word, n in counts.items()}


_LITTLE = 1.2  # rare words; a question of fewer says little, and all of little is not much


def covered(question: Sequence[str], there: Iterable[str], weights: Mapping[str, float]) -> float:
    """The share of what a question asks about that is there. A word that no document has weighs as
    much as the rarest: it says that the question is about something else."""
    if not question:
        return 0.0
    most = max(weights.values(), default=1.0)
    known = set(there)
    whole = max(sum(weights.get(word, most) for word in question), _LITTLE * most)
    return sum(weights.get(word, most) for word in question if word in known) / whole
