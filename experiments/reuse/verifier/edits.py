"""Rules that change a question: into another, or into other words for the same one. Pure.

Each rule takes the words of a question and a source of chance, and returns the changed question, or
None if the rule does not apply. `DIFFERENT` holds the rules after which another answer is right;
`SAME` holds the rules after which the same answer is right. Rules make mistakes in few questions
of a hundred; the pairs that result are for training, not for judging.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random

Edit = Callable[[str, Random], str | None]

_GROUPS = {
    "relation": "for about with from to by on against without like under after before during near",
    "quantifier": "all most some many few several only every no",
    "order": "first second third last next previous",
    "degree": "more less most least",
    "whose": "my your his her their our",
    "time": "before after during since until",
    "modal": "can should must will would may",
    "question": "how why when where who",
    "language": "python java javascript ruby go rust php perl scala kotlin swift",
    "tongue": "english french german spanish italian hindi chinese japanese russian arabic",
    "format": "table list paragraph sentence essay poem diagram summary",
    "unit": "kg pounds grams ounces miles km feet metres inches litres gallons",
    "span": "minutes hours days weeks months years",
}
_OPPOSITES = (
    "best worst|good bad|increase decrease|gain lose|buy sell|open close|start stop|begin end|cheap expensive|"
    "highest lowest|largest smallest|biggest smallest|longest shortest|fastest slowest|most least|hot cold|"
    "advantages disadvantages|pros cons|benefits risks|before after|love hate|big small|long short|safe dangerous|"
    "legal illegal|old new|young old|rich poor|strong weak|easy hard|easiest hardest|early late|inside outside|"
    "up down|left right|front back|install uninstall|enable disable|import export|upload download|encode decode|"
    "add remove|accept reject|allow block|connect disconnect|lock unlock|push pull|male female|men women|boys girls|"
    "mother father|husband wife|son daughter|positive negative|public private|internal external|minimum maximum|"
    "above below|over under|north south|east west|win lose|arrive leave|borrow lend|teach learn|cause cure|"
    "symptoms causes|cause effect|import export|rise fall|true false|day night|summer winter|indoor outdoor"
)
_OPPOSITE: dict[str, str] = {}
for _pair in _OPPOSITES.split("|"):
    _a, _b = _pair.split()
    _OPPOSITE.setdefault(_a, _b)
    _OPPOSITE.setdefault(_b, _a)
_ADDED = (
    "for beginners|for kids|for free|under $500|in 2015|on a budget|without sugar|at home|in India|online|in Python|"
    "with a table|in one sentence|for women|for seniors|in winter|on Windows|on a Mac|without a degree|as a student|"
    "in the UK|for a wedding|on weekends|with children|without tools|in less than 10 minutes|step by step|offline|"
    "on Linux|for a small business|in Excel|without surgery|for diabetics|after 50|at night|during pregnancy|"
    "with examples|in Spanish|using only free tools|without coding|near me|by bus|for a beginner's class|"
    "and why|and how much it costs|when it rains|while travelling|without the internet|for two people"
).split("|")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*|\d[\d.,]*|\S")
_IDLE = frozenset(
    "a an the is are was were be been do does did to of in on at for with and or i you we it they he she that this "
    "what which who how why when where my your his her their our me us them can could should would will may must not "
    "if as by from about into than then there any some so such have has had am".split()
)


def content(words: Sequence[str]) -> list[int]:
    """The places of the words that carry a meaning of their own."""
    return [n for n, w in enumerate(words) if w[0].isalpha() and w.lower() not in _IDLE]


def split(text: str) -> list[str]:
    return text.split()


def _bare(word: str) -> str:
    return word.strip("?.,!;:\"()'").lower()


def _put(word: str, new: str) -> str:
    """The new word with the capital and the marks of the old one."""
    bare = word.strip("?.,!;:\"()'")
    new = new.capitalize() if bare[:1].isupper() else new
    return word.replace(bare, new, 1) if bare else word


def _exchange(name: str) -> Edit:
    members = _GROUPS[name].split()

    def edit(text: str, chance: Random) -> str | None:
        words = split(text)
        at = [n for n, word in enumerate(words) if _bare(word) in members]
        if not at:
            return None
        place = chance.choice(at)
        others = [m for m in members if m != _bare(words[place])]
        words[place] = _put(words[place], chance.choice(others))
        return " ".join(words)

    return edit


def opposite(text: str, chance: Random) -> str | None:
    words = split(text)
    at = [n for n, word in enumerate(words) if _bare(word) in _OPPOSITE]
    if not at:
        return None
    place = chance.choice(at)
    words[place] = _put(words[place], _OPPOSITE[_bare(words[place])])
    return " ".join(words)


def number(text: str, chance: Random) -> str | None:
    numbers = list(re.finditer(r"\d+", text))
    if not numbers:
        return None
    match = chance.choice(numbers)
    value = int(match[0][:9])
    other = chance.choice([value + 1, value * 2, value * 10, max(value - 1, 0), value + 5])
    other = other if other != value else value + 3
    return text[: match.start()] + str(other) + text[match.end() :]


def negate(text: str, chance: Random) -> str | None:
    if match := re.search(r"\b(is|are|can|do|does|did|should|was|were|would|could)n't\b", text):
        return text.replace(match[0], match[1], 1)
    if re.search(r"\bnot\b", text):
        return re.sub(r"\s*\bnot\b", "", text, count=1)
    if re.search(r"\bwith\b", text):
        return re.sub(r"\bwith\b", "without", text, count=1)
    match = re.search(
        r"\b(is|are|can|do|does|did|should|was|were|would|could)\b(?! (?:the|there|it)\b)", text
    )
    if match is None:
        return None
    return text[: match.end()] + chance.choice([" not", "n't"]) + text[match.end() :]


def swap(text: str, chance: Random) -> str | None:
    """Two words with a meaning change places, as in PAWS."""
    words = split(text)
    places = [n for n in content(words) if len(_bare(words[n])) > 2]
    if len(places) < 2:
        return None
    first, second = sorted(chance.sample(places, 2))
    before, other = _bare(words[first]), _bare(words[second])
    if before == other:
        return None
    words[first], words[second] = _put(words[first], other), _put(words[second], before)
    return " ".join(words)


def swap_ends(text: str, chance: Random) -> str | None:
    """`from A to B` becomes `from B to A`; the same for `A than B`, `A in B`, `A of B`."""
    matches = list(
        re.finditer(
            r"\b(\w{3,})( (?:to|than|in|of|into|with|for|over|from|by|before|after) )(?:the |a )?(\w{3,})\b",
            text,
        )
    )
    matches = [m for m in matches if m[1].lower() not in _IDLE and m[3].lower() not in _IDLE]
    if not matches:
        return None
    match = chance.choice(matches)
    return text[: match.start()] + match[3] + match[2] + match[1] + text[match.end() :]


def add_constraint(text: str, chance: Random) -> str | None:
    extra = chance.choice(_ADDED)
    stop = re.search(r"[?.!]*\s*$", text)
    assert stop is not None
    if chance.random() < 0.15:
        return f"{extra[:1].upper()}{extra[1:]}, {text[:1].lower()}{text[1:]}"
    return text[: stop.start()] + " " + extra + text[stop.start() :]


def drop_word(text: str, chance: Random) -> str | None:
    """One word with a meaning is left out: a constraint less."""
    words = split(text)
    places = content(words)
    if len(places) < 3:
        return None
    del words[chance.choice(places[1:])]
    return " ".join(words)


def drop_phrase(text: str, chance: Random) -> str | None:
    """The last phrase that a relation word opens is left out."""
    matches = list(
        re.finditer(
            r" (?:in|for|with|without|on|at|from|about|after|before|during|using|under) [^?.,]{3,40}(?=[?.]*$)",
            text,
        )
    )
    if not matches or matches[-1].start() < 12:
        return None
    return text[: matches[-1].start()] + text[matches[-1].end() :]


def tense(text: str, chance: Random) -> str | None:
    pairs = {
        "is": "was",
        "are": "were",
        "was": "is",
        "were": "are",
        "does": "did",
        "did": "will",
        "do": "did",
        "will": "did",
        "has": "had",
    }
    words = split(text)
    at = [n for n, word in enumerate(words) if _bare(word) in pairs]
    if not at:
        return None
    words[at[0]] = _put(words[at[0]], pairs[_bare(words[at[0]])])
    return " ".join(words)


def other_question(text: str, chance: Random) -> str | None:
    """Something else is asked about the same thing."""
    match = re.match(
        r"(?:What is|What's|What are|Explain|Define) (?:the |a |an )?([^?.]{3,60})[?.]?$", text
    )
    if match is None:
        return None
    forms = ("What causes {}?", "Who invented {}?", "What is the history of {}?", "Where can I find {}?", "Why is {} important?",
             "How much does {} cost?", "What are the types of {}?", "What is the opposite of {}?", "How do I get rid of {}?",
             "What is an alternative to {}?", "When did {} begin?", "What are the benefits of {}?", "Is {} safe?")  # fmt: skip
    return chance.choice(forms).format(match[1])


_KINDS = (
    "vegan cheap small old digital free famous red Indian American medical modern local wooden electric online healthy young portable "
    "professional public military ancient Chinese organic frozen used luxury wild human female male simple advanced open legal hidden "
    "natural artificial green black white short long basic second first foreign private personal temporary permanent fresh raw dry"
).split()


def add_adjective(text: str, chance: Random) -> str | None:
    """A kind of the thing, where the question asked about the thing."""
    words = split(text)
    places = [n for n in content(words) if n and not words[n][0].isupper()]
    if not places:
        return None
    words.insert(chance.choice(places), chance.choice(_KINDS))
    return " ".join(words)


def add_quantifier(text: str, chance: Random) -> str | None:
    match = re.match(
        r"((?:Do|Are|Can|Should|Will|Why do|Why are|What are|Which|How do|Is|Does) )(?!there|it|I\b|you|we|they|he|she|this|that)(the )?",
        text,
    )
    if match is None:
        return None
    word = chance.choice(
        (
            "all",
            "most",
            "some",
            "only",
            "many",
            "few",
            "the first",
            "both",
            "other",
            "half of the",
            "no",
        )
    )
    return f"{match[1]}{word} {text[match.end() :]}"


class Neighbours:
    """Replaces a word by one that is used alike and means something else."""

    def __init__(self, alike: Mapping[str, Sequence[str]]) -> None:
        self._alike = alike

    def __call__(self, text: str, chance: Random) -> str | None:
        words = split(text)
        places = [n for n in content(words) if self._alike.get(_bare(words[n]))]
        if not places:
            return None
        place = chance.choice(places)
        words[place] = _put(words[place], chance.choice(self._alike[_bare(words[place])]))
        return " ".join(words)


def different(alike: Mapping[str, Sequence[str]]) -> dict[str, tuple[Edit, float]]:
    """The rules after which another answer is right, each with its weight."""
    return {
        "neighbour": (Neighbours(alike), 4.0),
        "added": (add_constraint, 2.0),
        "dropped": (drop_phrase, 1.0),
        "left_out": (drop_word, 1.0),
        "adjective": (add_adjective, 1.5),
        "quantity": (add_quantifier, 1.0),
        "opposite": (opposite, 2.0),
        "swap": (swap, 1.5),
        "ends": (swap_ends, 1.0),
        "number": (number, 1.0),
        "negation": (negate, 1.5),
        "tense": (tense, 0.7),
        "question": (other_question, 1.0),
        **{name: (_exchange(name), 0.7) for name in _GROUPS},
    }


_HOW = ("How do I", "How can I", "How to", "How do you", "how does one", "What is the best way to", "What's the way to",
        "What are the steps to", "Please tell me how to", "i want to know how to", "Can you show me how to",
        "ways to", "tips to", "Could you explain how to", "what should I do to", "help me")  # fmt: skip
_WHAT = ("What is", "What's", "Explain", "Define", "explain what is", "Can you explain", "tell me about", "whats",
         "What do you mean by", "could you tell me what is", "I'd like to know what is")  # fmt: skip


def reworded(text: str, chance: Random) -> str | None:
    """Another opening for the same question."""
    for pattern, forms in (
        (
            r"(?:How do (?:I|you|we)|How can (?:I|you|we|one)|How to|What is the best way to|How should I) ([^?]+)\??$",
            _HOW,
        ),
        (
            r"(?:What is|What's|Explain|Define) (?!the best way)(?:the meaning of )?([^?]+)\??$",
            _WHAT,
        ),
    ):
        if match := re.match(pattern, text):
            return f"{chance.choice(forms)} {match[1].strip()}{chance.choice(['?', '', '.', ' please'])}"
    if match := re.match(r"Why (?:do|does|did|is|are|was|were) ([^?]+)\?$", text):
        inner = text[4:-1]
        return chance.choice(
            ("Can you tell me why {}?", "why {}", "Why {}", "so why {} exactly?")
        ).format(inner)
    if match := re.match(r"(?:Is it possible to|Can (?:I|you|we)) ([^?]+)\?$", text):
        return chance.choice(
            ("Is it possible to {}?", "Can I {}?", "is there a way to {}", "am i able to {}")
        ).format(match[1])
    if match := re.match(r"What (?:is|are) the ([^?]+)\?$", text):
        return chance.choice(
            ("Tell me the {}", "{}", "the {}?", "what's the {}", "list the {}", "Which are the {}?")
        ).format(match[1])
    return None


def fronted(text: str, chance: Random) -> str | None:
    match = re.match(r"(.{12,}?) (in|on|for|with|at|during|after|under) ([^?,]{3,30})\?$", text)
    if match is None:
        return None
    lower = match[1][:1].lower() + match[1][1:]
    return f"{match[2].capitalize()} {match[3]}, {lower}?"


def polite(text: str, chance: Random) -> str | None:
    before = (
        "Hi, ",
        "Hello! ",
        "Please, ",
        "Quick question: ",
        "hey there, ",
        "Excuse me, ",
        "So ",
        "I was wondering: ",
        "",
    )
    after = (" Thanks!", " please", " Thank you.", " thx", "", " Thanks in advance.")
    return chance.choice(before) + text + chance.choice(after)


def typo(text: str, chance: Random) -> str | None:
    words = split(text)
    places = [n for n in content(words) if words[n].isalpha() and len(words[n]) > 5]
    if not places:
        return None
    place = chance.choice(places)
    word, at = words[place], chance.randrange(1, len(words[place]) - 2)
    kind = chance.randrange(3)
    if kind == 0:
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    elif kind == 1:
        word = word[:at] + word[at + 1 :]
    else:
        word = word[:at] + word[at] + word[at:]
    words[place] = word
    return " ".join(words)


def plain(text: str, chance: Random) -> str | None:
    """Without capitals or marks."""
    changed = text.lower() if chance.random() < 0.7 else text
    changed = changed.rstrip("?.! ") if chance.random() < 0.7 else changed
    return changed if changed != text else text.upper()


def contracted(text: str, chance: Random) -> str | None:
    for full, short in (("What is", "What's"), ("what is", "whats"), ("I am", "I'm"), ("do not", "don't"), ("does not", "doesn't"),
                        ("is not", "isn't"), ("cannot", "can't"), ("How is", "How's"), ("it is", "it's"), ("I have", "I've")):  # fmt: skip
        if full in text:
            return text.replace(full, short, 1)
        if short in text:
            return text.replace(short, full, 1)
    return None


_TOPIC = re.compile(
    r"(?:How (?:do|can|should) (?:I|you|we|one)|How to) ([a-z]+) (?:the |a |an |my )?([^?]{4,60}?) (?:in|on|with|using|for) (?:the |a |an |my )?([^?,]{2,25})\?$"
)
_HOW_DONE = re.compile(r"(?:How (?:do|can|should) (?:I|you|we|one)|How to) ([^?]{6,80})\?$")
_OF = re.compile(
    r"What (?:is|are) (?:the )?([a-z]+(?: [a-z]+)?) of (?:the |a |an )?([^?,]{3,30})\?$"
)
_MANY = re.compile(
    r"How many ([a-z]+) (?:are there|are|does|do) ?(?:in |on )?([^?]{3,40}?)(?: have| contain)?\?$"
)
_WHY = re.compile(r"Why (is|are|do|does|did) ([^?]{6,80})\?$")


def telegraphic(text: str, chance: Random) -> str | None:
    """As people type into a search box: `python merge two dictionaries`."""
    if match := _TOPIC.match(text):
        verb, thing, topic = match.groups()
        return chance.choice((f"{topic} {verb} {thing}", f"{topic}: {verb} {thing}", f"{verb} {thing} {topic}", f"{verb} {thing} in {topic}",
                              f"{topic.capitalize()}: how to {verb} {thing}?", f"{topic} {verb} {thing} how")) if " in " in text or chance.random() < 0.5 else f"{verb} {thing} {topic}"  # fmt: skip
    if match := _HOW_DONE.match(text):
        return chance.choice((f"{match[1]} how", f"{match[1]}, how do I do it", f"I want to {match[1]}, how?", f"I need to {match[1]}. How?",
                              f"help me {match[1]}", f"need to {match[1]}", f"instructions to {match[1]}", match[1]))  # fmt: skip
    if match := _OF.match(text):
        first, second = match.groups()
        return chance.choice(
            (
                f"{second} {first}",
                f"{first} of {second}",
                f"{second}: {first}?",
                f"{second}'s {first}",
                f"tell me the {first} {second} has",
            )
        )
    if match := _MANY.match(text):
        return chance.choice(
            (
                f"number of {match[1]} in {match[2]}",
                f"{match[1]} {match[2]} how many",
                f"{match[2]} number of {match[1]}",
            )
        )
    if match := _WHY.match(text):
        return chance.choice(
            (
                f"reason why {match[2]} {match[1]}"
                if match[1] in ("is", "are")
                else f"reasons why {match[2]}",
                f"what makes {match[2]}?",
                f"what causes {match[2]}?",
                f"{match[2]} why",
            )
        )
    return None


def same() -> dict[str, tuple[Edit, float]]:
    """The rules after which the same answer is right, each with its weight."""
    return {
        "reworded": (reworded, 4.0),
        "telegraphic": (telegraphic, 3.0),
        "polite": (polite, 1.0),
        "plain": (plain, 1.0),
        "typo": (typo, 0.8),
        "fronted": (fronted, 1.0),
        "contracted": (contracted, 0.7),
    }
