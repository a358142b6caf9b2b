"""Words by the name of their group, in whatever form they come. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


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
_NO_E = re.compile(
    r"(?:[ae][iau][a-z]|oo.|oa.|ou[^rs]|it|et|op|on|er|en|el|al|il|ow|ew|aw|ain|ear)$"
)


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
