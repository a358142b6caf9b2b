"""Brings requests into one form, so that their words can be compared. Pure.

The functions spell out contractions, write numbers as figures and remove polite openings. They
replace the many ways to ask how, why, when, how many or for a difference by one way each.
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
    text = text.lower().replace("’", "'")
    text = re.sub(r"\bu\.\s?s\.(?:\s?a\.)?", " ^us ", text)
    text = re.sub(r"\bu\.\s?k\.", " ^uk ", text)
    text = re.sub(r"\bc\+\+", " cplusplus ", text)
    text = re.sub(r"\bc#|\bc-sharp\b", " csharp ", text)
    text = re.sub(r"\.net\b", " dotnet ", text)
    for pattern, long_form in _CONTRACTIONS:
        text = pattern.sub(long_form, text)
    text = _THOUSANDS.sub("", text)
    text = _SCALED.sub(lambda m: figure(float(m[1]) * _SCALE[m[2] or m[3]]), text)
    text = _LETTERED.sub(lambda m: f"{m[1] or m[3]} {_LETTERS[m[2] or m[4]]}", text)
    text = _NUMBERED.sub(lambda m: f"{m[1]} {_ROMAN[m[2]]}", text)
    text = re.sub(r"\$\s*(\d[\d.]*)", r"\1 dollar", text)
    text = re.sub(r"€\s*(\d[\d.]*)", r"\1 euro", text)
    text = re.sub(r"£\s*(\d[\d.]*)", r"\1 sterling", text)
    text = re.sub(r"(\d)\s*%", r"\1 percent", text)
    text = re.sub(r"(\d)\s*°\s*c\b|(\d)\s*degrees? c(?:elsius|entigrade)?\b", r"\1\2 celsius", text)
    text = re.sub(r"(\d)\s*°\s*f\b|(\d)\s*degrees? f(?:ahrenheit)?\b", r"\1\2 fahrenheit", text)
    return _spelled(text)


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
# Replacements in the order of their use. Every match contains the text in the first column; a search
# for that text is much faster than the pattern.
_REPLACEMENTS = tuple(
    (piece, re.compile(pattern), replacement)
    for piece, pattern, replacement in (
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
        ("compare", r"\bhow (?:does|do) (.{1,60}?) (?:and|compare to|compare with) (.{1,60}?)(?: compare)?(?=\s*[?.,!]|\s*$|\s+for\b|\s+in\b)", r" compare \1 and \2 "),
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
        ("how far", r"\bhow far (?:away )?(?:is|are) (.{1,50}?) (?:away )?(?:from|to) (.{1,50}?)(?=\s*[?.,!]|\s*$|\s+in\b)", r" distance between \1 and \2 "),
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
OWN = re.compile(r"\b(?:my|mine|our|ours|myself)\b")


def normalize_phrases(text: str) -> str:
    """Replace phrases that mean the same by the same words."""
    text = " ".join(text.split())
    for piece, pattern, replacement in _REPLACEMENTS:
        if piece in text:
            replaced = pattern.sub(_agent if replacement == "AGENT" else replacement, text)
            if replaced != text:
                text = " ".join(replaced.split())
    return text


def _agent(match: re.Match[str]) -> str:
    """Replace `who is the founder of` by `who founded`."""
    verb = _AGENTS.get(match[1])
    return f" who {verb} " if verb else match[0]
