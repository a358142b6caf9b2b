"""A request as it is compared: what it asks, in words that stand for all their like. Pure.

Two requests are the same only where everything that carries meaning is: each number with its unit,
each negation, each name, every quoted text. So nothing is weighed here; what is not known to be
idle is kept, and a word that only one of two requests has makes them different.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files

_LONGEST = 2_000  # characters: what is longer is compared as it stands, and never as alike


@dataclass(frozen=True, slots=True)
class Chunk:
    """Words that belong together, and the word that ties them to the rest."""

    tie: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What a request asks."""

    intent: str  # how, why, who, when, where; nothing: what
    chunks: tuple[Chunk, ...]
    numbers: tuple[str, ...]  # as they stand, in order
    negations: tuple[str, ...]
    quoted: tuple[str, ...]
    tense: str
    modal: str  # whether it asks for what can be, or what should be
    manner: str  # what it opens with: list, explain, define
    own: bool  # it speaks of the caller's own affairs
    long: bool = False
    words: tuple[str, ...] = field(default=())

    @property
    def shape(self) -> tuple[str, ...]:
        """The words, whatever the numbers among them are."""
        return tuple("#" if is_number(word) else word for word in self.words)


def is_number(word: str) -> bool:
    return word[:1].isdigit() or (word[:1] == "-" and word[1:2].isdigit())


@lru_cache(maxsize=4096)
def told(text: str) -> Told:
    if len(text) > _LONGEST:
        return Told("", (), (), (), (text,), "", "", "", own=False, long=True)
    plain, quoted = _unquoted(text)
    plain = _plain(plain)
    own, tense = bool(_OWN.search(plain)), _tense(plain)
    plain = _openers(plain)
    tokens = list(_tokens(plain, quoted))
    intent, tokens = _intent(tokens)
    modal = next((_MODALS[token] for token in tokens if token in _MODALS), "")
    manner, tokens = _manner(tokens, intent)
    chunks = tuple(_chunks(tokens))
    words = tuple(word for chunk in chunks for word in chunk.words)
    numbers = tuple(word for word in words if is_number(word))
    negations = tuple(word for word in words if word in _NEGATIONS)
    return Told(intent, chunks, numbers, negations, quoted, tense, modal, manner, own, words=words)


_QUOTED = re.compile(
    r"```.*?```|`[^`\n]+`|\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|(?<![\w'])'[^'\n]{2,400}'(?![\w'])"
    r"|https?://\S+|\b[\w.+-]+@[\w-]+\.[\w.]+|(?<!\w)(?:/[\w.-]+){2,}",
    re.S,
)
_MARK = "\ue000"


def _unquoted(text: str) -> tuple[str, tuple[str, ...]]:
    """Code, quotations, addresses: kept to the letter, and a mark in their place."""
    quoted = tuple(" ".join(one.strip("`\"“”'").split()) for one in _QUOTED.findall(text))
    return _QUOTED.sub(f" {_MARK} ", text), quoted


_CONTRACTIONS = (
    (re.compile(r"\b(can)['’]?t\b"), r"\1 not"),
    (re.compile(r"\bwon['’]t\b"), "will not"),
    (re.compile(r"\bshan['’]t\b"), "shall not"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"\b(do|does|did|is|are|was|were|has|have|had|would|could|should|must|need)n['’]?t\b"),
     r"\1 not"),
    (re.compile(r"\b(what|who|where|when|how|why|that|there|here|it|he|she)['’]s\b"), r"\1 is"),
    (re.compile(r"\bwhats\b"), "what is"),
    (re.compile(r"\bhows\b"), "how is"),
    (re.compile(r"\blet['’]s\b"), "let us"),
    (re.compile(r"\bi['’]m\b"), "i am"),
    (re.compile(r"\b(\w+)['’]re\b"), r"\1 are"),
    (re.compile(r"\b(\w+)['’]ve\b"), r"\1 have"),
    (re.compile(r"\b(\w+)['’]ll\b"), r"\1 will"),
    (re.compile(r"\b(\w+)['’]d\b"), r"\1 would"),
)  # fmt: skip
_ACRONYM = re.compile(r"\b[A-Z]{2,5}\b")
_SCALE = {"k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "mn": 10**6,
          "b": 10**9, "bn": 10**9, "billion": 10**9, "trillion": 10**12}  # fmt: skip
_SCALED = re.compile(
    r"(?<![\w.])(\d+(?:\.\d+)?)(?:(k|m|mn|b|bn)\b|\s*(thousand|million|billion|trillion)\b)"
)
_LETTERED = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s?(g|l|h)\b|(?<![\w.])(\d+(?:\.\d+)?)\s(m|s)\b")
_LETTERS = {"g": "gram", "l": "litre", "h": "hour", "m": "metre", "s": "second"}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}
_NUMBERED = re.compile(
    r"\b(war|part|chapter|volume|act|book|henry|louis|elizabeth|george|type|phase|stage|grade|class)"
    r" \^?(i{1,3}|iv|vi{0,3}|ix|x)\b"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def _plain(text: str) -> str:
    """Small letters, contractions spelled out, numbers as figures."""
    if not text.isupper():
        text = re.sub(r"(?<=\w )A\b(?!\s+[a-z])", "^A", text)
        text = _ACRONYM.sub(lambda found: "^" + found[0], text)
    text = text.lower().replace("’", "'")
    text = re.sub(r"\bu\.\s?s\.(?:\s?a\.)?", " ^us ", text)
    text = re.sub(r"\bu\.\s?k\.", " ^uk ", text)
    text = re.sub(r"\bc\+\+", " cplusplus ", text)
    text = re.sub(r"\bc#|\bc-sharp\b", " csharp ", text)
    text = re.sub(r"\.net\b", " dotnet ", text)
    for pattern, plain in _CONTRACTIONS:
        text = pattern.sub(plain, text)
    text = _THOUSANDS.sub("", text)
    text = _SCALED.sub(lambda f: _written(float(f[1]) * _SCALE[f[2] or f[3]]), text)
    text = _LETTERED.sub(lambda f: f"{f[1] or f[3]} {_LETTERS[f[2] or f[4]]}", text)
    text = _NUMBERED.sub(lambda f: f"{f[1]} {_ROMAN[f[2]]}", text)
    text = re.sub(r"\$\s*(\d[\d.]*)", r"\1 dollar", text)
    text = re.sub(r"€\s*(\d[\d.]*)", r"\1 euro", text)
    text = re.sub(r"£\s*(\d[\d.]*)", r"\1 sterling", text)
    text = re.sub(r"(\d)\s*%", r"\1 percent", text)
    text = re.sub(r"(\d)\s*°\s*c\b|(\d)\s*degrees? c(?:elsius|entigrade)?\b", r"\1\2 celsius", text)
    text = re.sub(r"(\d)\s*°\s*f\b|(\d)\s*degrees? f(?:ahrenheit)?\b", r"\1\2 fahrenheit", text)
    return _spelled(text)


def _written(value: float) -> str:
    return f"{value:.12g}" if abs(value) < 1e12 else f"{value:.0f}"


_ONES = {
    name: n
    for n, name in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    name: 10 * n
    for n, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_NAMED = "|".join(sorted((*_ONES, *_TENS), key=len, reverse=True))
_SPELLED = re.compile(
    rf"\b(?:a |(?<![\w-])(?:{_NAMED})(?:[ -](?:{_NAMED}))? )?(?:hundred|thousand|million|dozen)\b"
    rf"|\b(?:{_NAMED})(?:[ -](?:{_NAMED}))?\b"
)
_NOT_ONE = re.compile(
    r"\b(which|this|that|the|every|any|no|some|each|good|best|other|can|could|should|does|do|would|"
    r"to|might|may|must) one\b"
)


def _spelled(text: str) -> str:
    """`twenty five` as 25; a `one` that only stands for a thing goes."""
    text = _NOT_ONE.sub(r"\1", text)
    return _SPELLED.sub(_figure, text)


_BIG = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6}


def _figure(found: re.Match[str]) -> str:
    value, times = 0, 1
    for word in re.split(r"[ -]", found[0]):
        value += _ONES.get(word, 0) + _TENS.get(word, 0)
        times *= _BIG.get(word, 1)
    return str((value or 1) * times if times > 1 else value)


_ASKER = r"(?:i|you|we|one|someone|somebody|a person|people|anyone)"
_MODAL = r"(?:do|does|can|could|should|would|might|may|will|must|shall|to)"
_WAY = r"(?:way|method|approach|procedure|process|steps?|technique|trick|instructions?)"
_BEST = r"(?:best|right|correct|proper|good|standard|recommended|usual|preferred|main|common)"
_AGENTS = {
    "founder": "founded", "author": "wrote", "writer": "wrote", "painter": "paint",
    "inventor": "invent", "discoverer": "discover", "creator": "create", "director": "direct",
    "composer": "compose", "designer": "design", "owner": "own", "winner": "win",
    "builder": "built", "developer": "develop", "maker": "make", "singer": "sing",
}  # fmt: skip
_WHO = r"(?:person|people|man|woman|artist|writer|author|scientist|painter|composer|inventor|director|explorer|philosopher|engineer|architect|poet|singer|actor|musician)"
_DONE = r"(?:\w+ed|made|built|written|done|grown|sold|found|taken|given|known|chosen|sent|kept|spent|cut|put|set|run|driven|drawn|bought|taught)"
_END = r"(?=\s*[?.,!]|\s*$)"
# How requests say one thing in many ways, in this order: a word that must be there, the way, and
# how it is said here.
_OPENERS = tuple(
    (word, re.compile(pattern), plain)
    for word, pattern, plain in (
        ("", r"^\s*(?:hi|hello|hey|dear \w+|good (?:morning|evening|day))(?: there| everyone| all)?\b[ ,!.:-]*", ""),
        ("pl", r"\b(?:please|pls|plz)\b,?", " "),
        ("kindly", r"\bkindly\b", " "),
        ("th", r"\b(?:thanks|thank you|many thanks|thx)(?: so much| a lot| in advance| very much)?\b[ !.]*$", " "),
        ("question", r"\b(?:quick|simple|stupid|silly|random|just a(?: quick)?|a quick) question\b[ ,:.-]*", " "),
        ("", r"^\s*(?:so|well|ok|okay|now|and|also|actually|basically|just),?\s+", ""),
        ("do", r"\bwhat (?:should|can|could|must|do|does|would) (?:i|you|we|one|someone) (?:need to |have to |got to )?do (?:in order )?(?:to|so that i|if i want to)\b", " how "),
        ("ing", rf"\b(?:i|we) (?:was |were |am |are )?(?:just )?wondering(?: about| if {_ASKER} (?:can|could) (?:tell|explain|show)(?: me| us)?| if)?\b[ ,:]*", " "),
        ("curious", r"\b(?:i|we) (?:was|were|am|are) (?:just )?curious(?: about)?\b", " "),
        ("know", r"\b(?:do|does|would) (?:you|anyone|anybody|somebody) (?:happen to )?know(?: about)?\b[ ,:]*", " "),
        ("how", r"\b(?:i|we) (?:would|will|do) (?:like|love|want) to know how to\b", " how "),
        ("to", r"\b(?:i|we) (?:would|will) (?:like|love)(?: you)? to\b|\b(?:i|we) (?:want|need|wish|have|am trying|are trying|try)(?: you)? to\b(?! be)", " "),
        ("", r"\b(?:i|we) (?:want|need|would like|am looking for|require)\b(?= (?:a|an|the|some|\d|help))", " "),
        ("say", rf"\bhow (?:do|would|can|to)(?: {_ASKER})? say (.{{1,80}}?) in (\w+)", r" translate \1 to \2"),
        ("\ue000 in", r"^\s*what is (\ue000) in (\w+)" + _END, r" translate \1 to \2"),
        ("how", r"\bhow (?:would|do|can|could) you (?=explain|describe|define|summarize)", " "),
        ("you", r"^\s*(?:can|could|would|will) (?:you|someone|somebody|anyone|anybody|i)(?: please| possibly| just| ever| quickly)? (?:get |have )?(?:help (?:me|us)(?: to| with| out(?: with)?)?|tell (?:me|us)(?: about| if| whether)?|show (?:me|us)|teach (?:me|us)|give (?:me|us)|let (?:me|us) know|remind (?:me|us)|walk me through|point me to)\b[ ,:]*", ""),
        ("", r"\b(?:can|could|would|will) (?:you|someone|somebody|anyone|anybody)(?: please| possibly| just)? (?=(?:explain|describe|write|create|make|list|name|give|tell|show|define|calculate|find|suggest|recommend|translate|summarize|summarise|generate|convert|compare|help|provide|draft|compose|solve|sort|check|draw|design|build|implement|fix|review|rewrite|outline|identify|compute|elaborate|share)\b)", " "),
        ("e", r"\b(?:help (?:me|us)(?: to| with| out(?: with)?| understand)?|(?:tell|show|teach|remind) (?:me|us)(?: about)?|let (?:me|us) know|(?:walk|guide) me through|give (?:me|us)|make (?:me|us)(?= an?\b)|provide(?: me| us)?(?: with)?|i need help (?:with|to|on)?|need help (?:with|on|to)?|looking for help (?:with|on))\b[ ,:]*", " "),
        ("to know", r"\bto know(?: about)?\b", " "),
        ("", r"\b(?:to )?(?:learn|understand|find out|figure out|see|know|explain|describe|teach) (?=(?:how|why|what|when|where|who|which)\b)", " "),
        ("differ", rf"\bhow (?:does|do|is|are) (.{{1,60}}?) (?:differ|different) from (.{{1,60}}?){_END}", r" difference between \1 and \2 "),
        ("compare", rf"\bhow (?:does|do) (.{{1,60}}?) (?:and|compare to|compare with) (.{{1,60}}?)(?: compare)?(?=\s*[?.,!]|\s*$|\s+for\b|\s+in\b)", r" compare \1 and \2 "),
        ("comparison", r"\b(?:a |the )?comparison (?:of|between)\b", " compare "),
        (" be ", rf"\bhow (?:can|could|should|would|may|might|must) (.{{1,60}}?) be ({_DONE})\b", r" how \2 \1 "),
        ("how", rf"\bhow (?:is|are|was|were) (?!it\b|there\b)(.{{1,50}}?) ({_DONE})\b", r" how \2 \1 "),
        ("", rf"\bwhat (?:is|are|would be|will be|might be) (?:the |a |an |some )?(?:{_BEST} )?(?:possible )?{_WAY} (?:that )?(?:(?:{_ASKER} )?{_MODAL} |for |of |in which {_ASKER} {_MODAL} |{_ASKER} )", " how "),
        ("there", rf"\b(?:is|are) there (?:a|an|any|some)? ?(?:{_BEST} |easy |possible |simple )?{_WAY}s? (?:{_ASKER} )?(?:{_MODAL}|for|of)\b", " how "),
        ("", rf"\b(?:what|which) (?:{_BEST} )?{_WAY} (?:{_MODAL}|is|are)(?: {_ASKER})?(?: used| needed| required)?(?: to| for)?\b", " how "),
        ("", rf"\b(?:the )?(?:{_BEST} )?(?:{_WAY}|tutorial|guide|walkthrough)s? (?:on how to|for how to|to|on|for|of)(?= \w+ing\b| (?!the\b|a\b|my\b)\w)", " how "),
        ("recipe", r"^\W*(?:what is |what are )?(?:the |a |some )?(?:\w+ )?recipes? for (?:making )?", " how create "),
        ("formula", r"^\W*(?:what is )?(?:the )?formula (?:for|to) (?:calculat\w+ |comput\w+ )?", " how calculate "),
        ("co", r"^\W*what is the (\w+ )?(?:command|code|syntax|shortcut) (?:to|for)\b", r" \1 , how "),
        ("command", r"^\W*(?:what|which) command (\w+?)s\b", r" how \1 "),
        ("summary", r"\b(?:a |the )?(?:short |brief )?summary of\b", " summarize "),
        ("what is", r"^\s*what is (\d[\d.]* [\w^ ]{1,30}?) in (?=\^?\w+\b)", r" convert \1 to "),
        ("ed", r"\b(ingredients|tools|materials|documents|items|supplies) (?:are |is )?(?:needed|required)(?: for| to make)?\b", r" \1 for "),
        ("need", r"\b(ingredients|tools|materials|documents|items|supplies) (?:do|does|will|would) (?:i|you|we|one) (?:need|require)(?: for| to make)?\b", r" \1 for "),
        ("year", r"(?<=year)([ -]old) (?:child|kid|boy or girl|person)\b", r"\1"),
        ("how", rf"\bhow (?:is it possible|would it be possible|am i able|are you able|are we able|do {_ASKER} go about|can {_ASKER} go about|should {_ASKER} go about|to go about)(?: to| for| in)?\b", " how "),
        ("how", rf"\bhow (?:exactly )?{_MODAL} {_ASKER}(?: (?:go about|manage to|be able to|best|properly|correctly|actually|exactly|just|need to|have to))?\b", " how "),
        ("how", r"\bhow (?:exactly )?to(?: (?:go about|best|properly|correctly))?\b", " how "),
        ("how ", r"\bhow  ?convert (?=\d)", " convert "),
        ("", r"\b(?:what is|what are|what was|what were|what could be|for)? ?(?:the )?(?:main |exact )?(?:reasons?|causes?) (?:that|why|for|behind|of)\b", " why "),
        ("what", r"\bwhat (?:is|are) the (?:reason|cause) (?=the\b|\w+ (?:is|are)\b)", " why "),
        ("what", r"\bwhat (?:causes|caused|makes|made|would cause|could cause)\b", " why "),
        ("how come", r"\bhow come\b", " why "),
        ("reason", r"\bfor what reasons?\b", " why "),
        ("what does", r"\bwhat does ([^?.,]{1,60}?) (?:mean|stand for|refer to)\b", r" what is \1 "),
        ("of", r"\b(?:the )?(?:meaning|definition) of ([^?.,]{1,60})", r" what \1 "),
        ("", r"\b(?:in|at|on|during) (?:what|which) (?:year|date|day|time|month|century)\b(?! zone)|\b(?:what|which) (?:year|date|day|time|month|century) (?=(?:did|was|were|is|does|do|will)\b)", " when "),
        ("best time", r"\b(?:what|when) (?:is|was|would be) the best time (?:of (?:the )?(?:year|day) )?(?:to|for)\b", " when best "),
        ("what", r"\bwhat (?:is|was) the (?:date|year|day) (?:when|of|that|on which|in which)\b", " when "),
        ("", r"\b(?:in |at |from |to )?(?:what|which) (?:place|location|spot)\b(?: is| are)?", " where "),
        ("location", r"\bwhat (?:is|was) the location of\b|\bthe location of\b", " where "),
        ("", rf"\b(?:what|which) {_WHO}\b|\bby whom\b|\bwhat (?:is|was) the name of the (?:person|man|woman) (?:who|that)\b|\bthe person (?:who|that)\b", " who "),
        ("who ", r"\bwho (?:is|was|were|are) (?:the )?(\w+er|author|inventor|creator|director|\w+or) of\b", "AGENT"),
        ("how", r"\bhow many (people|inhabitants) (?:live|lives|are living|are there|reside) in\b", " population of "),
        ("how", r"\bhow big is (?=the population)", " what is "),
        ("", r"\bhow many\b|\b(?:what is )?(?:the )?(?:total )?(?:number|count|quantity) of\b", " number "),
        ("how", r"\bhow much (?:is|are|does)(?= (?:\d|\w+ (?:percent|times|plus|minus)))", " what is "),
        ("", r"\bhow much (?:does|do|is|are|will|would) (.{1,60}?) (?:cost|go for|sell for)\b|\bhow (?:expensive|costly|dear) (?:is|are) ([^?]{1,60})|\bwhat (?:does|do) (.{1,60}?) cost\b", r" price \1\2\3 "),
        ("how", r"\bhow (?:long|much time) (?:does|do|will|would|did) (.{1,60}?) (?:take|last)\b", r" duration \1 "),
        ("how", r"\bhow (?:long|much time) (?:is|are) (?:needed|required|necessary)\b", " duration "),
        ("how far", rf"\bhow far (?:away )?(?:is|are) (.{{1,50}}?) (?:away )?(?:from|to) (.{{1,50}}?)(?=\s*[?.,!]|\s*$|\s+in\b)", r" distance between \1 and \2 "),
        ("distance", r"\bdistance from (.{1,50}?) to\b", r" distance between \1 and "),
        ("how old", r"\bhow old (?:is|are|was|were)\b", " age of "),
        ("how", r"\bhow (?:tall|high) (?:is|are|was)\b", " height of "),
        ("how", r"\bhow (?:big|large) (?:is|are|was)\b", " size of "),
        ("how", r"\bhow heavy (?:is|are)\b|\bhow much (?:does|do) (?=.{1,60}? weigh\b)", " weight of "),
        ("how deep", r"\bhow deep (?:is|are)\b", " depth of "),
        ("how wide", r"\bhow wide (?:is|are)\b", " width of "),
        ("how fast", r"\bhow fast (?:is|are)\b", " speed of "),
        ("how", r"\bhow (?:hot|cold|warm) (?:is|are)\b", " temperature of "),
        ("how", r"\bhow (?:often|frequently)\b", " frequency "),
        ("how much", r"\bhow much\b", " amount of "),
        ("is it", r"\bis it (?:ok|okay|fine|alright|allowed) (?:for )?(.{0,40}?) ?to\b", r" can \1 "),
        (" of", r"\b(?:a|the) (?:list|set|selection|collection|overview|couple|bunch) of\b|\blist of\b", " "),
        (" of", r"\b(?:brief(?:ly)? )?(?:explanation|description|account) of\b", " "),
        ("", r"\bin order to\b|\bso as to\b", " to "),
        ("", r"\bas well as\b|\balong with\b|\btogether with\b", " and "),
        ("", r"\bwith the help of\b|\bby means of\b|\bby using\b|\bmaking use of\b|\busing\b|\bthrough the use of\b", " with "),
        ("", r"\bregarding\b|\bconcerning\b|\bwith respect to\b|\bon the (?:topic|subject) of\b", " about "),
        ("in", r"\binside(?: of)?\b|\bwithin\b", " in "),
        ("", r"\bversus\b|\bvs\.?(?=\s)|\bcompared (?:to|with)\b", " vs "),
        ("", r"\bsuch as\b|\bfor example\b|\bfor instance\b|\be\.g\.", " like "),
        ("in", r"\bin (?:simple|plain|layman'?s?|everyday) (?:terms|words|language|english)\b", " simply "),
        ("", r"\b(?:in the world|on earth|of all time)\b|\bthe world's\b", " "),
        ("", r"(?<=\b\d-)year-old\b|\b(?<=\d )year-old\b|(?<=\d-)year old\b", " year old"),
    )
)  # fmt: skip
_OWN = re.compile(r"\b(?:my|mine|our|ours|myself)\b")


def _openers(text: str) -> str:
    for word, pattern, plain in _OPENERS:
        if word in text:
            text = pattern.sub(_agent if plain == "AGENT" else plain, text)
    return text


def _agent(found: re.Match[str]) -> str:
    """`who is the founder of` as who founded."""
    verb = _AGENTS.get(found[1])
    return f" who {verb} " if verb else found[0]


_TOKEN = re.compile(
    r"\ue000|\^[a-z]+|-?\d+(?:[.,:/]\d+)*(?:st|nd|rd|th)?|[^\W\d_]+(?:_[^\W\d_]+)*(?:'s\b)?\d*|[=<>+*/^~|\\&@#%!?,;.()-]"
)
_SIGNS = frozenset("=<>+*/^~|\\&@#%")
_PAUSE = ","


def _tokens(text: str, quoted: Sequence[str]) -> Iterator[str]:
    """Words by their group's name; ends of clauses as a comma."""
    left = iter(quoted)
    pieces = [piece[0] for piece in _TOKEN.finditer(_phrased(text))]
    for at, piece in enumerate(pieces):
        if piece == _MARK:
            yield "=" + next(left, "")
        elif piece in _SIGNS:
            yield piece
        elif piece == "-":
            # Between two numbers it takes away; between two words it only joins them.
            if at and is_number(pieces[at - 1]) and at + 1 < len(pieces) and is_number(pieces[at + 1]):
                yield piece
        elif piece in ",;.!?()":
            yield _PAUSE
        elif piece.endswith("'s"):
            yield named(piece[:-2])
            yield "'s"
        elif piece[:1].isdigit() or piece[:1] == "-":
            yield _number(piece)
        else:
            yield named(piece)


def _number(piece: str) -> str:
    try:
        return _written(float(piece))
    except ValueError:
        return piece


def _phrased(text: str) -> str:
    """Phrases of several words as one."""
    phrases = lexicon().phrases
    if phrases is None:
        return text
    return phrases.sub(lambda found: found[0].replace(" ", "-").replace("-", "\u2010"), text).replace(
        "\u2010", "_"
    )


@dataclass(frozen=True)
class Lexicon:
    names: Mapping[str, str]
    units: frozenset[str]
    phrases: re.Pattern[str] | None


@cache
def lexicon() -> Lexicon:
    names: dict[str, str] = {}
    units: set[str] = set()
    section = ""
    for line in (files("router") / "reuse" / "lexicon.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif line and not line.startswith("#"):
            group = line.split()
            names |= {word: group[0] for word in group if word not in names}
            if section == "[units]":
                units.add(group[0])
    phrases = sorted((w.replace("-", "[ -]") for w in names if "-" in w), key=len, reverse=True)
    pattern = re.compile(rf"\b(?:{'|'.join(phrases)})\b") if phrases else None
    return Lexicon(names, frozenset(units), pattern)


_IRREGULAR = {
    form: base
    for line in (
        "be is are was were been being am", "do does did done doing", "have has had having",
        "go goes went gone going", "make makes made making", "get gets got gotten getting",
        "write writes wrote written writing", "buy buys bought buying", "build builds built",
        "find finds found finding", "give gives gave given", "take takes took taken taking",
        "run runs ran running", "win wins won winning", "lose loses lost losing",
        "speak speaks spoke spoken", "begin begins began begun beginning", "see sees saw seen",
        "know knows knew known", "think thinks thought", "tell tells told", "say says said",
        "become becomes became becoming", "come comes came coming", "grow grows grew grown",
        "break breaks broke broken", "choose chooses chose chosen choosing", "eat eats ate eaten",
        "drink drinks drank drunk", "drive drives drove driven driving", "fall falls fell fallen",
        "fly flies flew flown", "forget forgets forgot forgotten", "freeze froze frozen freezing",
        "keep keeps kept", "leave leaves left leaving", "pay pays paid", "rise rises rose risen",
        "sell sells sold", "send sends sent", "sing sang sung", "sleep sleeps slept",
        "spend spends spent", "steal stole stolen", "teach teaches taught", "understand understood",
        "wear wore worn", "child children", "man men", "woman women", "person persons",
        "mouse mice", "foot feet", "tooth teeth", "life lives", "wife wives", "knife knives",
        "die dies died dying", "lie lies lied lying", "tie ties tied tying", "use uses used using",
        "analysis analyses", "index indices indexes", "matrix matrices", "vertex vertices",
        "criterion criteria", "phenomenon phenomena", "datum data", "series", "species", "news",
        "bus buses", "gas gases", "lens lenses", "class classes", "process processes", "access",
        "python", "paris", "always", "this", "less", "mathematics", "physics", "kubernetes",
        "texas", "virus viruses", "status", "bonus bonuses", "thesis theses",
        "create creates created creating", "delete deletes deleted deleting", "please pleased",
        "complete completes completed completing", "release releases released releasing",
        "increase increases increased increasing", "decrease decreases decreased decreasing",
        "cause causes caused causing", "raise raises raised raising", "pause pauses paused",
        "phrase phrases", "browse browses browsed browsing", "house houses", "course courses",
        "purchase purchases purchased purchasing", "database databases", "lease leased leasing",
        "bring brings brought", "catch catches caught", "feel feels felt", "hold holds held",
        "learn learns learnt learned learning", "mean means meant", "meet meets met meeting",
        "read reads reading", "set sets setting", "shut shuts", "split splits splitting",
        "training", "string", "thing", "king", "spring", "ring", "wing", "sing", "bring", "morning",
        "evening", "building", "meeting", "during", "nothing", "something", "anything",
        "everything", "ceiling", "wedding", "red", "bed", "need needs needed", "speed", "seed",
        "feed", "hundred", "bleed", "weed", "breed", "indeed", "embed embeds embedded",
        "united", "sacred", "naked", "hatred", "sled", "shed", "led", "fed",
    )
    for base, *forms in [line.split()]
    for form in (base, *forms)
}  # fmt: skip


@cache
def named(word: str) -> str:
    """The group's name of a word, in whatever form it comes."""
    if "_" in word:  # a phrase
        word = word.replace("_", "-")
        return lexicon().names.get(word, word)
    for form in _forms(word):
        if form in lexicon().names:
            return lexicon().names[form]
    return _base(word)


def _forms(word: str) -> Iterator[str]:
    yield word
    yield _base(word)


# Stems that an `e` was taken from before `ing` and `ed`: `mak`, `calculat`, `manag`, `revers`.
_LOST_E = re.compile(
    r"(?:^[^aeiou]*[aeiou][^aeiouywx]|[vcuz]|[^aeiou][aeiou]*(?:at|iz|is|ag|ut|ir|ur|in(?<=[bflm]in)"
    r"|os|us|as|ar(?<=[pt]ar)|or(?<=[ln]or)|id|ud|ic|iv|od|ok)|dg|ng(?<=[ah]ang)|rs|ns|lv|rg|bl|pl|tl|dl)$"
)
_NO_E = re.compile(r"(?:[ae][iau][a-z]|oo.|oa.|ou[^rs]|it|et|op|on|er|en|el|al|il|ow|ew|aw|ain|ear)$")


def _base(word: str) -> str:
    """Without the endings of number and time: the same ending always comes off the same way."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or word[0] == "^" or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "as", "os")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 2 and any(vowel in stem for vowel in "aeiouy"):
            return _restored(stem)
    return word


def _restored(stem: str) -> str:
    if stem in _IRREGULAR:
        return _IRREGULAR[stem]
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    if stem.endswith("i"):
        return stem[:-1] + "y"
    short = re.fullmatch(r"[^aeiou]*[aeiou][^aeiouywx]", stem)
    if short or (_LOST_E.search(stem) and not _NO_E.search(stem)):
        return stem + "e"
    return stem


_INTENTS = ("how", "why", "who", "when", "where")
_IDLE = frozenset(
    "a an the be do have what which that those there it its 's i you we they them "
    "me us my our your to any some please just really actually exactly basically "
    "quite very so also too then ever contain consist happen can could would should may might shall "
    "thing stuff possible able try whom whose generally usually normally typically "
    "certain particular specific properly correctly exist called involve include".split()
)
# What a request may open with that says only how its answer is to read.
_OPENING = {
    word: manner
    for manner, words in (
        ("", "tell give show provide state present get help know find see look calculate"),
        ("create", "create"),
        ("list", "list name enumerate identify mention suggest recommend"),
        ("explain", "explain describe discuss elaborate"),
        ("define", "define"),
    )
    for word in words.split()
}
_NEGATIONS = frozenset(
    "not no never without none nobody nothing neither nor except exclud exclude avoid unless "
    "lack isn aren un non cannot hardly rarely".split()
)
_PAST = re.compile(r"\b(?:was|were|did|had)\b")
_PRESENT = re.compile(r"\b(?:is|are|am|do|does)\b")
_FUTURE = re.compile(r"\b(?:will|shall|going to)\b")


def _tense(text: str) -> str:
    for tense, pattern in (("past", _PAST), ("future", _FUTURE), ("present", _PRESENT)):
        if pattern.search(text):
            return tense
    return ""


_MODALS = {"can": "can", "could": "can", "may": "can", "should": "should", "must": "should", "would": "would"}
_AUXILIARY = frozenset("be do have can could should would will may might must shall".split())
_TIES = {
    tie: tie
    for tie in "of in for with from to by about into as during since until till before after between "
    "against over under per than through across around near outside like if because while when "
    "where and or but vs via upon above below behind beside beyond toward towards onto at on "
    "without except".split()
} | {"via": "with", "on": "in", "at": "in", "toward": "to", "towards": "to", "till": "until",
     "upon": "in", "into": "to", "onto": "to"}  # fmt: skip


# Where one part of a sentence ends and the next begins.
_BETWEEN = {"'s": "'s", "be": "be", "that": "", "which": "", "who": "", "whom": ""} | {
    word: "do" for word in _AUXILIARY - {"be"}
}
_SAYS_SOMETHING = frozenset("like without before after since until over under than".split())


def _intent(tokens: list[str]) -> tuple[str, list[str]]:
    """The first word that asks; a clause that it stands in comes first."""
    for at, token in enumerate(tokens):
        if token in _INTENTS:
            rest = tokens[:at] + tokens[at + 1 :]
            front = [t for t in tokens[:at] if t != _PAUSE and t not in _IDLE]
            # `In Python, how do I …`: what comes before the question belongs behind it.
            if front and front[0] in _TIES:
                rest = tokens[at + 1 :] + [_PAUSE, *tokens[:at]]
            return token, rest
    if tokens and tokens[0] in _AUXILIARY and "or" not in tokens:
        return "whether", tokens[1:]
    front = tokens.index(_PAUSE) if _PAUSE in tokens else 0
    if front and _TIES.get(tokens[0]) in ("in", "for", "with", "from"):
        tokens = [*tokens[front + 1 :], _PAUSE, *tokens[:front]]
    return "", tokens


def _manner(tokens: list[str], intent: str) -> tuple[str, list[str]]:
    """Verbs that a request opens with and that only ask."""
    manner, start = "", -1
    for at, token in enumerate(tokens):
        if token in _AUXILIARY and token != "be":
            start = at  # whose doing it is comes next
            continue
        if token in _OPENING and not intent:
            manner = manner or _OPENING[token]
        elif token in ("what", "which") and not intent:
            manner = manner or "what"
        elif token not in _IDLE and token != _PAUSE:
            return manner, tokens[start if start >= 0 and start == at - 1 else at :]
    return manner, tokens


def _chunks(tokens: Sequence[str]) -> Iterator[Chunk]:
    tie, words = "", list[str]()
    for token in [*tokens, _PAUSE]:
        if token == _PAUSE or token in _TIES or token in _BETWEEN:
            if words or tie in _SAYS_SOMETHING:
                yield Chunk(tie, tuple(words)) if words else Chunk("", (tie,))
                words, tie = [], ""
            tie = _TIES.get(token, _BETWEEN.get(token, ""))
            if tie in _NEGATIONS:
                words, tie = [tie], ""
        elif token not in _IDLE:
            words.append(token)
    if words:
        yield Chunk(tie, tuple(words))
