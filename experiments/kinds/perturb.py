"""Says the same again by rule: typos, dropped marks, other casing, synonyms, filler words.

Each rule changes how a prompt is written and not what it asks. What a rule does to a prompt depends
only on the prompt and the rule, so every run makes the same paraphrases. A prompt that a rule does
not change has no paraphrase of that rule.

Not covered: paraphrases that put a sentence in another order, and other languages than English and
Spanish.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Literal

Language = Literal["en", "es"]
_WORD = re.compile(r"[^\W\d_]+")
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_EVERY = 12  # words for each typo
_MOST_SYNONYMS = 3

_SYNONYMS: Mapping[str, str] = {
    "en": (
        "what is=what's|which is; write=compose|draft; explain=clarify|describe; why=for what "
        "reason; list=enumerate|name; find=determine|work out; calculate=compute|work out; "
        "compute=calculate; show=display|present; give=provide|offer; create=make|produce; "
        "big=large; large=big; small=little; quickly=fast|rapidly; answer=reply|response; "
        "question=query; correct=right; following=below; best=most suitable; "
        "choose=pick|select; select=choose|pick; help=assist; need=require; use=employ; "
        "using=with; important=significant; main=principal; problem=issue; example=instance; "
        "story=tale; begin=start; start=begin; end=finish; compare=contrast; analyze=examine; "
        "evaluate=assess; prove=demonstrate; solve=work out; many=numerous; total=overall; "
        "buy=purchase; people=persons; job=occupation; kids=children; children=kids; "
        "house=home; car=automobile; happy=glad; sad=unhappy; text=passage; passage=text; "
        "statement=claim; true=right; summarize=sum up; translate=render; "
        "difference=distinction; describe=depict|explain; define=give the meaning of; how "
        "many=what number of; how much=what amount of; also=too; but=yet; because=since; "
        "get=obtain; function=routine; method=way; design=devise; plan=scheme; reason=cause; "
        "company=firm; money=cash; doctor=physician; city=town; country=nation; world=globe; "
        "idea=notion; paper=article; student=pupil; teacher=instructor; year=twelvemonth"
    ),
    "es": (
        "cuál es=qué es|dime cuál es; escribe=redacta|compón; explica=aclara|describe; por "
        "qué=por cuál motivo; lista=enumera; calcula=computa|determina; encuentra=halla|busca; "
        "muestra=enseña; dame=proporcióname; crea=haz|produce; grande=amplio; pequeño=chico; "
        "respuesta=contestación; pregunta=cuestión; correcta=acertada; correcto=acertado; "
        "mejor=más adecuado; elige=escoge; ayuda=asiste; necesito=requiero; usa=emplea; "
        "usando=con; importante=relevante; principal=central; problema=asunto; ejemplo=caso; "
        "historia=relato; empieza=comienza; compara=contrasta; analiza=examina; evalúa=valora; "
        "demuestra=prueba; resuelve=soluciona; resume=sintetiza; traduce=vierte; "
        "diferencia=distinción; define=da la definición de; cuántos=qué cantidad de; "
        "función=rutina; método=modo; diseña=idea; empresa=compañía; dinero=plata; "
        "médico=doctor; ciudad=urbe; país=nación; niños=chicos; casa=hogar; coche=automóvil; "
        "correo=mensaje; breve=corto; corta=breve; alumno=estudiante"
    ),
}
_FILLERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Hi there, ", ""),
        ("Please ", ""),
        ("Could you help me with this: ", ""),
        ("OK so, ", ""),
        ("", " Thanks in advance!"),
        ("", " please"),
        ("hey, quick one: ", " thx"),
        ("", "\n\nI appreciate it."),
    ),
    "es": (
        ("Hola, ", ""),
        ("Por favor, ", ""),
        ("¿Me ayudas con esto? ", ""),
        ("Bueno, ", ""),
        ("", " ¡Gracias de antemano!"),
        ("", " por favor"),
        ("oye, una rápida: ", " gracias"),
        ("", "\n\nTe lo agradezco."),
    ),
}

# For one look at the end: no rule of the router was written after a look at what these do.
_UNSEEN_SYNONYMS: Mapping[str, str] = {
    "en": (
        "what is=tell me; which=what; write=put together|pen; explain=spell out|shed light on; "
        "why=how come; list=itemise; find=identify; calculate=figure out; compute=evaluate; "
        "show=exhibit; give=supply; create=build|generate; big=huge; small=tiny; answer=solution; "
        "correct=accurate; best=optimal|ideal; choose=opt for; help=aid; need=want; use=apply; "
        "using=by means of; important=crucial; problem=exercise|task; example=illustration; "
        "compare=set side by side; analyze=look into; solve=resolve; total=combined; people=folks; "
        "car=vehicle; passage=excerpt; statement=assertion; summarize=condense; translate=convert; "
        "difference=contrast; describe=outline; many=a lot of; also=as well; but=however; "
        "function=procedure; method=technique; reason=motive; company=business; country=state"
    ),
    "es": (
        "cuál es=dime; escribe=elabora; explica=detalla; por qué=a qué se debe que; lista=serie; "
        "muestra=presenta; dame=facilítame; crea=genera; respuesta=solución; mejor=óptimo; "
        "importante=esencial; problema=inconveniente; ejemplo=muestra; compara=coteja; "
        "analiza=estudia; demuestra=acredita; resume=condensa; traduce=pasa; define=describe; "
        "función=procedimiento; diseña=elabora; correo=mail; breve=conciso; niños=pequeños; "
        "diferencia=desigualdad; sirve=vale; necesito=me hace falta; libros=obras; corto=breve"
    ),
}
_UNSEEN_FILLERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "en": (
        ("Good afternoon. ", ""),
        ("I'd be grateful if you could answer this. ", ""),
        ("Need this asap: ", ""),
        ("My friend asked me, ", ""),
        ("", " Much obliged."),
        ("", " Thank you so much, you are the best"),
        ("yo ", " tyvm"),
        ("Hello assistant,\n\n", "\n\nKind regards"),
    ),
    "es": (
        ("Buenas tardes. ", ""),
        ("Te agradecería que me respondieras. ", ""),
        ("Lo necesito ya: ", ""),
        ("Un amigo me preguntó, ", ""),
        ("", " Mil gracias."),
        ("", " Muchísimas gracias, eres el mejor"),
        ("ey ", " grax"),
        ("Estimado asistente:\n\n", "\n\nUn cordial saludo"),
    ),
}


def typos(text: str, _: str, chance: random.Random) -> str:
    """One word in twelve, at least one, gets a slip: two letters swapped, one lost, doubled or hit
    beside."""
    words = [match for match in _WORD.finditer(text) if len(match[0]) >= 4]
    if not words:
        return text
    chosen = chance.sample(words, max(1, len(words) // _EVERY))
    for match in sorted(chosen, key=lambda word: -word.start()):
        text = text[: match.start()] + _slip(match[0], chance) + text[match.end() :]
    return text


def _slip(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)
    match chance.randrange(4):
        case 0:
            return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
        case 1:
            return word[:at] + word[at + 1 :]
        case 2:
            return word[:at] + word[at] + word[at:]
        case _:
            return word[:at] + _beside(word[at], chance) + word[at + 1 :]


def _beside(letter: str, chance: random.Random) -> str:
    for row in _KEYS:
        at = row.find(letter)
        if at >= 0:
            return chance.choice([row[n] for n in (at - 1, at + 1) if 0 <= n < len(row)])
    return letter


def marks(text: str, _: str, __: random.Random) -> str:
    """No sentence marks: people who hurry write none. Marks inside of words and numbers stay."""
    return re.sub(r"[?!¿¡;:,.](?=\s|$)|[¿¡]", "", text)


def casing(text: str, _: str, chance: random.Random) -> str:
    """All small, all capitals, or a capital for each word."""
    return chance.choice([str.lower, str.lower, str.upper, str.title])(text)


def accents(text: str, _: str, __: random.Random) -> str:
    """No accents, as on a keyboard that has none."""
    plain = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFC", re.sub(r"[\u0300-\u036f]", "", plain))


def synonyms(text: str, words: str, chance: random.Random) -> str:
    """Up to three words become words of the same meaning."""
    matches = list(_PATTERNS[words].finditer(text))
    chosen = chance.sample(matches, min(len(matches), _MOST_SYNONYMS))
    for match in sorted(chosen, key=lambda word: -word.start()):
        other = chance.choice(_OTHERS[words][match[0].lower()])
        if match[0][0].isupper():
            other = other[0].upper() + other[1:]
        text = text[: match.start()] + other + text[match.end() :]
    return text


def filler(text: str, words: str, chance: random.Random) -> str:
    """A greeting before the prompt, or thanks after it."""
    before, after = chance.choice(_AROUND[words])
    if before and text[:1].isupper() and text[1:2].islower() and before[-2:] in (", ", ": "):
        text = text[0].lower() + text[1:]
    return before + text + after


RULES: Mapping[str, Callable[[str, str, random.Random], str]] = {
    "typos": typos,
    "marks": marks,
    "casing": casing,
    "accents": accents,
    "synonyms": synonyms,
    "filler": filler,
}


def paraphrases(
    prompt: str, language: Language, *, unseen: bool = False
) -> Iterator[tuple[str, str]]:
    """The name of each rule, and what it makes of a prompt, where it changes the prompt. With
    `unseen`, the synonyms and fillers are those for one look at the end."""
    for name, rule in RULES.items():
        digest = blake2b(f"{name}\0{prompt}".encode("utf-8", "replace"), digest_size=8).digest()
        chance = random.Random(int.from_bytes(digest))
        changed = rule(prompt, language + "-unseen" * unseen, chance)
        if changed != prompt:
            yield name, changed


def _others(synonyms_of: str) -> dict[str, list[str]]:
    pairs = (entry.partition("=") for entry in synonyms_of.split(";"))
    return {word.strip(): others.split("|") for word, _, others in pairs}


_AROUND: dict[str, tuple[tuple[str, str], ...]] = {
    **_FILLERS,
    **{f"{language}-unseen": fillers for language, fillers in _UNSEEN_FILLERS.items()},
}
_OTHERS = {
    **{language: _others(words) for language, words in _SYNONYMS.items()},
    **{f"{language}-unseen": _others(words) for language, words in _UNSEEN_SYNONYMS.items()},
}
_PATTERNS = {
    words: re.compile(
        rf"\b(?:{'|'.join(sorted(map(re.escape, others), key=len, reverse=True))})\b", re.IGNORECASE
    )
    for words, others in _OTHERS.items()
}
