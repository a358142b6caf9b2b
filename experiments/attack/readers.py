"""Everything in the router and the sandbox that reads text of a caller, a model or a document."""

from collections.abc import Callable, Mapping

from router.backends.generator_backend import record_count
from router.documents.chunking import passages_of
from router.documents.content_words import content_words
from router.documents.formats import Section, _markdown
from router.plans.agreement.agreeing import agreement
from router.plans.agreement.sense import sense_of
from router.plans.prompts import better_in, opinion_in
from router.records.concepts import concept
from router.records.json_text import json_in
from router.records.mending import reformatted, retyped
from router.records.shapes import parse
from router.request.language import language
from router.request.reading import reading_of
from router.request.statistical import program_in
from router.request.terms import terms
from router.reuse.guards import compare
from router.reuse.memory_query import unfit_words
from router.reuse.request_words import read_words
from router.wire.answers import answer_text
from router.wire.splice import spans
from router.wire.sse import Cutter, Meter
from sandbox.request import read

# Some requests of every kind that a program can answer.
REQUESTS = (
    "Generate 1000 user records where ages follow a normal distribution with mean 35 and sd 12",
    "Create 300 customers: plan (free 60%, pro 30%, team 10%), age between 18 and 90, unique id",
    "Generate 200 rows where income is lognormal with median 40000, correlated with age at 0.5",
    "Simulate a daily time series of 365 points with weekly seasonality, an upward trend and noise",
    "What is the mean and standard deviation of x = [1, 2, 3, 4] and the 25th, 50th percentiles?",
    "Fit a linear regression of y on x: x = [1,2,3,4], y = [2,4,6.5,8]",
    "Run a t-test on score between groups, by group.\ngroup,score\na,5\na,7\nb,9\nb,12\n",
    "Draw 500 values from a mixture of N(0, 1) and N(10, 2), truncated to [0, 12], as csv, seed 7",
    "Give me 100 orders with price ~ exponential(20), quantity poisson rate 3, total = price * 2",
    "I need 50 test scores, bell curve around 70 with sd of 10, at least 0, rounded to 2 decimals",
)  # fmt: skip


def _chat(text: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": text}]}


def _streamed(text: str) -> object:
    meter = Meter(include_usage=False, prompt_tokens=1, cost_of=lambda _: 0.0)
    cutter = Cutter()
    raw = (
        b'data: {"choices":[{"delta":{"content":"' + text.encode("utf-8", "replace") + b'"}}]}\n\n'
    )
    pieces = [raw[at : at + 64] for at in range(0, len(raw), 64)]
    return [meter.take(event) for piece in pieces for event in cutter.cut(piece)]


READERS: Mapping[str, Callable[[str], object]] = {
    "reading_of": lambda text: reading_of(_chat(text)),
    "read": lambda text: read(text, cpu_seconds=0.02),
    "read a table": lambda text: read("What is the mean of a?", "a,b\n" + text, cpu_seconds=0.02),
    "unfit_words": unfit_words,
    "read_words": read_words,
    "compare": lambda text: compare(text, text + " not"),
    "content_words": content_words,
    "language": language,
    "terms": terms,
    "record_count": lambda text: record_count(_chat(text)),
    "shape of a leaf": lambda text: parse({"a": text}),
    "concept": concept,
    "json_in": json_in,
    "program_in": program_in,
    "sense_of": sense_of,
    "agreement": lambda text: agreement(text, text + "x"),
    "opinion_in": opinion_in,
    "better_in": better_in,
    "retyped": lambda text: retyped(text, "integer"),
    "reformatted": lambda text: [reformatted(text, to) for to in ("date", "uri", "uuid", "email")],
    "markdown": lambda text: list(_markdown(text)),
    "passages_of": lambda text: list(passages_of("a", [Section("", text)])),
    "answer_text": lambda text: answer_text(text.encode("utf-8", "replace")),
    "spans": lambda text: spans(b'{"a":' + text.encode("utf-8", "replace") + b"}", (b'"a"',)),
    "stream": _streamed,
}  # fmt: skip
