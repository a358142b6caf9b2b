"""A model's query is checked, run read-only and shown; one error goes back to the model."""

import pytest

from router.knowledge.rows.answering import RowReader
from router.knowledge.rows.authoring import answered_with
from router.knowledge.rows.schema import NotUnderstood, RowAnswer
from tests.knowledge.rows_store import rows_store

TOWNS = 'SELECT count(DISTINCT "town") FROM "rows_readers"'


class ScriptedAuthor:
    """Gives prepared answers, and keeps the prompts."""

    name = "scripted"

    def __init__(self, *answers: str) -> None:
        self.answers, self.prompts = list(answers), []

    async def write(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.answers.pop(0)


async def ask(tmp_path, author, question):
    tables, run, _ = rows_store(tmp_path)
    return await answered_with(author, RowReader(tables, run), question, run)


async def test_what_rules_understand_needs_no_model(tmp_path):
    author = ScriptedAuthor()
    answer = await ask(tmp_path, author, "how many readers are in York")
    assert isinstance(answer, RowAnswer)
    assert (answer.rows, answer.author, author.prompts) == (((1,),), "", [])


async def test_a_model_answers_what_rules_do_not_understand_and_is_named(tmp_path):
    author = ScriptedAuthor(f"```sql\n{TOWNS};\n```")
    answer = await ask(tmp_path, author, "across how many municipalities do our folks spread")
    assert isinstance(answer, RowAnswer), answer
    assert (answer.rows, answer.sql, answer.author) == (((3,),), TOWNS, "scripted")
    assert '"town" text: Cádiz, York, Ávila' in author.prompts[0]


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ('SELECT count("borough") FROM "rows_readers"', 'no table or column is called "borough"'),
        ("SELECT borough FROM rows_readers", "no such column: borough"),
        ("SELECT count(*) FROM rows_readers WHERE town = 'Paris'", "no column has the value"),
        ("SELECT word FROM secrets", "reads secrets"),
        ("WITH x AS (SELECT 1) DELETE FROM rows_readers", "else than to read"),
    ],
)
async def test_an_error_goes_back_once(tmp_path, bad, error):
    author = ScriptedAuthor(bad, TOWNS)
    answer = await ask(tmp_path, author, "across how many municipalities do our folks spread")
    assert isinstance(answer, RowAnswer)
    assert error in author.prompts[1]
    author = ScriptedAuthor(bad, bad)
    (tmp_path / "again").mkdir()
    answer = await ask(
        tmp_path / "again", author, "across how many municipalities do our folks spread"
    )
    assert isinstance(answer, NotUnderstood)
    assert "municipalities" in answer.reason
    assert len(author.prompts) == 2


async def test_a_query_that_leaves_out_what_the_question_names_is_refused(tmp_path):
    author = ScriptedAuthor(TOWNS, TOWNS)
    answer = await ask(tmp_path, author, "how many folks in York are beyond 40")
    assert isinstance(answer, NotUnderstood)
    assert "York" in author.prompts[1]


async def test_a_question_that_asks_for_a_change_goes_to_no_model(tmp_path):
    author = ScriptedAuthor(TOWNS)
    answer = await ask(tmp_path, author, "delete the readers in York")
    assert isinstance(answer, NotUnderstood)
    assert author.prompts == []


async def test_a_model_may_say_that_the_tables_cannot_answer(tmp_path):
    answer = await ask(tmp_path, ScriptedAuthor("CANNOT"), "who is the tallest reader")
    assert isinstance(answer, NotUnderstood)
