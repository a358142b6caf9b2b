"""Writes a request for records in the words that its reader knows.

Calls such as `rnorm(500, 10, 2)`, `born in the 1980s`, and marks without blanks
say what plain words say too. Only what is wholly understood is rewritten; all other words stay, so
that the reader names them.
"""

import re
from collections.abc import Mapping

from sandbox.reading.records_bivariate import as_two_columns
from sandbox.reading.records_chances import with_chances
from sandbox.reading.records_json import specification_in_words
from sandbox.reading.records_parts import as_binomial

# Where the records will be used: `before Friday's demo`, `for my statistics class`.
_OCCASION = re.compile(
    r"\b(?:(?:before|for|by|ahead of|during|in) (?:(?:the|our|my|an?|this|next|\w+'s) ){1,2}(?:[^\W\d_]{3,20} )?"
    r"(?:demo|meeting|presentation|class|lesson|lecture|release|launch|workshop|talk|tutorial|seminar"
    r"|course|load test|homework|assignment|exam|thesis)\b(?: (?:on|this|next) \w+| tomorrow| today)?"
    r"|(?:antes de|para|en) (?:la|el|mi|nuestr[ao]|una?) (?:demo|reuni[oó]n|presentaci[oó]n|clase|lanzamiento"
    r"|taller|charla|curso|prueba de carga|tarea|examen|tesis)\b"
    r"(?: (?:del?|de la|el) (?:lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bado|domingo|ma[nñ]ana"
    r"|estad[ií]stica|matem[aá]ticas|enfermer[ií]a|biolog[ií]a|econom[ií]a|psicolog[ií]a|f[ií]sica|\w+[ií]a))?),?",
    re.I,
)
_HEADING = re.compile(
    r"\A\s*(?!(?:generate|create|make|give|produce|simulate|need|want|genera|crea|dame|simula|necesito|quiero|i|we)\b)"
    r"(?:[^\W\d_][\w'/-]* ){0,3}(?:(?:[\w-]+-)?style|project|planning|request|task|subject|demo|workshop|homework"
    r"|exercise|assignment|log|estilo [\w-]+|proyecto|planificaci[oó]n|tarea|ejercicio|taller|asunto)"
    r"(?: [^\W\d_]+){0,3}:(?=\s)",
    re.I,
)
_WHETHER = re.compile(
    r"\bwhether (?:or not )?(?:they|he|she|it|the [^\W\d_]+) (?:have |has |had |were |was |are |is |will )?"
    r"(?P<what>[^\W\d_]+(?: [^\W\d_]+){0,2})(?= ?[(,:;=]| with| \d)"
    r"|\bsi (?:es|son|est[aá]|tienen?|han?|fue|usaron|us[oó]) (?P<es>[^\W\d_]+(?: [^\W\d_]+)?)(?= ?\()",
    re.I,
)
_DECADE = re.compile(
    r"\bborn (?:in|during) the (?P<en>(?:19|20)\d0|\d0)'?s\b"
    r"|\bnacid[oa]s? en (?:los a[nñ]os|la d[eé]cada de(?: los)?) (?P<es>(?:19|20)\d0|\d0)\b",
    re.I,
)
_YEAR_NAME = re.compile(
    r"\b(?:birth_year|year_of_birth|birthyear|a[nñ]i?o_(?:de_)?nacimiento)\b", re.I
)
_BORN = re.compile(
    r"\bborn (?:between|from) (?P<a>\d{4}) (?:and|to) (?P<b>\d{4})|\bnacid[oa]s? entre (?P<c>\d{4}) y (?P<d>\d{4})",
    re.I,
)
_AMERICAN = re.compile(
    r"\b(?:(?:realistic|plausible|believable|american|us|u\.s\.) ){1,4}(?=(?:first |last |full |given )?names?\b)",
    re.I,
)
_AMERICANO = re.compile(
    r"\b(?P<name>nombres?(?: de pila| completos?)?)(?: (?:estadounidenses?|realistas?|de estados unidos|de eeuu))+",
    re.I,
)
_FITS = re.compile(
    r",?\s{0,3}\b(?:(?:that|which|who) )?(?:are |is )?(?:fits?|fitting|match(?:es|ing)?|typical (?:of|for)|popular in|common in|common for|appropriate (?:for|to)"
    r"|realistic for|suit(?:s|ed to|able for)?|correspond(?:s|ing)? to|according to|by|for|from|based on|consistent with|plausible for)"
    r" (?:the|their|his or her|each person's|that) ?(?:birth decade|decade of birth|birth year|year of birth|decade of their birth|decade)"
    r"(?: (?:in which )?(?:they|he or she|each (?:one|person)?|the person) (?:were|was) born(?: in)?)?"
    r"|,?\s{0,3}\b(?:with )?names (?:that (?:were|are) )?as (?:popular|common|frequent) as (?:they were )?(?:back then|then|in those years)"
    r"|,?\s{0,3}\b(?:con )?nombres tan (?:comunes|populares|frecuentes) como (?:lo )?eran (?:entonces|en esa [eé]poca)"
    r"|\bby birth (?:decade|year)\b|\bby decade of birth\b"
    r"|,?\s{0,3}\b(?:que )?(?:correspondan?|acordes?|encajen?|concuerden?|propios?|t[ií]picos?|populares|comunes|realistas?|seg[uú]n|adecuados?)"
    r" ?(?:a|con|de|para|en)? (?:la|su) d[eé]cada(?: de(?: su)? nacimiento| en (?:la )?que naci[oó](?:eron)?| en (?:la )?que nacieron)?",
    re.I,
)
_DEVIATION = re.compile(r"\b(?:D\.?E|D\.?T|D\.?S)\b\.?(?=\s{0,3}(?:=|:|de)?\s{0,3}\d)")
_CALL = re.compile(
    r"(?:\b(?:np|numpy|stats|scipy\.stats)\.(?:random\.)?|\brandom\.|\br?ng\.)?\b(?P<name>rnorm|runif|rexp|rpois|rbinom|rgamma|rbeta|normal|uniform"
    r"|exponential|poisson|binomial|gamma|beta|gauss|normalvariate|lognormal|triangular|randint|integers|norm\.rvs)"
    r"\((?P<inside>[^()]{1,120})\)",
)  # fmt: skip
# The parameters in the order of the call, and the words in which they are said.
_ARGUMENTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "normal": (("loc", "scale", "size"), "normal mean {loc} sd {scale}"),
    "gauss": (("mu", "sigma", "size"), "normal mean {mu} sd {sigma}"),
    "normalvariate": (("mu", "sigma", "size"), "normal mean {mu} sd {sigma}"),
    "norm.rvs": (("loc", "scale", "size"), "normal mean {loc} sd {scale}"),
    "uniform": (("low", "high", "size"), "uniform between {low} and {high}"),
    "exponential": (("scale", "size"), "exponential mean {scale}"),
    "poisson": (("lam", "size"), "poisson mean {lam}"),
    "binomial": (("n", "p", "size"), "binomial({n}; {p})"),
    "gamma": (("shape", "scale", "size"), "gamma shape {shape} scale {scale}"),
    "beta": (("a", "b", "size"), "beta({a}; {b})"),
    "lognormal": (("mean", "sigma", "size"), "lognormal mu {mean} sigma {sigma}"),
    "triangular": (("left", "mode", "right", "size"), "triangular({left}; {mode}; {right})"),
    "rnorm": (("n", "mean", "sd"), "normal mean {mean} sd {sd}"),
    "runif": (("n", "min", "max"), "uniform between {min} and {max}"),
    "rexp": (("n", "rate"), "exponential rate {rate}"),
    "rpois": (("n", "lambda"), "poisson mean {lambda}"),
    "rbinom": (("n", "size", "prob"), "binomial({size}; {prob})"),
    "rgamma": (("n", "shape", "rate"), "gamma shape {shape} rate {rate}"),
    "rbeta": (("n", "shape1", "shape2"), "beta({shape1}; {shape2})"),
}
_USUAL = {
    "mean": "0",
    "sd": "1",
    "min": "0",
    "max": "1",
    "rate": "1",
    "loc": "0",
    "scale": "1",
    "low": "0",
    "high": "1",
}
_BETA = re.compile(
    r"\bbeta\(\s*(?:a|alpha|α)\s*=\s*(?P<a>[\d.]+)\s*[,;]\s*(?:b|beta|β)\s*=\s*(?P<b>[\d.]+)\s*\)",
    re.I,
)
_NUMBER = re.compile(r"\A-?(?:\d[\d_]*(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?\Z", re.I)


_PLAIN = r"-?(?:\d++(?:\.\d++)?|\.\d++)"
_TIGHT_PAIR = re.compile(rf"(\(\s*+{_PLAIN}),(?={_PLAIN}\s*+\))")  # `(0,1)`
_YES_NO = re.compile(
    r"\b(?:yes/no|y/n|true/false|s[ií]/no)\s*\((?P<share>\d+(?:[.,]\d+)?\s?%) (?P<word>yes|true|s[ií])\)",
    re.I,
)
_PARTS = re.compile(
    r"(?<=[(:])\s*(?:[^\W\d_]+(?: [^\W\d_]+)?:? \d{1,2}, ?)+[^\W\d_]+(?: [^\W\d_]+)?:? \d{1,2}(?=\s*(?:\)|;|$))"
)


def _of_a_hundred(match: "re.Match[str]") -> str:
    """`white 40, black 60` with percent signs, if the parts are those of a hundred."""
    parts = [int(part) for part in re.findall(r"\d+", match[0])]
    return re.sub(r"(\d+)", r"\1%", match[0]) if sum(parts) == 100 else match[0]


def reworded(text: str) -> str:
    """The text in plain words."""
    text = _BETA.sub(r"beta(\g<a>; \g<b>)", _of_call(specification_in_words(text)))
    text = _TIGHT_PAIR.sub(r"\1, ", text)
    text = re.sub(r"(?<=\d)\s?\.\.\.?\s?(?=-?\d)", " to ", text)
    text = re.sub(r"\bfifty[- ]fifty\b", "50/50", text, flags=re.I)
    text = re.sub(r"\bw/\s?", "with ", text)
    text = re.sub(
        r"\b(sigma|σ|sd) \((?:of the log\w*|del log\w*|log scale|log)\)", r"sigma", text, flags=re.I
    )
    text = _PARTS.sub(_of_a_hundred, _YES_NO.sub(r"(\g<share> \g<word>)", text))
    text = re.sub(r"(?<=\d) pares(?=\s*(?:\(|:|de\b))", " filas", text)
    text = _DEVIATION.sub("desviación", _OCCASION.sub(" ", _HEADING.sub(" ", text)))
    text = _born(text).replace("->", ": ").replace("→", ":")
    return as_two_columns(with_chances(as_binomial(_whether(text))))


def said_short(text: str) -> str:
    """The years of a decade that the text gives by two digits, as a sentence; "" if there is none."""
    match = _DECADE.search(text)
    short = (match["en"] or match["es"]) if match else ""
    return f"the {short}s: 19{short} to 19{short[0]}9" if match and len(short) == 2 else ""


def _whether(text: str) -> str:
    """The text with `used_coupon` for `whether they used a coupon`."""

    def name(match: "re.Match[str]") -> str:
        return "_".join(
            w
            for w in (match["what"] or match["es"]).split()
            if w not in ("a", "an", "the", "un", "una")
        )

    return _WHETHER.sub(name, text)


def _born(text: str) -> str:
    """The text with a year of birth as a column, and without names that fit it, which names do."""

    def years(match: "re.Match[str]") -> str:
        decade = match["en"] or match["es"]
        first = int(decade if len(decade) == 4 else f"19{decade}")
        return _birth_year(first, first + 9, spanish=match["es"] is not None)

    def between(match: "re.Match[str]") -> str:
        low, high = match["a"] or match["c"], match["b"] or match["d"]
        return _birth_year(int(low), int(high), spanish=match["c"] is not None)

    named = _YEAR_NAME.search(text)
    text = _BORN.sub(between, _DECADE.sub(years, text, count=1), count=1)
    if named:
        text = re.sub(r"\b(?:birth year|año de nacimiento)(?= (?:between|entre) )", named[0], text)
    text = _AMERICANO.sub(r"\g<name>", _AMERICAN.sub("", text))
    without = _FITS.sub(" ", text)
    aged = re.search(r"birth|born|nacid|nacim|edad|ages?", without, re.I)
    texts = re.search(r"name|nombre", without, re.I)
    return without if aged and texts else text


def _birth_year(first: int, last: int, *, spanish: bool) -> str:
    if spanish:
        return f", año de nacimiento entre {first} y {last},"
    return f", birth year between {first} and {last},"


def _of_call(text: str) -> str:
    """The text with `500 values, normal mean 10 sd 2` for `np.random.normal(10, 2, 500)`."""
    match = _CALL.search(text)
    signature = _ARGUMENTS.get(match["name"]) if match else None
    r_like = match is not None and match["name"].startswith("r") and match["name"] != "randint"
    module = match is not None and "." in match[0].split("(")[0]
    if (
        match is None
        or signature is None
        or not (r_like or module)
        or _CALL.search(text, match.end())
    ):
        return text
    names, words = signature
    given = _given(match["inside"], names)
    if given is None:
        return text
    size = given.pop("n" if r_like else "size", "")
    filled = {name: given.get(name, _USUAL.get(name, "")) for name in names}
    if not all(filled[name] for name in re.findall(r"{(\w+)}", words)):
        return text
    made = words.format(**filled)
    return (
        f"{text[: match.start()]}{f'{size} values, ' if size else ''}{made} {text[match.end() :]}"
    )


def _given(inside: str, names: tuple[str, ...]) -> dict[str, str] | None:
    """The arguments of a call by their names; None if one of them is no number."""
    given: dict[str, str] = {}
    for i, part in enumerate(inside.split(",")):
        name, equals, value = part.partition("=")
        name, value = (
            (name.strip(), value.strip())
            if equals
            else (names[i] if i < len(names) else "", part.strip())
        )
        if name not in names or name in given or not _NUMBER.match(value):
            return None
        given[name] = value.replace("_", "")
    return given
