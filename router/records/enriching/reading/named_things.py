"""Words and names of a text: a colour, a size, a brand, a company; and `Colour: dark green`."""

import re
from collections.abc import Iterator, Sequence

from router.records.catalogue.tables import plain, values
from router.records.enriching.reading.words import Mention, Text, only, words_in

# Concepts whose listed values are read wherever a text has one.
LISTED = words_in(
    "color material fuel language nationality carrier payment_method sport marital_status "
    "blood_type property_type room_type os browser continent card_brand job instrument"
)
_COLORS = {
    "en": "black white grey gray navy blue red green yellow orange purple pink brown beige "
    "turquoise burgundy silver gold violet maroon cream teal lilac ivory khaki coral",
    "es": "negro negra blanco blanca gris azul rojo roja verde amarillo amarilla naranja morado "
    "morada rosa marrón beige turquesa granate plateado plateada dorado dorada violeta lila crema "
    "celeste caqui coral marfil",
}
_SHADES = {"dark", "light", "pale", "bright", "deep", "navy", "olive", "sky", "royal", "pastel"}
_SHADES_AFTER = {
    "oscuro",
    "oscura",
    "claro",
    "clara",
    "marino",
    "oliva",
    "celeste",
    "pastel",
    "cielo",
}
_NO_COLOR = words_in(
    "tea wine coffee bread rice pepper beans bull friday card house cross hat paper party juice "
    "noise list market box belt humor humour sea gold medal meat oil te vino cafe pan arroz "
    "pimienta friday market"
)
_MASCULINE = {
    "negra": "negro", "blanca": "blanco", "roja": "rojo", "amarilla": "amarillo",
    "morada": "morado", "plateada": "plateado", "dorada": "dorado", "gray": "grey",
    "negros": "negro", "negras": "negro", "blancos": "blanco", "blancas": "blanco",
    "rojos": "rojo", "rojas": "rojo", "azules": "azul", "verdes": "verde", "grises": "gris",
}  # fmt: skip
_SIZES = ("XXXL", "XXL", "XL", "L", "M", "S", "XS", "XXS")
_SIZE_WORDS = words_in("size talla sz")
_OR = words_in("or o u either")
_NOTHING = words_in(
    "not no sin never without unknown none n/a na tbd undecided desconocido desconocida ninguno "
    "ninguna various varios varias pending pendiente ask consultar any cualquiera"
)
_FITS = words_in("for with para compatible like como fits")  # what a thing goes with
_BRAND_BEFORE = (("made", "by"), ("manufactured", "by"), ("fabricado", "por"), ("fabricada", "por"))
_WORKS = words_in("works work working employed trabaja trabajo empleado empleada")
_AT = words_in("at for by en para de")
_CALLED = (("name", "is"), ("me", "llamo"), ("i", "am"), ("i'm", ""), ("soy", ""))
_CAPITALS_OF_TIME = words_in(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may "
    "june july august september october november december hand default law post mail "
    "lunes martes miercoles jueves viernes sabado domingo"
)


def listed_for(concept: str, own: Sequence[str], text: Text) -> str | None:
    """The one value of a concept that a text names; `own` are the values that the field allows,
    or its examples."""
    if concept == "color":
        colors = list(_colors(text))
        return _as_listed(only(colors), own)
    options = [*own, *values(concept, "en"), *values(concept, "es")]
    mentions = [m for m in text.phrases(options) if text.is_sure(m)]
    return _as_listed(only([str(m.value) for m in mentions]), own)


def _as_listed(value: str | None, own: Sequence[str]) -> str | None:
    """A value in the writing of the field's own."""
    return next((o for o in own if value and plain(o) == plain(value)), value)


def _colors(text: Text) -> Iterator[str]:
    names = [name for listed in _COLORS.values() for name in listed.split()]
    spellings = {plain(name): name for name in [*names, *_MASCULINE]}
    for n, token in enumerate(text.tokens):
        if (
            token.low not in spellings
            or text.low(n + 1) in _NO_COLOR
            or text.low(n + 1) in spellings
        ):
            continue
        if _is_somebody(text, n):
            continue
        start, words = n, [_MASCULINE.get(token.low, spellings[token.low])]
        while start > 0 and (text.low(start - 1) in _SHADES) and text.low(start - 1) != words[0]:
            start -= 1
            words.insert(0, text.low(start))
        end = n + 1
        if text.low(end) in _SHADES_AFTER:
            words.append(text.low(end))
            end += 1
        if text.is_sure(Mention(None, start, end)):
            yield " ".join(words)


def _is_somebody(text: Text, n: int) -> bool:
    """Whether a color is a name: `Mr. Brown`, `Amy White`."""
    if not text.tokens[n].is_name or n == 0:
        return False
    before = text.low(n - 1)
    return before in ("mr", "mrs", "ms", "dr") or (
        before == "." and text.low(n - 2) in ("mr", "mrs", "ms", "dr")
    )


def size_in(own: Sequence[str], text: Text) -> str | None:
    """The size that a text states: `size M`, `talla 42`, or a part of its own such as `, M`."""
    sizes = []
    for n, token in enumerate(text.tokens):
        before = text.low(n - 1) if text.low(n - 1) != ":" else text.low(n - 2)
        stated = before in _SIZE_WORDS
        letters = token.text in _SIZES
        by_itself = letters and _stands_alone(text, n)
        is_size = (stated and (letters or token.is_number or token.text in own)) or by_itself
        others = {token.text for token in text.tokens[n + 1 : n + 7]} & {*_SIZES}
        if others and _OR & {token.low for token in text.tokens[n + 1 : n + 7]}:
            return None
        if is_size and text.is_sure(Mention(None, n, n + 1)):
            sizes.append(token.text)
    return only(sizes)


def _stands_alone(text: Text, n: int) -> bool:
    """Whether a letter is a part by itself: between commas, or at the end after a comma."""
    before, after = text.low(n - 1), text.low(n + 1)
    return before in (",", "(", "/") and after in ("", ",", ")", ".", ";") and n > 1


def brand_in(own: Sequence[str], brands: Sequence[str], text: Text) -> str | None:
    """The brand that a text states: after `by` or `marca`, or one that is known."""
    stated_brands = []
    for mention in text.phrases([*own, *brands]):
        other = _FITS & set(text.before(mention.start, 2))
        if text.tokens[mention.start].is_name and text.is_sure(mention) and not other:
            stated_brands.append(str(mention.value))
    for n in range(1, len(text.tokens)):
        pair = (text.low(n - 2), text.low(n - 1))
        stated = pair in _BRAND_BEFORE or pair[1] in ("by", "por", "marca", "brand")
        name = name_at(text, n) if stated else ""
        if name and _is_given(name) and text.is_sure(Mention(None, n, n + 1), past=False):
            stated_brands.append(name)
    return only(stated_brands)


def company_in(text: Text) -> str | None:
    """Where a text says that its person works."""
    names = []
    for n in range(2, len(text.tokens)):
        at_work = text.low(n - 1) in _AT and _WORKS & set(text.before(n, 6))
        name = name_at(text, n) if at_work else ""
        if name and _is_given(name) and text.is_sure(Mention(None, n, n + 1)):
            names.append(name)
    return only(names)


def _is_given(name: str) -> bool:
    """Whether a word with a capital names something, unlike `Monday`."""
    return plain(name) not in _CAPITALS_OF_TIME


def person_in(text: Text) -> str | None:
    """The name by which the writer of a text calls himself."""
    names = []
    for n in range(1, len(text.tokens)):
        before = (text.low(n - 2), text.low(n - 1))
        called = before in _CALLED or (before[1], "") in _CALLED
        name = name_at(text, n) if called else ""
        enough = len(name.split()) > (before == ("i", "am"))  # `I am Spanish` is no name
        if enough and text.is_sure(Mention(None, n, n + 1)):
            names.append(name)
    return only(names)


def name_at(text: Text, n: int, most: int = 4) -> str:
    """The capital words from a token on, as the text writes them."""
    words = []
    for token in text.tokens[n : n + most]:
        if not (token.is_word and token.is_name):
            break
        words.append(token.text)
    return " ".join(words)


def after_label(labels: frozenset[str], text: Text) -> str | None:
    """What stands after one of these names and a colon: `Colour: dark green`. Where several values
    stand there, a denial, or a word for nothing, there is none."""
    stated = []
    for part in re.split(r"[;|]|\.(?=\s|\Z)", text.text):
        label, value, rest = "", "", ""
        for segment in part.split(","):
            name, mark, after = segment.replace("=", ":", 1).partition(":")
            if mark:
                stated += _sure_value(label, value, rest, labels)
                label, value, rest = name, after, ""
            else:
                rest += f" {segment}"
        stated += _sure_value(label, value, rest, labels)
    return only(stated)


def _sure_value(label: str, value: str, rest: str, labels: frozenset[str]) -> list[str]:
    """The value of a label, as a list; `rest` is what follows it in the sentence."""
    words = set(plain(value).split())
    named = plain(label).strip() in labels and 0 < len(value.strip()) <= 60
    if not named or words & _NOTHING or "/" in value or _OR & (words | set(plain(rest).split())):
        return []
    return [value.strip()]
