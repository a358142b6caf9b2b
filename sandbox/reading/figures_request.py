"""A request for figures on its way to a spec: its data, its columns, and what it asks for."""

from collections.abc import Sequence
from itertools import pairwise

from sandbox.reading.figure_words import STOPS, is_idle, is_word
from sandbox.reading.figures_changes import Changes
from sandbox.reading.figures_columns import Mention, mentions
from sandbox.reading.figures_data import Given
from sandbox.reading.figures_methods import ASKING, METHODS, TESTS, Claim, claims
from sandbox.reading.figures_story import tell_stories
from sandbox.reading.lexicon import plain
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood
from sandbox.spec import Change

_RELATING = frozenset("with by at times having whose for con por para".split())
_OF_THE = frozenset("of the de la las los el -".split())
_PARTING = frozenset("what which who also then cual cuales quien tambien luego".split())
WHICH = frozenset("which who whose when what cual cuales quien que cuando".split())
_MOST = 12  # figures of one request
_LISTS = frozenset(
    "percent_changes differences deviations z_score cumulative_sum moving_average percent_of_total growth_percent ranking".split()
)


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
        self.claims = self._without_idle(claims(reader, self.places)) or self._on_average()
        self._refuse_doubled()
        if changes.made:
            self._refuse_half_changes(min(place for place, _ in changes.made))
        self.all_claims = tuple(self.claims)  # also those that turn out to be a part of another
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

    def _on_average(self) -> list[Claim]:
        """`How much do I spend on average` asks for the mean, if it asks for nothing else."""
        return [Claim(i, METHODS["mean"]) for i in self.reader.places("figure_on_average")[:1]]

    def _refuse_doubled(self) -> None:
        """`The mean of means` is a figure of its own."""
        for first, second in pairwise(self.claims):
            between = self.reader.tokens[first.place + 1 : second.place]
            small = all(plain(t.text) in _OF_THE for t in between)
            single = first.method.takes == "one" and first.name not in TESTS
            if first.name == second.name and between and small and single:
                raise NotUnderstood(f"the {first.name} of the {first.name} is not understood")
            extreme = {first.name} & {"maximum", "minimum"} and second.name in (
                "mean",
                "median",
                "sum",
            )
            if extreme and not between:
                raise NotUnderstood(f"the {first.name} of the {second.name} is not understood")
            of_list = {first.name, second.name} & _LISTS and first.method.takes == "one"
            parts = first.name in _LISTS - {"ranking"} and second.method.takes == "one"
            if parts and between and small and second.name not in _LISTS:
                raise NotUnderstood(f"the {first.name} of the {second.name} is not understood")
            if of_list and small and first.name != second.name and first.name not in _LISTS:
                raise NotUnderstood(f"the {first.name} of the {second.name} is not understood")

    def _refuse_half_changes(self, change: int) -> None:
        """`The mean? And the median without the largest?` may change the data of one figure only."""
        before = [claim.place for claim in self.claims if claim.place < change]
        names = [claim.name for claim in self.claims]
        if before and len(before) < len(self.claims):
            raise NotUnderstood("it does not say whether the change is meant for every figure")
        doubled = any(names.count(name) > 1 for name in names if name in ("mean", "median", "sd"))
        for first, second in pairwise(before):
            between = self.reader.tokens[first + 1 : second]
            parted = any(t.stem in ".?!;" or plain(t.text) in _PARTING for t in between)
            if parted or doubled:
                raise NotUnderstood("it does not say whether the change is meant for every figure")

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
                    self._take_same_grouping(mention.column)
                    return mention.column
                if not is_idle(token) and not is_word(token, "of_data"):
                    break
        return ""

    def _take_same_grouping(self, column: str) -> None:
        """`Total per region and average per region` name the groups twice."""
        for mention in self.mentions:
            before = mention.begin - 1
            if mention.of_column and mention.column == column:
                while before >= 0 and is_idle(self.reader.tokens[before]):
                    if self.reader.tokens[before].means("figure_by", "each"):
                        break
                    before -= 1
                if before >= 0 and self.reader.tokens[before].means("figure_by", "each"):
                    self.reader.taken.add(before)

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
        beside = self._own_list(claim)
        if beside:
            return [beside]
        left = self.of.numeric if numeric else list(self.of.columns)
        left = [name for name in left if name not in ("weights", self.by, self.of.names)]
        if len(left) > 1 and not self.reader.table:
            self._refuse_relations(claim)
        if len(left) > 1 and self.reader.table and not self._each():
            raise NotUnderstood(f"it does not say of which column it wants the {claim.name}")
        return left

    def _own_list(self, claim: Claim) -> str:
        """The list of this figure, in `the mean of [1, 2] and the median of [3, 4]`."""
        lists, places = self.of.lists, [c.place for c in self.claims]
        named = [name for name in self.of.columns if name != self.of.names]
        alternate = len(lists) == len(places) == len(named) > 1 and all(
            p < q for p, q in pairwise(sorted((*lists, *places))[:2])
        )
        pairs = zip(places, lists, strict=True) if alternate else ()
        alternate = alternate and sorted((*lists, *places)) == [p for pair in pairs for p in pair]
        return named[places.index(claim.place)] if alternate and claim.place in places else ""

    def _refuse_relations(self, claim: Claim) -> None:
        """Lists such as `70, 80 with 5, 3 students` belong together in a way that is not known."""
        lists = self.of.lists
        for first, second in pairwise(lists):
            between = self.reader.tokens[first + 1 : second]
            before = {plain(t.text) for t in self.reader.tokens[max(0, first - 3) : first]}
            related = [t.text for t in between if plain(t.text) in _RELATING - before]
            if related and claim.method.takes not in ("pair", "two", "many"):
                raise NotUnderstood(f"how `{related[0]}` relates the lists is not understood")

    def _belongs(self, mention: Mention, claim: Claim) -> bool:
        """Whether a column stands after this figure's name and before the next one's."""
        places = [c.place for c in self.claims]
        after = [m for m in self.named_columns() if m.begin > max(places, default=claim.place)]
        following = [p for p in places if claim.place < p < mention.begin]
        if mention.begin < claim.place:
            return False
        between = [m for m in self.named_columns() if claim.place < m.begin < mention.begin]
        apart = following and any(m.begin < following[-1] for m in between)
        return not apart and (not following or bool(after) or not between)

    def _each(self) -> bool:
        return bool(self.reader.take_all("figure_each_one", "each"))

    def asks_who(self, place: int) -> bool:
        tokens = self.reader.tokens[max(0, place - 4) : place]
        return any(plain(token.text) in ("who", "quien") for token in tokens)

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
