"""Which requests are computed, and which spec each of them gives."""

from time import thread_time

import pytest

from sandbox.reading.catalogue import RULES
from sandbox.reading.lexicon import PRIVATE, may_mean
from sandbox.reading.reader import Reader
from sandbox.reading.tokens import cleaned, tokens, words_present
from sandbox.request import read
from tests.sandbox.paraphrases import PARAPHRASES, line


@pytest.mark.parametrize(("text", "line_of_spec"), PARAPHRASES)
def test_a_request_is_read_exactly(text: str, line_of_spec: str):
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    assert line(interpretation.spec) == line_of_spec


def test_no_rule_is_passed_over_whose_words_stand_in_a_request():
    for text, _ in PARAPHRASES:
        present = words_present(cleaned(text))
        for group in ("", *PRIVATE):
            reader = Reader(*tokens(cleaned(text), group))
            for rule in RULES:
                if rule.words == group and rule.asks and reader.has(*rule.asks):
                    assert may_mean(group, rule.asks, present), (rule.name, text)


def test_there_are_enough_paraphrases():
    assert len(PARAPHRASES) >= 150
    assert len({text for text, _ in PARAPHRASES}) == len(PARAPHRASES)


ORDINARY = [
    "What is the capital of France?",
    "Explain the normal distribution with mean 35 and standard deviation 12.",
    "Write a Python function that generates 1000 ages from a normal distribution",
    "How do I compute the standard deviation of [1, 2, 3] in Excel?",
    "Generate three haikus about the normal distribution",
    "Make 5 slides about Poisson processes with lambda 3",
    "Give me 10 tips to reduce my average spending by 20%",
    "Generate 20 ideas for increasing average order value by 10%",
    "I need 3 examples of companies with normal margins between 10% and 20%",
    "Janet has 5 apples and buys 7 more. What is the average price if she paid 24 dollars?",
    "A bus traveled 280 kilometers between two cities. What was its average speed?",
    "Summarize the results: mean 3.5, sd 1.2, n = 40, p = 0.03.",
    "Is the mean of a lognormal distribution larger than its median?",
    "Create a 5 day meal plan with between 1800 and 2000 calories",
    "Translate: the average of 3, 4 and 5 is 4",
    "Generate 10 quiz questions about mean, median and mode for students aged 10 to 12",
    "What does a correlation of 0.8 between height and weight mean?",
    "Which of the following is the median of 1, 2, 3, 4, 5?\nA) 2\nB) 3\nC) 4",
    r"Compute $\sum_{i=1}^{n} x_i$ where the mean is 3, 4, 5.",
    "The state of the art in uniform sampling between 0 and 1: write an essay.",
    "Find indices of two numbers in [2, 7, 11, 15] that add up to the sum of 9",
    "A basketball team won 12, 15 and 20 games. Their average fell by 3. Why?",
    "Write a story about 1000 users whose ages follow a normal distribution, mean 35, sd 12.",
    "Create 3 personas: 30% tech users, 70% other users",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_request_is_left_to_a_model(text: str):
    interpretation = read(text)
    assert not interpretation.computed, interpretation.spec
    assert interpretation.kind == "linguistic"
    assert interpretation.reasons != ("",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Generate ages, normally distributed, mean 35, sd 12", "how many"),
        ("Generate 100 ages, normally distributed with mean 35", "not all given"),
        ("Generate 100 values from a Cauchy distribution with location 0", "is not supported"),
        ("Generate 100 ages normal mean 35 sd 12 with 5% missing", "not understood"),
        ("Generate 100 users, income normal mean 50 sd 5 if older than 30", "not understood"),
        ("Generate 100 ages normal mean 35 sd 12 and then something with 99", "not understood"),
        ("Generate 20 rows with a ~ N(0, 1) and b = c * 2", "c, which is not a column"),
        ("Generate 9999999999 ages from N(35, 12)", "up to 1000000"),
        (
            "Generate 900000 rows: a ~ N(0, 1), b ~ N(0, 1), c ~ N(0, 1)",
            "ask for at most 666666",
        ),
        ("What is the mean of [1, 2, 3] after removing outliers above 2?", "not understood"),
        ("Sum of [1, 2, 3] where x > 1?", "not understood"),
    ],
)
def test_a_request_that_is_not_fully_understood_is_not_computed(text: str, reason: str):
    interpretation = read(text)
    assert not interpretation.computed
    assert reason in "; ".join(interpretation.reasons)


def test_a_request_with_text_and_computed_columns_is_of_both_kinds():
    interpretation = read(
        "Generate 50 users with name, email and age normally distributed, mean 30, sd 5"
    )
    assert interpretation.kind == "both"
    assert [field.name for field in (interpretation.spec.words if interpretation.spec else ())] == [
        "name",
        "email",
    ]


@pytest.mark.parametrize(
    "data",
    [
        "height,weight\n170,65\n180,80\n165,60\n",
        {"height": [170, 180, 165], "weight": [65, 80, 60]},
        [
            {"height": 170, "weight": 65},
            {"height": 180, "weight": 80},
            {"height": 165, "weight": 6},
        ],
    ],
)
def test_data_may_be_sent_beside_the_text(data: object):
    interpretation = read("What is the mean height?", data)
    assert interpretation.spec is not None, interpretation.reasons
    assert line(interpretation.spec) == "mean(height)"
    assert interpretation.spec.data == {"height": (170, 180, 165)}


@pytest.mark.parametrize("data", [42, [], {"a": 1}, "no table", [1, 2]])
def test_a_request_whose_data_is_not_a_table_is_not_computed(data: object):
    assert "data" in "; ".join(read("What is the mean height?", data).reasons)


REPEATED = [
    *("of ", " ", "correlated ", "with ", "and ", "1, ", "50% ", "a ", "= ", "( ", "is ", "be "),
    *("normal ", "label 10% ", "x ", "- ", "N(", "\n", "a, ", "or ", "must ", "r ", "at ", "to "),
    *("by ", "in ", "between ", "mean ", "peak at 3 ", "season *", "true ", "per ", "x = ", "[{"),
    *("[1, ", "a,b\n", "1,2\n", "| a |\n", "```\n", "$", "\\(", '{"a": [', "1 2 ", "1,1 "),
]


BEGINNINGS = ["", "rows with x correlated with y ", "values with peaks at "]


def repeated(begin: str, piece: str, characters: int) -> tuple[str, str, str]:
    """Some regular expressions take exponential time on a text that is made to slow them down."""
    return (
        f"Generate 10 {begin}{piece * 900}"[:1999],
        f"What is the mean of 1, 2, 3 {begin}{piece * 900}"[:3999],
        f"What is the mean {begin}" + piece * (characters // len(piece)),
    )


@pytest.mark.parametrize("turn", range(len(BEGINNINGS)))
def test_a_text_of_each_piece_is_read_in_bounded_time(turn: int):
    """A reading that takes long gives up between two patterns, but not within one."""
    for piece in REPEATED[turn :: 3 * len(BEGINNINGS)]:
        for text in repeated(BEGINNINGS[turn], piece, 15_000):
            begun = thread_time()
            read(text, cpu_seconds=0.2)
            assert thread_time() - begun < 2, piece


@pytest.mark.slow
@pytest.mark.parametrize("begin", BEGINNINGS)
def test_every_long_text_is_read_in_bounded_time(begin: str):
    for piece in REPEATED:
        for text in repeated(begin, piece, 190_000):
            read(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "Generate",
        "1000",
        "Generate 1000 ages " * 500,
        "N(" * 3000,
        "[" * 5000,
        "mean " * 900,
        "0.1, " * 900 + "mean?",
        "a" * 199_999 + " mean",
        "mean,\n" * 3000,
    ],
)
def test_an_odd_text_raises_nothing(text: str):
    read(text)
