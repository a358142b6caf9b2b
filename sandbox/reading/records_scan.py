"""The state of reading a request for records: its tokens, and the columns that it describes.

A column begins with a label, a noun phrase of at most three words, or without one; what the request
says next belongs to this column. A word that changes what is asked is never part of a label.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sandbox.reading import lexicon
from sandbox.reading.lexicon import IDLE, SCENE
from sandbox.reading.records_draft import Draft, Relation
from sandbox.reading.records_names import column_name
from sandbox.reading.rules import NotUnderstood
from sandbox.reading.tokens import Language, Token

GLUE = frozenset("=:~(")
AND = frozenset({"and", "y", "e", "&", ",", "/"})
_OF = frozenset({"of", "de", "del", "de la", "of the"})
_ARTICLES = frozenset(
    "the a an my our your their this el la los las un una mi mis nuestra nuestro".split()
)
_ASIDE = frozenset("for at in from para en by per to into".split()) | {
    "for a",
    "for my",
    "for an",
    "de un",
    "de una",
    "of a",
}
_WHICH = frozenset("last first ultimo ultima primer primera".split())
_OURS = frozenset("my our mi mis nuestra nuestro".split())
_PAUSES = frozenset(",.;:\n)?!")
DATED = frozenset({"dated", "con fecha", "fechadas", "fechados"})
_MOST_WORDS = 3
# What may stand in a label beside plain words, and what alone makes no name.
_WITHIN = frozenset(
    "entity owner tail noun text unit period id dated weights record test sample_size trials rate scale"
    " hour_step day_step week_step month_step quarter_step year_step season amplitude season_length"
    " level trend noise hours days weeks months years"
    " median shape die generate peaks wanted_words alpha make".split()
) | {SCENE}
_NAMELESS = frozenset({"entity", "owner", "record", "tail", "period", "make"})
_NEVER = frozenset({"beyond", "filler", "truth", "untruth", "boolean", "one_of", "real_world"})


@dataclass(slots=True)
class Scan:
    text: str
    tokens: Sequence[Token]
    language: Language
    drafts: list[Draft] = field(default_factory=list)
    current: Draft | None = None
    count: float | None = None
    counted_at: int = -1  # the place after the number of records
    count_place: int = -1
    columns: int = 0  # how many there are, if the request says so
    pairs: bool = False  # a record is a pair or a triple
    some: bool = False  # the request names whose records it wants, but not how many
    naming_at: int = -1  # where a label would name the current column: `normally distributed ages`
    clip_next: bool = False
    next_is: set[str] = field(default_factory=set)  # what the next label is: `a unique code`
    seed: int | None = None
    csv: bool = False
    order: str = ""
    order_by: str = ""
    order_words: str = ""  # in which the order is said: `oldest first`
    relations: list[Relation] = field(default_factory=list)
    sign: int = 1  # of the next correlation
    correlated: list[str] = field(default_factory=list)  # by the next correlation
    mentions: list[tuple[str, int]] = field(default_factory=list)  # labels, and where they end
    words: tuple[str, ...] = ()  # a noun after the number of records that asks for words
    wanted: bool = False  # the request has a verb such as `generate`
    unknown: list[Token] = field(default_factory=list)
    any_share: bool | None = None  # whether a share stands anywhere, once looked for

    # -- tokens --------------------------------------------------------------------------------

    def means(self, i: int, *concepts: str) -> bool:
        tokens = self.tokens
        return 0 <= i < len(tokens) and not tokens[i].concepts.isdisjoint(concepts)

    def stem(self, i: int) -> str:
        return self.tokens[i].stem if 0 <= i < len(self.tokens) else ""

    def low(self, i: int) -> str:
        return lexicon.plain(self.tokens[i].text) if 0 <= i < len(self.tokens) else ""

    def number(self, i: int) -> float | None:
        """The plain number at a place."""
        if not 0 <= i < len(self.tokens):
            return None
        token = self.tokens[i]
        plain = token.kind == "number" and token.unit != "th" and token.fraction is None
        return token.value if plain else None

    def idle(self, i: int) -> bool:
        token = self.tokens[i] if 0 <= i < len(self.tokens) else None
        return (
            token is not None and token.means(IDLE, "filler", "place") and not token.means("beyond")
        )

    def after_glue(self, i: int, limit: int = 4) -> int:
        """The place after words and marks that only link: `of`, `is`, `=`."""
        for _ in range(limit):
            if self.number(i) is not None or i >= len(self.tokens):
                break
            equals = self.means(i, "exactly") and not self.tokens[i].text.isalpha()
            if not (self.stem(i) in GLUE or self.idle(i) or equals):
                break
            i += 1
        return i

    def after_unit(self, i: int) -> int:
        """The place after a unit, such as `cm`; a column has one unit, so that it changes no number."""
        if not self.means(i, "unit", "in_unit") or self.stem(i + 1) in ("~", "=", ":", "("):
            return i
        if self.current is not None:
            unit = self.low(i).removeprefix("in ").removeprefix("en ").removesuffix("s")
            earlier = self.current.unit
            if earlier and not (earlier.startswith(unit) or unit.startswith(earlier)):
                raise NotUnderstood(
                    f"{self.current.label or 'a column'} has two units, {self.current.unit} and {unit}",
                    (unit,),
                )
            self.current.unit = unit
        return i + 1

    # -- columns -------------------------------------------------------------------------------

    def open(self) -> Draft:
        """The column that is being described; a new one without a label if there is none."""
        if self.current is None:
            self.current = self.add(Draft())
        return self.current

    def add(self, draft: Draft) -> Draft:
        self.drafts.append(draft)
        self.current = draft
        return draft

    def named(self, name: str) -> Draft | None:
        return next((draft for draft in self.drafts if name and draft.label == name), None)

    def mention(self, name: str, end: int) -> Draft:
        """Make the column with this name the one that is described."""
        self.mentions.append((name, end))
        self.current = self.named(name) or self.add(Draft(name))
        return self.current

    # -- labels --------------------------------------------------------------------------------

    def labelable(self, i: int, *, first: bool) -> bool:
        """Whether the word at a place may be part of a label."""
        if not 0 <= i < len(self.tokens):
            return False
        token = self.tokens[i]
        if self.is_letter(i) or token.kind in ("word", "quoted"):
            return True
        if token.kind != "concept":
            return False
        if first and self.low(i - 1) in ("column", "columna") and token.text.isalpha():
            return not token.means(IDLE, "filler", "beyond")
        if token.means("times") and token.text.isalpha() and len(token.text) > 1:  # `waiting times`
            last = not self.labelable(i + 1, first=True) and self.number(i + 1) is None
            before = self._is_kind(i - 1) or self.labelable(i - 1, first=False)
            return not first and before and last
        if token.text == "llamadas" and self.low(i - 1) == "de":  # calls, not `called`
            return True
        if self._is_kind(i):  # `test scores`
            return self.labelable(i + 1, first=False)
        if token.means("dated") and self.low(i) in DATED:
            return False
        if token.concepts & _NEVER or (token.means("like") and not first):
            return False
        noun = token.means("entity", "record")
        if not token.concepts & _WITHIN or (token.means(IDLE, "make") and not noun):
            return False
        return self._fits(i, first=first)

    def _is_kind(self, i: int) -> bool:
        return self.means(i, "record") and self.means(i, "filler")

    def _fits(self, i: int, *, first: bool) -> bool:
        """Whether a word that may mean something else is part of a label here."""
        if self.means(i, "rate", "scale", "shape", "median", "alpha"):
            return not first and self.number(self.after_glue(i + 1)) is None
        if self.means(i, "normal", "uniform") and self.stem(i + 1) == "(":
            return False
        if self.means(i, "weights") and " " in self.tokens[i].text:
            return False
        place = self.after_glue(i + 1)
        if self.means(i, "peaks", "weights") and self.number(place) is not None:
            listed = self.low(place + 1) in AND and self.number(place + 2) is not None
            return self.means(i, "weights") and not listed
        starts = self.means(i, "id_starts", "minimum") or " " in self.tokens[i].text
        if self.means(i, "level") and starts:
            return False
        if first and self.means(i, "unit") and not self.means(i, "entity", "noun", "weights"):
            joined = self.low(i + 1) in _OF and self.labelable(i + 2, first=False)
            named = self.low(i + 1) in ("column", "columna") or self.low(i) == "peso"
            return joined or named or self.labelable(i + 1, first=False) or self.stem(i + 1) == "~"
        return not (first and self.means(i, "period")) or self.labelable(i + 1, first=False)

    def is_letter_token(self, i: int) -> bool:
        return (
            0 <= i < len(self.tokens)
            and len(self.tokens[i].text) == 1
            and self.tokens[i].text.isalpha()
        )

    def is_letter(self, i: int) -> bool:
        """Whether a single letter is a name here, such as `a` in `a ~ N(0, 1)`."""
        token = self.tokens[i]
        if len(token.text) != 1 or not token.text.isalpha():
            return False
        if self.stem(i + 1) == "~" or token.text in "xX":
            return True
        if token.kind == "word":
            return True
        if self.means(i, "normal", "uniform", "trials", "probability", "mean", "sd", "shape", "r"):
            return False
        if self.low(i - 1) in AND and self.is_letter_token(i - 2):
            return True
        if self.low(i + 1) in ("=", "is", "es", "follows", "sigue"):
            return True
        return self.stem(i + 1) in (",", ")") or self.low(i - 1) in (
            "columns",
            "variables",
            "columnas",
        )

    def label_run(self, i: int) -> tuple[int, list[str]]:
        """Where the noun phrase at a place ends, and its words; no words if there is none."""
        words: list[str] = []
        end = i
        while len(words) < _MOST_WORDS and self.labelable(end, first=not words):
            words.append(self.tokens[end].text)
            end += 1
            if self.is_letter(end - 1) and len(words) == 1 and len(words[0]) == 1:
                break
            if self.hyphen(end) and self.labelable(end + 1, first=False):
                end += 1
            elif self.low(i) == "tamano" and self.low(end + 1) in ("la", "los", "las"):
                words += [
                    token.text for token in self.tokens[end : end + 3]
                ]  # `tamaño de la empresa`
                end += 3
            elif (
                self.low(end) in _OF
                and self.labelable(end + 1, first=False)
                and not self.means(end - 1, "record", "entity")
                and (
                    not self.means(end + 1, "entity", "record")
                    or self.means(i, "dated", "id")
                    or self.low(i) == "tamano"
                )
                and len(words) < _MOST_WORDS
            ):
                words.append(self.tokens[end].text)
                end += 1
                words.append(self.tokens[end].text)
                end += 1
        return end, words

    def hyphen(self, i: int) -> bool:
        """Whether a hyphen joins two words here, without blanks."""
        if self.stem(i) != "-" or not 0 < i < len(self.tokens) - 1:
            return False
        before, after = self.tokens[i - 1], self.tokens[i + 1]
        return before.end == self.tokens[i].start and self.tokens[i].end == after.start

    def nameless(self, i: int, end: int) -> bool:
        """Whether the words only name records, such as `user records`."""
        if end - i > 1 and self.low(i) in _WHICH:
            return False
        return all(
            self.tokens[j].concepts and self.tokens[j].concepts & _NAMELESS
            and not self.tokens[j].means("noun", "text", "id")
            for j in range(i, end) if self.tokens[j].kind != "mark"
        )  # fmt: skip

    def aside(self, i: int, end: int) -> bool:
        """Whether the words only say where or what for: `for my class`, `at the clinic`."""
        scene = all(self.means(j, SCENE, "entity", "owner") for j in range(i, end))
        owned = False
        while self.low(i - 1) in _ARTICLES:
            i -= 1
            owned = owned or self.low(i) in _OURS
        begins = i - 1 == 0 or self.stem(i - 2) in (".", "!", "\n")
        if self.low(i - 1) in ("for", "para") and begins and self.count is None:
            return True  # `For the school raffle I need ...`
        there = self.low(i - 1) == "at" or (self.low(i - 1) == "en" and self.low(i) in ("el", "la"))
        where = self.means(i - 1, "place") or there or owned
        pause = end + 2 * (
            self.low(end) in ("de un", "de una", "of a") and self.means(end + 1, SCENE)
        )
        if where and (self.stem(pause) in _PAUSES or pause >= len(self.tokens)):
            return True  # nothing describes it: `at the counter, exponential`
        return scene and self.low(i - 1) in _ASIDE

    def name_at(self, i: int, end: int) -> str:
        """The name of the column that the words from `i` to `end` are."""
        places = [j for j in range(i, end) if self.tokens[j].kind != "mark"]
        while len(places) > 1 and self.means(places[0], "owner"):
            places = places[1:]
        while len(places) > 1 and self.means(places[-1], "tail", "owner"):
            places = places[:-1]
        if len(places) > 1 and self.low(places[-1]) in _OF:
            places = places[:-1]
        return column_name((self.tokens[j].text for j in places), self.language)
