"""What people say around an answer: how they begin, how sure they are, yes and no. Pure.

English, Spanish, German and French are read.
"""

import re

from router.plans.agreement.text import folded

_LONGEST = 400  # characters of a text that is read in words
_MOST_TURNS = 5
_LEAD = re.compile(
    r"(?:(?:so|thus|therefore|hence|also|donc|alors|entonces)[, ]+)?"
    r"(?:(?:the|my|la|le|die|das|el|mi|meine|ma)\s+)?"
    r"(?:(?:final|correct|right|best|richtige|korrekte|bonne)\s+)?"
    r"(?:answer|result|solution|guess|vote|response|respuesta|resultado|soluci[oó]n|antwort|"
    r"ergebnis|l[oö]sung|r[eé]ponse|r[eé]sultat|l'answer)"
    r"(?:\s+(?:correcta|final|finale|correcte))?\s*"
    r"(?:(?:is|(?:would|should|must|might|has to) be|es|ser[ií]a|ist|lautet|w[aä]re|est|serait)\b"
    r"|=|:)\s*:?\s*(?:that\s+)?",
    re.I,
)
_HEDGE = re.compile(
    # English
    r"(?:(?:well|hm+|um+|uh|so|ok|okay|sure|yeah|alright|(?:very |quite |most )?(?:probably|likely)"
    r"|maybe|perhaps|possibly|presumably|clearly|obviously|definitely|certainly|surely|honestly"
    r"|of course|almost certainly|great question|good question|let me think|let's see"
    r"|in my (?:humble )?opinion|to be honest|as far as i (?:know|remember|can tell)"
    r"|if i(?: had to guess|'m not mistaken| am not mistaken| remember(?: correctly| right)?)"
    r"|if memory serves(?: me)?(?: right| correctly)?)\b[,.:;!\u2026 -]+"
    r"|i(?:'m| am)?\s+(?:(?:do |really |would |strongly )?(?:think|believe|guess|suppose|reckon"
    r"|say|assume|suspect)|(?:pretty |quite |fairly |almost |very |absolutely )?(?:sure|certain"
    r"|confident))\b(?:\s+(?:that|it's|it is|it was)\b)?[:, ]+"
    r"|(?:i'd|i would)\s+(?:say|guess|go (?:with|for)|pick|choose|bet on)\b[:, ]+"
    r"|(?:it's|it is|it was|that's|that is|that was|that would be|this is|it would be|must be"
    r"|it must be|it should be|they are|they're|these are|those are|he is|she is|he was|she was)\s+"
    r"|my\s+(?:final\s+|best\s+)?(?:answer|guess|vote)(?:\s+(?:is|would be))?[:, ]+"
    r"|(?:you(?:'d| would| should| can| could| need to| have to)?|just|simply) use\s+"
    # Spanish
    r"|[¡¿]+|(?:claro(?: que s[ií])?|por supuesto|bueno|pues|probablemente|posiblemente"
    r"|seguramente|quiz[aá]s?|tal vez|a lo mejor|en mi opini[oó]n|sin duda|si no me equivoco"
    r"|si no recuerdo mal|definitivamente|desde luego)\b[,.:;! ]+"
    r"|(?:yo\s+)?(?:creo|pienso|dir[ií]a|supongo|opino)(?:\s+que)?(?:\s+(?:es|son|fue))?[:, ]+"
    r"|(?:es(?! ist| sind| war| w[aä]re)|son|fue|ser[ií]a|se trata de)\s+"
    r"|mi\s+respuesta(?:\s+es)?[:, ]+"
    # German
    r"|(?:wahrscheinlich|vermutlich|vielleicht|sicher|sicherlich|nat[uü]rlich|klar|also|na ja"
    r"|bestimmt|offensichtlich|meiner meinung nach|wenn ich mich (?:nicht irre|recht erinnere)"
    r"|h[oö]chstwahrscheinlich|definitiv)\b[,.:;! ]+"
    r"|ich\s+(?:glaube|denke|meine|w[uü]rde sagen|sch[aä]tze|vermute|tippe auf"
    r"|bin (?:mir )?(?:ziemlich |fast )?sicher)(?:,? dass)?[:, ]+"
    r"|(?:es|das)\s+(?:ist|sind|war|waren|w[aä]re|m[uü]sste)\s+|meine\s+antwort[:, ]+"
    # French
    r"|(?:probablement|s[uû]rement|sans doute|peut-[eê]tre|bien s[uû]r|eh bien|alors|bon"
    r"|[aà] mon avis|certainement|[eé]videmment|si je ne me trompe pas)\b[,.:;! ]+"
    r"|je\s+(?:crois|pense|dirais|suppose|parie sur)(?:\s+(?:que |qu'))?(?:\s*c'est)?[:, ]+"
    r"|(?:c'est|ce sont|c'[eé]tait|il s'agit de|ce serait)\s+|ma\s+r[eé]ponse(?:\s+est)?[:, ]+)",
    re.I,
)
_TAIL = re.compile(
    r"(?:[,;.(]\s{0,3}|\s{1,3}[-\u2013\u2014]\s{1,3}|\s{1,3})"
    r"(?:i(?:'m| am)? (?:think|believe|guess|suppose|reckon"
    r"|pretty sure|fairly sure|sure|fairly certain|would say)|i'd say|if i remember(?: correctly"
    r"| right)?|if i'm not mistaken|creo(?: yo)?|glaube ich|denke ich|w[uü]rde ich sagen"
    r"|je crois|je pense|il me semble)[.!)\s]{0,5}\Z"
    r"|[,;(]\s{0,3}"
    r"(?:probably|maybe|perhaps|most likely|likely|of course|definitely|for sure|right\?"
    r"|certainly|obviously|naturally|no\?|probablemente|quiz[aá]s?|claro|por supuesto|seguro"
    r"|wahrscheinlich|vermutlich|nat[uü]rlich|vielleicht|oder\?|probablement|sans doute|bien s[uû]r"
    r"|peut-[eê]tre|thanks|in my opinion|i hope that helps)[.!)\s]{0,5}\Z",
    re.I,
)


def unhedged(text: str) -> str:
    """The text without how it begins and ends where somebody says how sure they are."""
    if len(text) > _LONGEST:
        head = _once(text[:_LONGEST])
        return head + text[_LONGEST:]
    for _ in range(_MOST_TURNS):
        shorter = _once(text)
        tail = _TAIL.search(shorter)
        if tail and tail.start():
            shorter = shorter[: tail.start()]
        shorter = shorter.strip()
        if shorter == text or not shorter:
            break
        text = shorter
    return text


def _once(text: str) -> str:
    for pattern in (_HEDGE, _LEAD):
        match = pattern.match(text)
        if match and text[match.end() :].strip(" .!?*_`\"'"):
            text = text[match.end() :].lstrip("*_ ")
    return text


# -- yes, no, and nobody knows ----------------------------------------------------------------

_YES = (
    "yes|yep|yeah|yup|yess|si|ja|jawohl|oui|ouais|of course|definitely|absolutely|certainly|"
    "affirmative|by all means|i (?:think|believe) so|claro que si|por supuesto|"
    "naturlich|selbstverstandlich|bien sur"
)
_NO = (
    "i do not think so|i think not|no|nope|nah|nein|no way|nee|non|not|negative|not at all|"
    "claro que no|por supuesto que no|"
    "(?:definitely|certainly|absolutely|probably|of course|surely) not|naturlich nicht|"
    "auf keinen fall|keineswegs|en absoluto|de ninguna manera|bien sur que non|pas du tout"
)
_SURELY = (
    "yes|si|ja|oui|indeed|definitely|certainly|absolutely|of course|sure|surely|totally|exactly|"
    "correct|for sure|by all means|without (?:a )?doubt|really|thanks|thank you|sir|"
    "(?:that is|thats|it is|its) (?:correct|right|true)|right|true|"
    "(?:it|he|she|they|you|we|i|that|this|there|those|these) (?:is|are|am|was|were|does|do|did|"
    "can|could|will|would|has|have|should|may|might)|i (?:think|believe) so|"
    "claro|claro que si|por supuesto|por supuesto que si|desde luego|correcto|exacto|sin duda|"
    "definitivamente|lo es|es cierto|es verdad|asi es|se puede|"
    "naturlich|klar|sicher|sicherlich|selbstverstandlich|gewiss|absolut|genau|richtig|bestimmt|"
    "das stimmt|das geht|das ist (?:richtig|korrekt|wahr)|auf jeden fall|definitiv|"
    "bien sur|absolument|certainement|tout a fait|evidemment|exactement|vraiment|"
    "sans aucun doute|c'est (?:ca|exact|vrai|correct)|en effet"
)
_NOT = (
    "no|nein|non|not at all|not really|definitely not|certainly not|absolutely not|never|sorry|"
    "unfortunately|unfortunately not|i'?m afraid not|im afraid not|afraid not|of course not|"
    "i (?:do not|dont) think so|"
    "(?:it|he|she|they|you|we|i|that|this|there|those|these) (?:is|are|am|was|were|does|do|did|"
    "can|could|will|would|has|have|should|may|might) not|(?:that is|it is) (?:wrong|false)|"
    "no lo es|no es cierto|no es verdad|claro que no|por supuesto que no|en absoluto|para nada|"
    "lamentablemente|lo siento|no se puede|"
    "leider|leider nicht|leider nein|das stimmt nicht|das geht nicht|auf keinen fall|gar nicht|"
    "uberhaupt nicht|keineswegs|naturlich nicht|"
    "pas du tout|malheureusement|malheureusement pas|desole|helas|absolument pas|"
    "certainement pas|bien sur que non|ce n'est pas (?:ca|vrai|exact)"
)
_IS_YES = re.compile(rf"(?:{_YES})(?: (?:{_SURELY}))*")
_IS_NO = re.compile(rf"(?:{_NO})(?: (?:{_NOT}))*")
_UNSURE = re.compile(
    r"(?:i am |i'm )?(?:not (?:entirely |really |quite )?sure|unsure|not certain)|"
    r"i (?:really )?do not know|(?:i have )?no idea|i have no clue|dunno|i can ?not (?:say|tell)|"
    r"(?:yo )?no (?:lo )?se|ni idea|no tengo (?:ni )?idea|no estoy segur[oa]|"
    r"(?:ich habe )?keine ahnung|(?:das )?weiss ich (?:leider )?nicht|ich weiss (?:es )?nicht|"
    r"ich bin (?:mir )?nicht sicher|"
    r"je ne sais pas|(?:je n'ai )?aucune idee|je ne suis pas sure?"
)
_CONTRACTIONS = (
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"(?<=\w)n't\b"), " not"),
    (re.compile(r"(?<=\w)'re\b"), " are"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"(?<=\w)'ll\b"), " will"),
    (re.compile(r"(?<=\w)'ve\b"), " have"),
    (re.compile(r"\b(it|that|he|she|what|there|here|who|where|this)'s\b"), r"\1 is"),
)


def written_out(plain: str) -> str:
    """Lower-case text with `do not` for `don't`."""
    if "'" in plain or "cannot" in plain:
        for pattern, words in _CONTRACTIONS:
            plain = pattern.sub(words, plain)
    return plain


def stance_of(text: str) -> str:
    """`yes`, `no` or `unsure`, if the text says no more than this; else empty."""
    if not 1 < len(text) <= 80:
        return ""
    plain = written_out(folded(text.replace("\u2019", "'")))
    plain = " ".join(re.sub(r"[^\w' ]|_", " ", plain).split())
    if _IS_NO.fullmatch(plain):
        return "no"
    if _IS_YES.fullmatch(plain):
        return "yes"
    return "unsure" if _UNSURE.fullmatch(plain) else ""
