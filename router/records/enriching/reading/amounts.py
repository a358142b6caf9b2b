"""Amounts of money in a text: what was 20 and now is 15 costs 15."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from router.records.enriching.reading.words import Mention, Text, number_of, only, words_in

_CURRENCIES = {
    "€": "EUR", "$": "USD", "£": "GBP", "eur": "EUR", "usd": "USD", "gbp": "GBP", "euro": "EUR",
    "euros": "EUR", "dollar": "USD", "dollars": "USD", "dolares": "USD", "dolar": "USD",
    "pounds": "GBP", "libras": "GBP", "mxn": "MXN", "pesos": "", "chf": "CHF", "yen": "JPY",
    "jpy": "JPY", "bucks": "USD",
}  # fmt: skip
_WORDS = {
    "shipping": "shipping delivery postage freight envio portes transporte",
    "saving": "save saves saving savings off discount ahorra ahorras ahorro descuento menos "
    "cashback rebate coupon cupon less",
    "deposit": "deposit fianza senal",
    "tax": "tax vat iva impuesto impuestos taxes",
    "bound": "over above more mas up under below least minimum max maximum between and about "
    "around approximately approx roughly almost nearly from desde partir hasta entre unos unas "
    "aproximadamente casi minimo maximo range cerca alrededor orders pedidos than worth budget",
    "former": "was were before formerly originally original regular regularly normally normal "
    "usual usually instead list rrp msrp retail previously old antes vez lugar era costaba "
    "anterior recomendado",
    "now": "now ahora today hoy currently actualmente",
    "total": "total altogether totals paid pago pagado pague sum suma",
    "unit": "each apiece unit unidad cada ud unitario",
    "rent": "month monthly mes mensual mensuales rent alquiler",
    "salary": "salary sueldo salario year annual anual annually yearly earns gana cobra ano",
    "hour": "hour hora hourly hr",
    "cost": "cost coste costo",
    "balance": "balance saldo",
    "budget": "budget presupuesto",
}
_LABELS = {word: label for label, words in _WORDS.items() for word in words.split()}
_AFTER = frozenset(("saving", "unit", "rent", "salary", "hour", "total", "deposit", "tax"))
_PRICED = words_in("price precio pvp cost costs cuesta cuestan vale valen priced")
_CUT = words_in("reduced reduces down dropped drops cut lowered rebajado rebajada baja bajo")
_OWN = {
    "shipping_cost": "shipping", "msrp": "former", "tax": "tax", "rent": "rent",
    "salary": "salary", "total": "total", "unit_price": "unit", "hourly_rate": "hour",
    "cost": "cost", "balance": "balance", "budget": "budget",
}  # fmt: skip
# Concepts that a bare price may fill, in this order.
_MAIN = ("price", "unit_price", "total", "amount", "rent", "cost", "mortgage", "subtotal")
_NEVER = frozenset(("shipping", "saving", "deposit", "tax", "bound", "former"))
MONEY = frozenset((*_MAIN, *_OWN))
_NO_BREAKS = frozenset(".!?;,:()|")


@dataclass(frozen=True, slots=True)
class Amount:
    value: float
    currency: str
    labels: frozenset[str]


def amount_for(concept: str, missing: frozenset[str], text: Text) -> float | None:
    """The amount that a text states for a field of this concept; `missing` are all concepts that
    the record wants."""
    amounts = list(amounts_in(text))
    own = _OWN.get(concept, "")
    mine = [a for a in amounts if own and own in a.labels and not a.labels & (_NEVER - {own})]
    if mine:
        return only([a.value for a in mine])
    first = next((name for name in _MAIN if name in missing), "")
    if concept != first:
        return None
    others = {"salary", "hour", "balance", "budget", "rent", "cost"} - {own}
    if concept != "total":
        others = others - ({"rent"} if concept == "price" else set())
    free = [a for a in amounts if not a.labels & (_NEVER | others)]
    free = [a for a in free if "now" in a.labels] or free
    return only([a.value for a in free])


def currency_in(text: Text) -> str | None:
    codes = [amount.currency for amount in amounts_in(text) if amount.currency]
    return only(codes)


def amounts_in(text: Text) -> Iterator[Amount]:
    cut = _cut(text)
    turns = _sentences_with(text, "former") & _sentences_with(text, "now")
    for n, token in enumerate(text.tokens):
        if not token.is_number:
            continue
        value, marks = number_of(token.text), (text.low(n - 1), text.low(n + 1))
        currency = next((_CURRENCIES[mark] for mark in marks if mark in _CURRENCIES), None)
        if value is None or text.low(n + 1) in ("%", "/"):
            continue
        start = n - 1 if marks[0] in _CURRENCIES else n
        end = n + 2 if marks[1] in _CURRENCIES else n + 1
        if n in cut:
            yield Amount(value, currency or "", frozenset([cut[n]]))
            continue
        labels = _labels(text, start, end)
        bare = not text.tokens[end].is_word if end < len(text.tokens) else True
        priced = _PRICED & set(text.before(start, 3)) or text.low(start - 2) in _PRICED
        turned = labels & {"former", "now"} and token.sentence in turns
        if currency is None and not (bare and (priced or turned)):
            continue
        sure = text.is_sure(Mention(value, start, end), past=False, back=3)
        if sure or "former" in labels:
            yield Amount(value, currency or "", labels)


def _labels(text: Text, start: int, end: int) -> frozenset[str]:
    before = []
    for word in text.before(start, 5, _NO_BREAKS):
        if word[:1].isdigit() or word in _CURRENCIES:
            break
        before.append(word)
    after = [word for word in text.after(end, 3) if not word[:1].isdigit()]
    labels = {_LABELS[word] for word in before if word in _LABELS}
    labels |= {_LABELS[w] for w in after if _LABELS.get(w) in _AFTER}
    labels |= {_LABELS[w] for w in after[:1] if _LABELS.get(w) in ("former", "now")}
    following = text.low(end + 1)
    if text.low(end) in ("now", "ahora") and not (
        following[:1].isdigit() or following in _CURRENCIES
    ):
        labels.add("now")
    if {"included", "incl", "including", "incluido", "inc"} & {*before, *after}:
        labels.discard("tax")
    if "now" in labels:
        labels.discard("former")
    return frozenset(labels)


def _sentences_with(text: Text, label: str) -> set[int]:
    return {token.sentence for token in text.tokens if _LABELS.get(token.low) == label}


def _cut(text: Text) -> dict[int, str]:
    """The two numbers of `reduced from 80 to 60`, by their tokens."""
    made: dict[int, str] = {}
    numbers = [n for n, token in enumerate(text.tokens) if token.is_number]
    for first, second in pairwise(numbers):
        words = set(text.before(first, 4))
        between = {token.low for token in text.tokens[first + 1 : second]}
        after = text.low(second + 1)
        if after not in _CURRENCIES and (after[:1].isalpha() or not _PRICED & words):
            continue
        if (
            second - first <= 4
            and _CUT & words
            and {"from", "de"} & words
            and {"to", "a"} & between
        ):
            made |= {first: "former", second: "now"}
    return made
