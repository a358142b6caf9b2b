"""No text keeps a reader busy: the attacks are tried again, and the CPU time is measured."""

from time import thread_time

import pytest

from sandbox.request import read

BUDGET = 0.02
GENEROUS = 0.3  # seconds of CPU; the attacks took from 1 to 65
WISH = "Generate 100 normal values between 1 and 5 with mean 3 "
QUESTION = "What is the mean of these numbers? "
HOSTILE = {
    "digits": "1" * 128_000,
    "letters and dots": "a." * 60_000,
    "numbers and commas": "1," * 60_000,
    "numbers without an end": "1, " * 40_000 + "x",
    "lists without an end": "[1, " * 30_000,
    "lists": "[1, 2] " * 17_000,
    "blanks": " " * 120_000 + "x",
    "empty lines": "\n" * 120_000 + "x",
    "carriage returns": "\r" * 120_000 + "1",
    "formulas": "$" + "_" * 120_000,
    "choices": "A) \n" * 30_000,
    "words that are understood": "mean " * 750,
    "counted words": "10 users " * 200,
    "shares": "a 10%, " * 250,
    "labels": "one of a, b or c " * 110,
    "ranges": "between 1 and 2 " * 120,
    "relations": "a and b are " * 160,
    "percentiles": "1, " * 600 + "percentiles of [1, 2, 3]",
    "many columns": ",".join(f"c{n}" for n in range(20_000)) + "\n" + "1," * 19_999 + "1\n",
    "a long name": "a" * 60_000 + ",b\n1,2\n3,4\n5,6\n",
    "lines with a comma": "a,a\n" * 30_000,
    "records of other keys": "[" + ",".join(f'{{"k{n}":1}}' for n in range(9_000)) + "]",
}  # fmt: skip


@pytest.mark.parametrize("begins", ["", WISH, QUESTION])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_given_up_when_its_time_is_spent(name, begins):
    read(WISH, cpu_seconds=BUDGET)  # compiles the patterns that every request needs
    begun = thread_time()
    reading = read(begins + HOSTILE[name], cpu_seconds=BUDGET)
    assert thread_time() - begun < GENEROUS, reading.reasons


def test_a_reading_without_time_says_that_it_was_not_read():
    reading = read(WISH, cpu_seconds=0.0)
    assert reading.not_read
    assert reading.spec is None
    assert reading.reasons == ("not read: reading it takes more than 0 ms",)


@pytest.mark.parametrize(
    "number", ["1" * 400, "1e999", "1" + ",000" * 100, "0" * 600, "1." + "3" * 500]
)
def test_a_number_that_nobody_means_is_not_read(number):
    reading = read(f"Generate {number} values from a normal distribution with mean 3 and sd 1")
    assert reading.not_read
    assert "a word or a number that is too long" in reading.reasons[0]


@pytest.mark.parametrize("rows", [200, 8_000])
@pytest.mark.parametrize("form", ["csv", "markdown", "list", "records"])
def test_a_long_table_of_an_honest_request_is_read(form, rows):
    table = {
        "csv": "price,region\n" + "".join(f"{n}.5,north\n" for n in range(rows)),
        "markdown": "| price | a |\n|---|---|\n" + "".join(f"| {n}.5 | 1 |\n" for n in range(rows)),
        "list": "price = [" + ", ".join(f"{n}.5" for n in range(rows)) + "]",
        "records": "[" + ",".join(f'{{"price":{n}.5}}' for n in range(rows)) + "]",
    }[form]
    reading = read(f"What is the mean of price?\n{table}", cpu_seconds=10.0)
    assert reading.spec is not None, reading.reasons
    assert len(reading.spec.data["price"]) == rows


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("What is the mean of x = -3, 4, 5?", "x", (-3, 4, 5)),
        ("What is the mean of x: 3, 4 and 5?", "x", (3, 4, 5)),
        ("What is the mean of a = [1, 2] and b = [3, 4]?", "b", (3, 4)),
        ("What is the mean of scores -3, 4, 5?", "x1", (-3, 4, 5)),
        ("What is the mean of x is -3, 4, 5?", "x", (-3, 4, 5)),
    ],
)
def test_a_list_keeps_its_name_and_its_signs(text, name, values):
    reading = read(text)
    assert reading.spec is not None, reading.reasons
    assert reading.spec.data[name] == values
