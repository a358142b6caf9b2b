"""What each phrase of a question can name: the tables, columns and values of a store. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from router.knowledge.rows.language.profile import Field, Link
from router.knowledge.rows.language.words import Phrase, Sense, Thing
from router.knowledge.rows.schema import TableSchema


@dataclass(slots=True)
class Names:
    """What each phrase can name, for questions on one table and the tables that it links to."""

    table: TableSchema
    fields: Sequence[Field]
    links: Sequence[Link]
    things: tuple[Thing, ...]
    concepts: dict[str, frozenset[str]] = field(default_factory=dict)  # by the SQL of a column
    senses: dict[Phrase, list[Sense]] = field(default_factory=dict)
    verbs: set[Phrase] = field(default_factory=set)
    heads: set[str] = field(default_factory=set)  # the words of all phrases, once they are needed
    others: dict[str, Sequence[Field]] = field(default_factory=dict)  # columns of linked tables
    stems: dict[str, list[Sense]] = field(default_factory=dict)  # of words that name alone
    longest: int = 1

    def add(self, phrase: Iterable[str], sense: Sense) -> None:
        key = tuple(phrase)
        if not key:
            return
        listed = self.senses.setdefault(key, [])
        same = [s for s in listed if (s.kind, s.value) == (sense.kind, sense.value)]
        if same and same[0].strength >= sense.strength:
            return
        for old in same:
            listed.remove(old)
        listed.append(sense)
        self.longest = max(self.longest, len(key))

    @property
    def people(self) -> bool:
        """Whether each row is a person: by the table's name, or by columns of names and ages."""
        if any(thing.person for thing in self.things):
            return True
        return not self.things and all(
            any(self.has(each, concept) for each in self.fields) for concept in ("name", "age")
        )

    @property
    def has_pets(self) -> bool:
        """Whether each row is an animal, which people call `who` as well."""
        return any(
            self.has(each, "species", "breed") and self.table.stored == each.table.stored
            for each in self.fields
        )

    @property
    def row_words(self) -> set[str]:
        """The words by which questions call the rows."""
        return self.words_for(self.table)

    def words_for(self, table: TableSchema) -> set[str]:
        """The words by which questions call the rows of this or another table."""
        nouns = [
            noun
            for noun, senses in self.senses.items()
            if any(s.kind in ("entity", "foreign") and s.value == table.stored for s in senses)
        ]
        return {word for noun in nouns for word in noun}

    def linked(self, link: Link) -> Sequence[Field]:
        """The columns of the table to which a link leads."""
        return self.others.get(link.target.table.stored, ())

    def has(self, field_: Field, *concepts: str) -> bool:
        return not self.concepts.get(field_.sql, frozenset()).isdisjoint(concepts)
