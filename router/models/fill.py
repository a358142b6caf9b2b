"""A fill: answers in the words of a template, with the values that a request gives.

A head chooses the template. Each slot is filled by rules that were proven on rows that nobody
learned from. The fill is unsure if the head is, if a slot's value is not there, or if two rules
find different values. It never writes a value that neither the request nor a table holds.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import exp, log
from typing import TYPE_CHECKING, Any

import orjson

from router.models.card import BrokenModel, Card
from router.models.features import WORDS, Asked, Features, features_of, share_known
from router.models.head import ARRAYS, STRUCTURE, Guess, Head, head_in
from router.models.rewriting import rewritten
from router.models.spans import ReadRequest, Rule, places, read

if TYPE_CHECKING:
    from router.encoding.encodes import Encodes

TEMPLATES = "fill.json"
_DOUBT = 0.3  # rows that speak for a word, and as many against it, before any was seen
NO_FORM = "none"  # the head's answer to requests that fit no template


@dataclass(frozen=True, slots=True)
class Extract:
    """A slot whose value stands in the request. Rules that disagree leave it empty."""

    rules: tuple[tuple[Rule, str], ...]  # each with the way in which its value is written

    def value(self, request: ReadRequest) -> str | None:
        return self.taken(request)[1]

    def taken(self, request: ReadRequest) -> tuple[str, str | None]:
        """The part of the request that the rules take, and the value as the answer has it."""
        values = {}
        for rule, way in self.rules:
            parts = rule.all(request)
            if len(parts) > 1 and rule.single:
                return "", None
            part = parts.pop() if len(parts) == 1 else None
            written = None if part is None else rewritten(part, way)
            if part is not None and written is not None:
                values[written] = part
        if len(values) != 1:
            return "", None
        written, part = values.popitem()
        return part, written


@dataclass(frozen=True, slots=True)
class Table:
    """A slot whose value depends on the value of another slot, such as a price on a product."""

    of: int
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A slot with few values, of which a head chooses by the words of the request."""

    head: int
    values: Mapping[str, str]  # by the head's answers


Filler = Extract | Table | Chosen


@dataclass(frozen=True, slots=True)
class Form:
    """A template: words, and between them the slots. Slot `n` stands after the n-th words."""

    name: str
    words: tuple[str, ...]
    slots: tuple[Filler, ...]
    right: float = 1.0  # how often its answers to rows that it had not seen were the teacher's
    family: int = 0  # the same for forms that are variants of each other
    rows: int = 1
    counts: Mapping[str, int] = field(default_factory=dict)  # rows with a word, its values aside

    def likely(self, words: set[str], vocabulary: set[str]) -> float:
        """How likely the words of a request are if it wants this form, as a logarithm."""
        shares = [
            (word in words, (self.counts.get(word, 0) + _DOUBT) / (self.rows + 2 * _DOUBT))
            for word in vocabulary
        ]
        return sum(log(share if there else 1 - share) for there, share in shares)

    def written(self, values: list[str]) -> str:
        pieces = [self.words[0]]
        for value, words in zip(values, self.words[1:], strict=True):
            pieces += [value, words]
        return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Fill:
    """`least_words`: the share of a request's words, without its values, that must be known.
    `least_chance`: how likely the form and its values must be."""

    forms: Mapping[str, Form]
    heads: tuple[Head, ...]  # the first chooses the form
    least_words: float = 0.0
    least_chance: float = 0.0

    @property
    def encoder(self) -> str:
        return ""

    def of(self, question: Asked, encoder: "Encodes | None" = None) -> Guess:  # noqa: ARG002
        features, request = features_of(question), read(question.last)
        guess = self.heads[0].guess(features)
        form, sure = self.form_for(guess.chances, request)
        if form is None:
            return Guess("", 0.0, "the request fits no template", guess.chances)
        values, chance = self._values(form, request, features)
        sure *= chance * form.right
        missing = [number for number, value in enumerate(values) if value is None]
        if missing:
            place = _place(form, missing[0])
            why = f"the request does not say for sure what stands after {place!r}"
            return Guess("", sure, why, guess.chances)
        share = self.share_known(form, request)
        if share < self.least_words:
            why = f"it knows {share:.0%} of the request's words"
            return Guess("", sure, why, guess.chances)
        if sure < self.least_chance:
            why = f"its answer is right with probability {sure:.2f}"
            return Guess("", sure, why, guess.chances)
        filled = [value for value in values if value is not None]
        return Guess(form.written(filled), sure, "", guess.chances)

    def form_for(
        self, chances: Mapping[str, float], request: ReadRequest
    ) -> tuple[Form | None, float]:
        """The form that a request wants, and how likely: the head chooses among families, and the
        presence and absence of words among the variants of one."""
        families: dict[int, float] = {}
        for name, form in self.forms.items():
            families[form.family] = families.get(form.family, 0.0) + chances.get(name, 0.0)
        family = max(families, key=lambda each: families[each])
        if families[family] <= chances.get(NO_FORM, 0.0):
            return None, 0.0
        variants = [form for form in self.forms.values() if form.family == family]
        vocabulary = {word for form in variants for word, n in form.counts.items() if n > 1}
        logs = [f.likely(set(bare_words(f, request)), vocabulary) for f in variants]
        best = max(range(len(variants)), key=lambda n: logs[n])
        return variants[best], families[family] / sum(exp(each - logs[best]) for each in logs)

    def _values(
        self, form: Form, request: ReadRequest, features: Features
    ) -> tuple[list[str | None], float]:
        """What stands in the slots of a form, None where nobody knows, and how likely that is."""
        values: list[str | None] = [None] * len(form.slots)
        chance = 1.0
        for number, slot in enumerate(form.slots):
            if isinstance(slot, Extract):
                values[number] = slot.value(request)
            elif isinstance(slot, Chosen):
                choice = self.heads[slot.head].guess(features)
                values[number] = None if choice.unsure else slot.values.get(choice.answer)
                chance *= choice.probability
        for number, slot in enumerate(form.slots):
            if isinstance(slot, Table):
                values[number] = slot.values.get(values[slot.of] or "")
        return values, chance

    def share_known(self, form: Form, request: ReadRequest) -> float:
        """The share of a request's words, without the values of a form, that are known."""
        bare = features_of(Asked(" ".join(bare_words(form, request))))
        return share_known(bare, self.heads[0].columns, WORDS)

    def quality(self, words: Asked) -> float:  # noqa: ARG002
        raise BrokenModel("it fills templates and judges no answers: train with `--kind head`")

    def files(self) -> dict[str, bytes]:
        """The files of this fill, from which `fill_in` makes it again."""
        forms = [
            {
                **asdict(form),
                "slots": [_raw(slot) for slot in form.slots],
            }
            for form in self.forms.values()
        ]
        raw = {
            "forms": forms,
            "heads": len(self.heads),
            "least_words": self.least_words,
            "least_chance": self.least_chance,
        }
        files = {TEMPLATES: orjson.dumps(raw)}
        for number, head in enumerate(self.heads):
            files |= {f"{number}.{name}": content for name, content in head.files().items()}
        return files


def bare_words(form: Form, request: ReadRequest) -> list[str]:
    """The words of a request without those that fill a form's slots."""
    taken: set[int] = set()
    for slot in form.slots:
        part = slot.taken(request)[0] if isinstance(slot, Extract) else ""
        for start, end in places(request, part) if part else ():
            taken.update(range(start, end))
    tokens = enumerate(request.tokens)
    return [token.plain for n, token in tokens if n not in taken and token.plain[0].isalpha()]


def fill_in(card: Card, files: Mapping[str, bytes]) -> Fill:
    """The fill in a model's files."""
    try:
        raw = orjson.loads(files[TEMPLATES])
        heads = tuple(
            head_in(card, {name: files[f"{number}.{name}"] for name in (STRUCTURE, ARRAYS)})
            for number in range(raw["heads"])
        )
        forms = {form["name"]: _form(form) for form in raw["forms"]}
        for form in forms.values():
            if len(form.words) != len(form.slots) + 1:
                raise BrokenModel(f"{card.reference}: a template has not one slot between words")
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BrokenModel(f"{card.reference} is no fill ({error}): train it again") from None
    return Fill(forms, heads, float(raw["least_words"]), float(raw["least_chance"]))


def _place(form: Form, number: int) -> str:
    """The words before a slot, by which it is named."""
    return " ".join(form.words[number].split()[-3:]) or "the beginning"


def _raw(slot: Filler) -> dict[str, Any]:
    return {"by": type(slot).__name__.lower(), **asdict(slot)}


def _form(raw: Mapping[str, Any]) -> Form:
    slots = tuple(_filler(slot) for slot in raw["slots"])
    return Form(**{**raw, "words": tuple(raw["words"]), "slots": slots})


def _rule(raw: Mapping[str, Any]) -> Rule:
    lists = {name: tuple(raw[name]) for name in ("left", "forms", "values")}
    return Rule(**{**raw, **lists})


def _filler(raw: Mapping[str, Any]) -> Filler:
    match raw["by"]:
        case "extract":
            rules = tuple((_rule(rule), str(way)) for rule, way in raw["rules"])
            return Extract(rules)
        case "table":
            return Table(int(raw["of"]), dict(raw["values"]))
        case "chosen":
            return Chosen(int(raw["head"]), dict(raw["values"]))
        case kind:
            raise ValueError(f"a slot is filled by {kind!r}, which nothing does")
