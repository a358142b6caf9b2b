"""The page about prices shows what was measured, and the same is measured here again."""

import json
from pathlib import Path

from experiments.catalog import run
from experiments.readme import block

RESULT = json.loads((Path(run.__file__).parent / "result.json").read_text())


def test_the_table_of_the_page_is_of_the_result():
    assert block("catalog") == run.shown(RESULT)


def test_no_price_of_the_table_is_what_a_public_page_denies():
    verdicts = {row["model"]: run._verdict(row) for row in run._rows("looked_up.csv")}
    assert len(RESULT["wrong"]) == 0
    assert "wrong" not in verdicts.values()
    assert RESULT["right"] >= 19


def test_the_list_of_sixty_has_sixty_names_each_once():
    names = [(row["provider"], row["model"]) for row in run._rows("most_used.csv")]
    assert len(set(names)) == len(names) == 60
