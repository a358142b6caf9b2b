"""Tables of outcomes are read in every usual form; what cannot be read is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.outcomes.files import UnreadableTable, read_rows, write_rows
from router.outcomes.scores import NoScale, scale_named, scale_of
from router.outcomes.table import table_of

ROWS = [
    {"prompt_id": "1", "prompt": "a", "model": "x", "score": 1.0},
    {"prompt_id": "1", "prompt": "a", "model": "y", "score": 0.0},
    {"prompt_id": "2", "prompt": "b", "model": "x", "score": None},
    {"prompt_id": "2", "prompt": "b", "model": "y", "score": 0.5},
]
TYPES = {"prompt_id": "VARCHAR", "prompt": "VARCHAR", "model": "VARCHAR", "score": "DOUBLE"}
WANTED = {("x", "a", 1.0), ("y", "a", 0.0), ("y", "b", 0.5)}


def read(path):
    return table_of(read_rows(path), str(path))


def triples(table):
    return {(answer.model, answer.prompt, answer.score) for answer in table.answers}


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_a_table_is_read_as_it_was_written_in_each_format(tmp_path, ending):
    path = tmp_path / f"outcomes{ending}"
    write_rows(path, ROWS, TYPES)
    table = read(path)
    assert triples(table) == WANTED
    assert (table.form, table.missing) == ("long", 1)


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("w.csv", "prompt,x,y\na,1,0\nb,,0.5\n", "wide"),
        ("w.csv", "Question,x,y,x|total_cost,tokens\na,true,false,3,7\nb,,0.5,3,7\n", "wide"),
        (
            "n.jsonl",
            '{"prompt": "a", "scores": {"x": 1, "y": 0}}\n{"prompt": "b", "scores": {"y": 0.5}}\n',
            "nested",
        ),
        (
            "m.jsonl",
            "".join(
                json.dumps({"messages": [{"role": "user", "content": p}], "llm": m, "quality": s})
                + "\n"
                for m, p, s in WANTED
            ),
            "long",
        ),
    ],
)
def test_a_column_for_each_model_and_a_mapping_of_scores_say_the_same(
    tmp_path, name, content, form
):
    path = tmp_path / name
    path.write_text(content)
    table = read(path)
    assert triples(table) == WANTED
    assert table.form == form


def test_a_leaderboard_has_a_row_for_each_model_and_a_column_for_each_benchmark(tmp_path):
    path = tmp_path / "board.csv"
    path.write_text("Model,MMLU,HumanEval\nx,70.1,50\ny,80.2,-\n")
    table = read(path)
    assert table.form == "leaderboard"
    assert {(a.model, a.benchmark, a.score) for a in table.answers} == {
        ("x", "MMLU", 70.1),
        ("x", "HumanEval", 50.0),
        ("y", "MMLU", 80.2),
    }


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.txt", "a", "must end in .csv"),
        ("x.csv", "prompt,model\na,b\n", "neither columns `model` and `score`, nor a column"),
        ("x.csv", "model,score\nb,good\n", "row 1: the score of b must be a number, not 'good'"),
        ("x.csv", "model,score\n,1\n", "row 1 names no model"),
        ("x.csv", "model,score\nb,\n", "holds no score"),
        ("x.csv", "model,score\nb,1,2\n", "row 2 has more values"),
        ("x.csv", "", "holds no row"),
        ("x.jsonl", "[1]\n", "x.jsonl:1 must be a JSON object"),
        ("x.parquet", "no parquet", "cannot be read as parquet"),
    ],
)
def test_what_is_no_table_of_outcomes_is_refused_with_the_reason(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(UnreadableTable) as refused:
        read(path)
    assert says in str(refused.value)


def test_a_column_of_tasks_that_is_missing_is_named(tmp_path):
    with pytest.raises(UnreadableTable, match="no column 'topic': its columns are prompt_id"):
        table_of(ROWS, "x", task_column="topic")


@pytest.mark.parametrize(
    ("scores", "high"), [([0, 0.3, 1], 1), ([1, 5], 5), ([0, 7.5], 10), ([0, 64.1], 100)]
)
def test_scores_have_the_smallest_usual_scale_that_holds_them(scores, high):
    assert scale_of(scores).high == high


@pytest.mark.parametrize("scores", [[-0.1, 1], [812, 1391]])
def test_scores_on_no_usual_scale_need_one_that_is_named(scores):
    with pytest.raises(NoScale, match=r"--scale LOW\.\.HIGH"):
        scale_of(scores)
    scale = scale_named("800..1400")
    assert scale.share(800) == 0
    assert scale.share(1400) == 1
    assert scale.rule == "scores from 800 to 1400 count from 0 to 1"


@pytest.mark.parametrize("text", ["5", "5..1", "a..b", "..", "1..1"])
def test_a_text_that_is_no_scale_is_refused(text):
    with pytest.raises(NoScale, match="worst and the best"):
        scale_named(text)


@given(st.lists(st.floats(0, 100), min_size=1))
def test_every_score_becomes_a_share_and_keeps_its_order(scores):
    scale = scale_of(scores)
    shares = [scale.share(score) for score in sorted(scores)]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
