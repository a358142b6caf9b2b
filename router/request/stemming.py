"""Finds the base form of an English word, so that forms of one word can be compared.

A list covers irregular forms; rules remove the endings of plural and tense. Words of one family
(`validate`, `validator`, `validation`) keep different base forms.
"""

import re
from functools import lru_cache

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


# Matches what `ing` and `ed` leave of a word that ends in `e`: `mak`, `calculat`, `revers`.
_LOST_E = re.compile(
    r"(?:^[^aeiou]*[aeiou][^aeiouywx]|[vcuz]|[^aeiou][aeiou]*(?:at|iz|is|ag|ut|ir|ur|in(?<=[bflm]in)"
    r"|os|us|as|ar(?<=[pt]ar)|or(?<=[ln]or)|id|ud|ic|iv|od|ok)|dg|ng(?<=[ah]ang)|rs|ns|lv|rg|bl|pl|tl|dl)$"
)
_NO_E = re.compile(
    r"(?:[ae][iau][a-z]|oo.|oa.|ou[^rs]|it|et|op|on|er|en|el|al|il|ow|ew|aw|ain|ear)$"
)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """The base form of a lower-case word: `validator` for `validators`, `make` for `made`."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "as", "os")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        stump = word.removesuffix(ending)
        if stump != word and len(stump) >= 2 and any(vowel in stump for vowel in "aeiouy"):
            return _restored(stump)
    return word


def _restored(stump: str) -> str:
    if stump in _IRREGULAR:
        return _IRREGULAR[stump]
    if len(stump) > 2 and stump[-1] == stump[-2] and stump[-1] not in "lsz":
        return stump[:-1]
    if stump.endswith("i"):
        return stump[:-1] + "y"
    short = re.fullmatch(r"[^aeiou]*[aeiou][^aeiouywx]", stump)
    if short or (_LOST_E.search(stump) and not _NO_E.search(stump)):
        return stump + "e"
    return stump
