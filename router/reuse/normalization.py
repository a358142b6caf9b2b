"""Brings requests into one form, so that their words can be compared. Pure.

The functions spell out contractions, write numbers as figures and remove polite words. The ways to
ask how to do something become one. No other word is taken away or replaced.
"""

import re

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
_ROMAN = {
    roman: n
    for n, roman in enumerate(
        ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"), start=1
    )
}
_NUMBERED = re.compile(
    r"\b(war|part|chapter|volume|act|book|henry|louis|elizabeth|george|type|phase|stage|grade|class)"
    r" \^?(i{1,3}|iv|vi{0,3}|ix|x)\b"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def normalize_spelling(text: str) -> str:
    """The text in lower case, with contractions spelled out and numbers as figures.

    Acronyms get a mark: `^us` is the country, `us` the pronoun.
    """
    if not text.isupper():
        text = re.sub(r"(?<=\w )A\b(?!\s+[a-z])", "^A", text)
        text = _ACRONYM.sub(lambda match: "^" + match[0], text)
    text = re.sub(r"(?<=[a-z] )Go(?='s|’s|[?.,]|$)", "golang", text)
    text = text.lower().replace("’", "'")
    if "u." in text:
        text = re.sub(r"\bu\.\s?s\.(?:\s?a\.)?", " ^us ", text)
        text = re.sub(r"\bu\.\s?k\.", " ^uk ", text)
    text = re.sub(r"\bc\+\+", " cplusplus ", text)
    text = re.sub(r"\bc#|\bc-sharp\b", " csharp ", text)
    text = re.sub(r"\.net\b", " dotnet ", text)
    if "'" in text or "nt" in text or "can" in text or "whats" in text or "hows" in text:
        for pattern, long_form in _CONTRACTIONS:
            text = pattern.sub(long_form, text)
    text = _NUMBERED.sub(lambda m: f"{m[1]} {_ROMAN[m[2]]}", text)
    return _spelled(_measures(text) if _DIGIT.search(text) else text)


_DIGIT = re.compile(r"\d")


def _measures(text: str) -> str:
    """The text with figures as plain numbers, and with the names of units."""
    text = _THOUSANDS.sub("", text)
    text = _SCALED.sub(lambda m: figure(float(m[1]) * _SCALE[m[2] or m[3]]), text)
    text = _LETTERED.sub(lambda m: f"{m[1] or m[3]} {_LETTERS[m[2] or m[4]]}", text)
    text = re.sub(r"\$\s*(\d[\d.]*)", r"\1 dollar", text)
    text = re.sub(r"€\s*(\d[\d.]*)", r"\1 euro", text)
    text = re.sub(r"£\s*(\d[\d.]*)", r"\1 sterling", text)
    text = re.sub(r"(\d)\s*%", r"\1 percent", text)
    text = re.sub(r"(\d)\s*°\s*c\b|(\d)\s*degrees? c(?:elsius|entigrade)?\b", r"\1\2 celsius", text)
    return re.sub(r"(\d)\s*°\s*f\b|(\d)\s*degrees? f(?:ahrenheit)?\b", r"\1\2 fahrenheit", text)


def figure(value: float) -> str:
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
    for n, name in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
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
    """Write `twenty five` as 25, and remove `one` where it stands for a noun."""
    text = _NOT_ONE.sub(r"\1", text)
    return _SPELLED.sub(_number_in_words, text)


_BIG = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6}


def _number_in_words(match: re.Match[str]) -> str:
    value, times = 0, 1
    for word in re.split(r"[ -]", match[0]):
        value += _ONES.get(word, 0) + _TENS.get(word, 0)
        times *= _BIG.get(word, 1)
    return str((value or 1) * times if times > 1 else value)


_ASKER = r"(?:i|you|we|one|someone|somebody|a person|people|anyone)"
_WAY = r"(?:best |right |correct |proper |good |easiest )?(?:way|method|steps?)"
_PLEASE = re.compile(r"\b(?:please|pls|plz|kindly)\b,?")
# Polite words before a request, in the order of their removal.
_OPENINGS = tuple(
    re.compile(pattern)
    for pattern in (
        r" ?(?:hi|hello|hey|good (?:morning|evening|day))(?: there| everyone| all)?\b[ ,!.:-]*",
        r" ?(?:quick|simple|stupid|silly|random|just a(?: quick)?|a quick) question\b[ ,:.-]*",
        r" ?(?:so|well|ok|okay|and|also|actually|basically|just),?\s+",
        r" ?(?:i|we) (?:was |were |am |are )?(?:just )?(?:wondering|curious)(?: about| if)?\b[ ,:]*",
        r" ?(?:do|does|would) (?:you|anyone|anybody) (?:happen to )?know(?: about)?\b[ ,:]*",
        r" ?(?:i|we) (?:would|will|do)? ?(?:like|love|want|need) to know(?: about)?\b",
        r" ?(?:can|could|would|will) (?:you|someone|somebody|anyone)(?: possibly| just)? "
        r"(?=(?:tell|show|give|explain|describe|write|create|make|list|name|help|teach|find|suggest|recommend|translate|"
        r"summarize|summarise|convert|compare|calculate|define|draft|generate|fix|solve|rewrite|check|plan)\b)",
        r" ?(?:tell|show|teach|give) (?:me|us)(?: about)?\b[ ,:]*",
        r" ?(?:let (?:me|us) know|(?:walk|guide) me through)\b",
        r" ?(?:i|we) (?:want|would like|need)(?: you)? to (?=know|learn|find out)",
        r" ?(?:to )?(?:know|learn|find out|figure out|understand|explain) (?=how|why|what|when|where|who|which)",
    )
)  # fmt: skip
_THANKS = re.compile(
    r"\b(?:thanks|thank you|many thanks|thx)(?: so much| a lot| in advance| very much)?\b[ !.]*$"
)
# Ways to ask, each with the words that stand for them. A match has the text of the first column.
_WAYS = tuple(
    (needle, re.compile(pattern), replacement)
    for needle, pattern, replacement in (
        ("how", r"\bhow (?:exactly )?(?:do|can|could|should|would|might) (you|we)\b", r" how \1 "),
        ("how", rf"\bhow (?:exactly )?(?:do|can|could|should|would|to|does|might) {_ASKER}\b", " how "),
        ("how", r"\bhow (?:exactly )?to\b", " how "),
        ("what", rf"\bwhat (?:is|are|would be) (?:the |a )?{_WAY} (?:for me )?(?:to|of|for)(?= \w)", " how "),
        ("how many", r"\bhow many\b", " howmany "),
        ("number of", r"\b(?:what is )?the number of\b|^\s*number of\b", " howmany "),
        ("how much", r"\bhow much\b", " howmuch "),
        ("how", r"\bhow (?:long|far|old|tall|big|deep|wide|fast|heavy|hot|cold|often)\b", lambda m: f" how{m[0][4:]} "),
        ("how come", r"\bhow come\b", " why "),
        ("reason", r"\bwhat is the reason (?:that|why)\b", " why "),
        (" it ", r"\b(?:is|are|would) it (?:ok|okay|fine|alright|allowed|possible)(?: for (?:me|us|you))? to\b", " can "),
        ("ed to", rf"\b(?:am|are|is) {_ASKER} (?:allowed|permitted) to\b", " can "),
        ("able to", rf"\b(?:am|are|is) {_ASKER} able to\b", " can "),
        ("what to do", r"\bwhat to do\b", " what should do "),
        (" to", r"\b(?:have|has|need|needs|got) to\b", " must "),
        ("going to", r"\b(?:am|are|is|be) going to\b", " will "),
        ("in order to", r"\bin order to\b", " to "),
        ("so as to", r"\bso as to\b", " to "),
        ("-free", r"\b(\w+)-free\b", r" without \1 "),
        ("with no", r"\bwith no\b", " without "),
        ("that do", r"\bthat (?:do|does) not (?:have|contain|use)\b", " without "),
        ("1", r"(?<![\d.,:/])\b1\b(?=\s*(?:$|[?.!,]|in\b|into\b|that\b|which\b))", " "),
    )
)  # fmt: skip


def without_courtesy(text: str) -> str:
    """The text without polite words, with one word for each way to open a question."""
    text = " ".join(_PLEASE.sub(" ", text).split())
    for opening in _OPENINGS:
        if match := opening.match(text):
            text = text[match.end() :]
    text = _THANKS.sub(" ", text)
    for needle, pattern, replacement in _WAYS:
        if needle in text:
            text = pattern.sub(replacement, text)
    return " ".join(text.split())
