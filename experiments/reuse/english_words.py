"""Writes `router/reuse/english.txt`: common words by which a text shows that it is English.

The words are those that questions of QQP often write in small letters, so names and brands are left
out, as are words that are also words of a neighbouring language.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

import polars as pl

from router.config.environment import environment

_LEAST = 4  # times that a word must occur
_SMALL = 0.9  # share of them in small letters
_WORD = re.compile(r"[A-Za-z]{3,}")
# Words that German, French, Spanish, Italian, Portuguese, Dutch or a Scandinavian language has too.
_OF_SEVERAL = (
    "was war die den hat man kind rat gift art arm hand land wind gold blind warm still bald "
    "tag fast wild rest test text name arena hotel radio video audio auto bank film sport spa "
    "bus taxi rock pop jazz computer internet online email web app software chat blog link file "
    "post code data information nation station question action situation solution religion "
    "region mission passion version television construction education animal natural normal "
    "general final total original personal social local central capital hospital material "
    "national international festival legal ideal real actual digital manual virtual pain son "
    "sale fin mare come cane sole more dove due non per con del una son par sans des les est "
    "sur son long grand petit place table page image article possible impossible terrible "
    "horrible visible simple double triple centre theme service police justice science silence "
    "distance importance difference experience minute secret machine cuisine routine surprise "
    "exercise entreprise entre parents restaurant souvenir doctor actor factor motor error "
    "terror horror color sector director professor tutor editor idea area camera opera pizza "
    "pasta banana kilo euro metro piano solo casino zero plan start stop bar park hall ball "
    "wall fall all bad gut super minister winter sommer finger hunger butter name winter wort "
    "ring ding king bring gas not bar mit vor van het wat die dat hier over water week weekend "
    "open beer been boot boom door kan maar men zee zoon pot pen ram ramp room rot drop dag dan "
    "mark over under hund ost salt land over let lit dire tire fait fast rude late male tale "
    "sane dame dome fume tube crime prime me as no a an in on at he so do se te me has han sin "
    "con fire vent tag mal made"
)
_SHARED = frozenset(_OF_SEVERAL.split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(environment("WAGGLE_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=default, help="the folder of the data sets")
    options = parser.parse_args()
    rows = pl.read_parquet(options.data / "reuse_pairs_dev.parquet")
    rows = rows.filter(pl.col("source") == "qqp")
    texts = [*rows["text_a"].to_list(), *rows["text_b"].to_list()]
    # The first word of a question is written large, whatever it is.
    written = Counter(word for text in texts for word in _WORD.findall(text)[1:])
    whole: Counter[str] = Counter()
    for word, n in written.items():
        whole[word.lower()] += n
    words = sorted(
        word
        for word, n in whole.items()
        if n >= _LEAST and written[word] >= _SMALL * n and word not in _SHARED
    )
    lines = [" ".join(words[at : at + 12]) for at in range(0, len(words), 12)]
    path = Path("router/reuse/english.txt")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{len(words)} words in {path}")


if __name__ == "__main__":
    main()
