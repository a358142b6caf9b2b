"""Makes mock records for a JSON shape, with Faker and without a model.

The same shape, count, seed and variant always give the same records; without a seed or a variant,
the records are new each time. A request without a shape is refused, because the generator writes no
text.
"""

import random
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from typing import Any

import orjson

from router.backends.record_plans import plan_for
from router.backends.request_fields import fields_of_call
from router.backends.work import QUICK_STEPS, Work
from router.config.backends import GeneratorSettings
from router.domain import CHAT, Call, Fault, Reply
from router.records.bounds import shown
from router.records.cases import LABELS, cases_of, schema_in
from router.records.enriching.making import RecordMaker
from router.records.mock import Fakers
from router.records.nodes import Array, Node, Object
from router.records.planning import RecordPlan
from router.records.schema import schema_of
from router.records.shapes import Shape, parse
from router.records.size import Size, check_size, size_of
from router.records.validating import BadSchema
from router.request.text import last_user_text, prompt_text, tokens_in, whole_number
from router.request.wants import shape_of
from router.wire.chat_replies import chat_reply

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_TIMES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_COUNT = re.compile(
    rf"(?<![\w.,^])(\d++(?:[,_]\d{{3}})*+|an?(?=\s++(?:{'|'.join(_TIMES)})\b)|{'|'.join(_WORDS)})"
    rf"((?:e|\^|\*\*)\d++)?\s++((?:(?:{'|'.join(_TIMES)})\s++)*+)"
    r"(?:(?!(?:we|had|have|has|the|our|my|there|were|was|are|is)\b)\w++\s++){0,3}?"
    r"(?:records?|rows?|items?|users?|people|persons?|customers?|employees?|orders?|products?|"
    r"entries|examples?|objects?|samples?)\b",
    re.I,
)
_MAX_RECORDS = 10_000
_MOST_CASES = 200
_MEND = "Ask for fewer records, shorter arrays or fewer fields."


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The records that a request asks for: one document of the node if there is no count."""

    node: Node
    count: int | None
    seed: int | None
    quick: bool  # whether the records are made in no time
    text_mb: int  # most text of the answer
    plan: RecordPlan

    def document(self, maker: RecordMaker) -> Iterator[str]:
        """Yield the text of the answer, record by record."""
        if self.count is None:
            yield orjson.dumps(maker.make(self.node)).decode()
            return
        yield "["
        length = 0
        for index in range(self.count):
            record = orjson.dumps(maker.make(self.node, index=index)).decode()
            length += len(record) + 1
            check_size(Size(0, length), values=0, text_mb=self.text_mb)
            yield f",{record}" if index else record
        yield "]"


class GeneratorBackend:
    def __init__(
        self, settings: GeneratorSettings, *, uniform: Callable[[], float] = random.random
    ) -> None:
        self._settings = settings
        self._uniform = uniform
        self._fakers = Fakers(settings.locale)
        self._work = Work(mend=_MEND)

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[Reply]:
        if call.path != CHAT:
            raise Fault("bad_request", f"the generator answers {CHAT}, not {call.path}")
        fields = await fields_of_call(call)
        # A random count may be twice its mean, so the work may exceed the estimate.
        most = 2 * self._settings.most_values
        if fields.get("cases") is not None:
            text = await self._work.result(partial(self._cases, fields), most=most)
            yield chat_reply(call, "waggle-generator", [text], tokens_in(prompt_text(fields)))
            return
        wanted = await self._work.result(partial(self._wanted, fields), most=most)
        with self._fakers.borrowed() as fake:
            maker = RecordMaker(wanted.plan, fake, wanted.seed, self._settings.as_of)
            pieces = self._work.pieces(wanted.document(maker), most=most, quick=wanted.quick)
            prompt_tokens = tokens_in(prompt_text(fields))
            if call.stream:
                yield chat_reply(call, "waggle-generator", pieces, prompt_tokens)
            else:
                whole = [piece async for piece in pieces]
                yield chat_reply(call, "waggle-generator", whole, prompt_tokens)

    async def close(self) -> None:
        self._work.close()

    def _cases(self, fields: dict[str, Any]) -> str:
        """Labelled cases of the request's schema."""
        counts = counts_of(fields["cases"])
        stated = shape_of(fields)
        if not isinstance(stated, dict):
            raise Fault("bad_request", "`cases` needs a JSON Schema: put it in `shape`")
        schema = schema_in(stated) or schema_of(stated)
        node = parse(schema).node
        check_size(size_of(node).times(sum(counts.values())), values=10**6, text_mb=32)
        plan = plan_for(fields, node, self._settings)
        seed = whole_number(fields, "seed", least=-(2**63), most=2**63 - 1)
        with self._fakers.borrowed() as fake:
            maker = RecordMaker(plan, fake, seed, self._settings.as_of)
            try:
                made = cases_of(schema, counts, lambda number: maker.make(node, number))
            except BadSchema as error:
                raise Fault("bad_request", f"The schema cannot be used: {error}") from None
        return orjson.dumps(made.report()).decode()

    def _wanted(self, fields: dict[str, Any]) -> _Wanted:
        count = record_count(fields)
        stated = shape_of(fields)
        if stated is None:
            where = "in `shape`, as a `response_format` with a JSON schema, or in the last message"
            raise Fault("bad_request", f"The generator needs a JSON shape: put one {where}")
        shape = parse(stated)
        node = shape.node
        if count is not None and isinstance(node, Array):
            node = node.item
        elif count is not None and (holder := _as_long(node, count)) is not None:
            node, count = holder, None
        size = size_of(node).times(1 if count is None else count)
        check_size(size, values=self._settings.most_values, text_mb=self._settings.most_text_mb)
        seed = _seed_of(fields, shape, self._uniform)
        quick = size.values <= QUICK_STEPS
        plan = plan_for(fields, node, self._settings)
        return _Wanted(node, count, seed, quick, self._settings.most_text_mb, plan)


def counts_of(cases: Any) -> dict[str, int]:
    """How many cases of each label a request wants."""
    counts = cases if isinstance(cases, dict) else {}
    whole = all(type(count) is int and 0 <= count <= _MOST_CASES for count in counts.values())
    if not counts or not whole or not set(counts) <= set(LABELS):
        rule = f"must be counts of {', '.join(LABELS)} from 0 to {_MOST_CASES}"
        raise Fault("bad_request", f'cases = {shown(cases)} {rule}, e.g. {{"valid": 3}}')
    return counts


def _as_long(node: Node, count: int) -> Object | None:
    """An object whose only field is a list, with the list as long as `count`; None for others."""
    match node:
        case Object(((name, Array() as inner),)) if not inner.unique:
            return Object(((name, replace(inner, least=count, most=count)),))
    return None


def record_count(fields: Mapping[str, Any]) -> int | None:
    """The number of records, from `count` or the prompt; None for one document of the shape.

    A JSON Schema in `response_format` promises its caller what the whole answer is, so words about
    a number make no list of what should be one object.
    """
    count = whole_number(dict(fields), "count", least=0, most=_MAX_RECORDS)
    if count is not None:
        return count
    if fields.get("shape") is None and _promises_one(fields.get("response_format")):
        return None
    match = _COUNT.search(last_user_text(fields))
    if not match:
        return None
    count = _number(match[1].lower(), match[2] or "", match[3].lower().split())
    if count > _MAX_RECORDS:
        detail = f"{match[0]:.80} are wanted, and {_MAX_RECORDS} records fit one answer"
        raise Fault("bad_request", f"{detail}: ask in parts")
    return count


def _promises_one(wanted: Any) -> bool:
    form = wanted.get("json_schema") if isinstance(wanted, dict) else None
    schema = form.get("schema") if isinstance(form, dict) else None
    return isinstance(schema, dict) and schema.get("type") == "object"


def _number(low: str, power: str, times: list[str]) -> int:
    """The number that a text says, such as `ten thousand` or `10^4`; a huge number is cut."""
    words = {"a": 1, "an": 1} | {word: value for value, word in enumerate(_WORDS, 1)}
    number = words.get(low) or int(re.sub(r"\D", "", low)[:12])
    exponent = min(int(re.sub(r"\D", "", power)[:3] or 0), 40)
    if power[:1] in ("^", "*"):
        number **= exponent
    elif power:
        number *= 10**exponent
    return int(number * 10 ** min(sum(_TIMES[word] for word in times), 12))


def _seed_of(fields: Mapping[str, Any], shape: Shape, uniform: Callable[[], float]) -> int | None:
    """The seed of the answer; None if every answer is to be new.

    With `$cache`, the variants of a shape are the same in every replica: its number alone makes a
    variant. The request names the number by `variant` or `seed`, or else it is drawn.
    """
    seed = whole_number(fields, "seed", least=-(2**63), most=2**63 - 1)
    variant = whole_number(fields, "variant", least=0, most=10**9)
    if shape.variants:
        number = variant if variant is not None else seed
        if number is None:
            number = int(uniform() * shape.variants)
        return _hashed(0, number % shape.variants, repr(shape.node))
    return seed if variant is None else _hashed(seed or 0, variant, repr(shape.node))


def _hashed(*parts: object) -> int:
    return int.from_bytes(blake2b(repr(parts).encode(), digest_size=8).digest(), "big")
