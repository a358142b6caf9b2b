"""A request for figures on its way to a spec: its data, its columns, and what it asks for."""

from collections.abc import Sequence

from sandbox.reading.figure_words import STOPS, is_idle, is_word
from sandbox.reading.figures_changes import Changes
from sandbox.reading.figures_columns import Mention, mentions
from sandbox.reading.figures_data import Given, tell_stories
from sandbox.reading.figures_methods import ASKING, TESTS, Claim, claims
from sandbox.reading.lexicon import plain
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Change

WHICH = frozenset("which who whose when what cual cuales quien que cuando".split())
_MOST = 12  # figures of one request


class Request:
    """One request on its way to a spec."""

    def __init__(self, reader: Reader, of: Given) -> None:
        self.reader, self.of = reader, of
        self.assumed: list[str] = list(of.assumed)
        self.mentions = mentions(reader, of)
        self.places = frozenset(i for m in self.mentions for i in range(m.begin, m.end))
        tell_stories(reader, of, ASKING - {"figure_minimum", "figure_maximum"})
        self.by = self._grouping()
        first = claims(reader, self.places)
        names = {claim.name for claim in first}
        self.testing = bool(names & TESTS)
        changes = Changes(reader, of, self.mentions)
        self.used = changes.used
        self.changes: tuple[Change, ...] = changes.read(testing=self.testing)
        self.claims = self._without_idle(claims(reader, self.places))
        self.reader.taken.update(claim.place for claim in self.claims)
        self.reader.taken.update(self.places)

    def _without_idle(self, listed: Sequence[Claim]) -> list[Claim]:
        """`How many hours in total` asks for a total; `how many` then only introduces it."""
        kept = []
        for claim in listed:
            introduces = any(
                0 < c.place - claim.place <= 6 and not self._apart(claim.place, c.place)
                for c in listed
            )
            if claim.name != "count_where" or not introduces:
                kept.append(claim)
        return kept

    def _apart(self, begin: int, end: int) -> bool:
        between = self.reader.tokens[begin + 1 : end]
        return any(t.kind in ("mark", "list") or plain(t.text) in ("and", "y") for t in between)

    def _grouping(self) -> str:
        """The text column by which figures are wanted."""
        for mention in self.mentions:
            if not mention.of_column or mention.title:
                continue
            for i in range(mention.begin - 1, max(-1, mention.begin - 4), -1):
                token = self.reader.tokens[i]
                groups = mention.column in self.of.texts or self._few(mention.column)
                if token.means("figure_by", "each") and groups:
                    self.reader.taken.add(i)
                    return mention.column
                if not is_idle(token) and not is_word(token, "of_data"):
                    break
        return ""

    def _few(self, column: str) -> bool:
        values = self.of.columns[column]
        return len(set(values)) <= max(2, len(values) // 2)

    def named_columns(self) -> list[Mention]:
        """The columns that the question mentions, without those that filter or group."""
        return [
            m
            for m in self.mentions
            if m.of_column and not m.title and m not in self.used and m.column != self.by
        ]

    def columns(self, claim: Claim, *, numeric: bool = True) -> list[str]:
        """The columns that a figure is wanted of."""
        listed = [m for m in self.named_columns() if not numeric or m.column in self.of.numeric]
        own = [m.column for m in listed if self._belongs(m, claim)]
        chosen = list(dict.fromkeys(own or [m.column for m in listed]))
        if chosen:
            return [name for name in chosen if name != "weights"]
        left = self.of.numeric if numeric else list(self.of.columns)
        left = [name for name in left if name not in ("weights", self.by, self.of.names)]
        if len(left) > 1 and self.reader.table and not self._each():
            raise NotUnderstood(f"it does not say of which column it wants the {claim.name}")
        return left

    def _belongs(self, mention: Mention, claim: Claim) -> bool:
        """Whether a column stands after this figure's name and before the next one's."""
        places = [c.place for c in self.claims]
        after = [m for m in self.named_columns() if m.begin > max(places)]
        following = [p for p in places if claim.place < p < mention.begin]
        if mention.begin < claim.place:
            return False
        between = [m for m in self.named_columns() if claim.place < m.begin < mention.begin]
        apart = following and any(m.begin < following[-1] for m in between)
        return not apart and (not following or bool(after) or not between)

    def _each(self) -> bool:
        return bool(self.reader.take_all("figure_each_one", "each"))

    def asks_which(self, place: int) -> bool:
        """Whether the sentence asks for a name: `which day`, `who`."""
        for i in range(place - 1, -1, -1):
            token = self.reader.tokens[i]
            if token.stem in STOPS or token.kind == "list":
                return False
            word = plain(token.text).split()[0]
            if word in WHICH:
                following = self.reader.tokens[i + 1]
                return word not in ("what", "que", "cual") or not is_idle(following)
        return False
