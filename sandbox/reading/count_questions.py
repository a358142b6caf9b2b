"""Reads questions about how many ways there are: to arrange, to choose, to fill codes, to pair.

Whether order counts and whether things may repeat must follow from the words; where they leave it
open, the request is refused with the question.
"""

from typing import Any

from sandbox.reading import phrases
from sandbox.reading.clauses import name_clauses
from sandbox.reading.lexicon import stem
from sandbox.reading.measured import measured_words
from sandbox.reading.questions import whole
from sandbox.reading.reader import Reader
from sandbox.reading.rules import NotUnderstood, Rule
from sandbox.spec import Analysis

_COUNTED = ("ways_word", "different_things", "how_many", "people_word", "at_random")


def _finished(reader: Reader, method: str, **parameters: Any) -> Analysis | None:
    numbers = [v for v in parameters.values() if isinstance(v, float)]
    if not all(whole(number) for number in numbers):
        return None
    reader.take_all(*_COUNTED)
    reader.labels |= measured_words()
    return Analysis(method, parameters={k: v for k, v in parameters.items() if v})


def _formal(reader: Reader) -> Analysis | None:
    """Read `10 choose 3`, `C(10,3)`, `5!`, `permutations of 10 taken 3 at a time`."""
    pair = phrases.take(reader, "#n. combination_word #k.", "'c|combination_word '( #n. ', #k. ')")
    if pair and not reader.has("permutation_word"):
        return _finished(reader, "combinations", n=pair["n"].value, k=pair["k"].value)
    pair = phrases.take(reader, "#n. permutation_word #k.", "'p|permutation_word '( #n. ', #k. ')")
    if pair:
        return _finished(reader, "permutations", n=pair["n"].value, k=pair["k"].value)
    n = phrases.value(reader, "factorial_word #n.", "#n. factorial_word", "#n. !'!")
    return _finished(reader, "factorial", n=n) if n is not None else None


def _taken_at_a_time(reader: Reader) -> Analysis | None:
    orders, sets = reader.has("permutation_word"), reader.has("combination_word")
    if not orders and not sets:
        return None
    pair = phrases.take(
        reader,
        "#n. * 'taken|'tomados|'tomadas|draw #k. 'at 'a? 'time?", "#n. ',? 'taken|draw #k.",
        "#k. * pool_from|out_of|'of #n.", "#n. * #k. 'at 'a 'time", "#n. 'in 'groups 'of #k.",
        "combination_word 'de|'of #k. * 'con|'with #n.",
    )  # fmt: skip
    if pair is None:
        only = phrases.value(reader, "permutation_word 'of|'de #n.")
        reader.take_all("arrange", "row", "different_things")
        wanted = only is not None and orders and not sets and not reader.has("letters_of")
        return _finished(reader, "factorial", n=only) if wanted else None
    phrases.take(reader, "'at 'a? 'time", "'a 'la 'vez", "'en #k. 'en #j.")
    again = phrases.take(reader, "'en #k.")
    if again is not None and again["k"].value not in (pair["k"].value, pair["n"].value):
        return None
    replaced = reader.take_all("with_replacement")
    reader.take_all("without_replacement")
    reader.take_all("permutation_word", "combination_word")
    n, k = sorted((pair["n"].value, pair["k"].value), reverse=True)
    if orders:
        return _finished(reader, "sequences" if replaced else "permutations", n=n, k=k)
    return _finished(reader, "multisets" if replaced else "combinations", n=n, k=k)


def _letters(reader: Reader) -> Analysis | None:
    """Read arrangements of the letters of a word."""
    if not reader.has("letters_of"):
        return None
    together = bool(reader.take("vowels_together"))
    anagram = any(t.stem.startswith("anagram") for t in reader.tokens)
    if not anagram and not reader.has("arrange", "permutation_word", "ways_word"):
        return None
    words = [
        i
        for i, t in enumerate(reader.tokens)
        if i not in reader.taken
        and (t.kind == "quoted" or (t.text.isupper() and len(t.text) > 2 and t.text.isalpha()))
    ]
    if not words:
        words = [
            i + 1
            for i, t in enumerate(reader.tokens[:-1])
            if t.means("letters_of") and reader.tokens[i + 1].kind in ("word", "concept")
            and len(reader.tokens[i + 1].text) > 3 and " " not in reader.tokens[i + 1].text
        ][-1:]  # fmt: skip
    if len(words) != 1 or reader.free("number"):
        return None
    word = reader.at(words[0]).text
    phrases.take(reader, "ways_word 'palabra", "ways_word 'word")
    reader.take_all("letters_of", "arrange", "permutation_word", "anagram", "committee")
    reader.take_all("all_word", "row")
    if together:
        return _finished(reader, "letter_arrangements", word=word, vowels_together=True)
    return _finished(reader, "letter_arrangements", word=word)


def _arranged(reader: Reader) -> Analysis | None:
    """Read people or things in a row or around a table."""
    if not reader.has("arrange"):
        return None
    circle = bool(reader.take_all("circle"))
    apart = phrases.value(reader, "#two. * sit_apart") if reader.has("sit_apart") else None
    if reader.has("sit_apart") and apart is None:
        apart = 2.0 if phrases.take(reader, "sit_apart") else None
    together = None
    if reader.has("sit_together") and apart is None:
        together = phrases.value(reader, "#k. * sit_together")
        if together is None:
            return None
    if apart not in (None, 2.0):
        return None
    reader.take_all("arrange")
    n = reader.only_number("")
    if n is None:
        pair = phrases.take(
            reader, "#k. * pool_from|out_of|'of|'de #n.", "#n. * 'in #k. * 'seat|'chair|row",
            "#n. * must_word? * #k. 'of 'them|'these", "#n. * #k. 'de 'ellos|'ellas",
        )  # fmt: skip
        if pair is None or circle or together or apart:
            return None
        reader.take_all("row")
        return _finished(reader, "permutations", n=pair["n"].value, k=pair["k"].value)
    reader.take_all("row", "all_word")
    parameters: dict[str, Any] = {"n": n.value}
    if circle:
        parameters["circle"] = True
    if together:
        parameters["together"] = together
    if apart:
        parameters["apart"] = 2.0
    return _finished(reader, "orderings", **parameters)


def _offices(reader: Reader) -> Analysis | None:
    """Read offices or places, each for another person: order counts."""
    offices = reader.take_all("office") or reader.take_all("medal")
    if len(offices) < 2:
        return None
    n = reader.only_number("")
    if n is None or len({o.stem for o in offices}) != len(offices):
        return None
    reader.take_all("committee", "pool_from", "out_of", "arrange", "draw")
    name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    phrases.take(reader, "range_word|'in 'final", "'final")
    reader.labels |= {"handed", "awarded", "repartir", "council"}
    reader.labels |= {stem(w) for w in ("medal", "medals", "award", "awarded", "place", "finish",
                                        "runner", "race", "club", "medallas", "puestos")}  # fmt: skip
    return _finished(reader, "permutations", n=n.value, k=float(len(offices)))


def _codes(reader: Reader) -> Analysis | None:
    """Read PINs, passwords and plates of digits and letters."""
    if not reader.take_all("pin"):
        return None
    replaced = bool(reader.take_all("with_replacement"))
    unique = bool(reader.take_all("without_replacement")) or _different_places(reader)
    parts: list[tuple[float, float]] = []
    sizes = {"digit": 10.0, "letter": 26.0, "bits": 2.0}
    while True:
        match = next(
            (
                (m["k"].value, size)
                for kind, size in sizes.items()
                if (m := phrases.take(reader, f"#k. {kind}")) is not None
            ),
            None,
        )
        if match is None:
            break
        parts.append(match)
    if not parts or not all(whole(k) and 0 < k <= 100 for k, _ in parts):
        return None
    if any(size == 26.0 for _, size in parts) and reader.language == "es":
        raise NotUnderstood("say how many letters the alphabet has: 26 or 27")
    reader.take_all("digit", "letter", "bits")
    phrases.take(reader, "'followed 'by", "'seguidas|'seguidos 'de|'por")
    reader.labels |= {"follow", "followed", "then", "use", "using", "made", "consist"}
    if len(parts) == 1:
        k, n = parts[0]
        if unique and not replaced:
            return _finished(reader, "permutations", n=n, k=k)
        return _finished(reader, "sequences", n=n, k=k)
    if unique and len({size for _, size in parts}) != len(parts):
        return None
    repeats = {"unique": True} if unique else {}
    alphabets, lengths = [size for _, size in parts], [k for k, _ in parts]
    return _finished(reader, "codes", alphabets=alphabets, lengths=lengths, **repeats)


def _different_places(reader: Reader) -> bool:
    """Whether the digits or letters must differ: `with different digits`, `cifras distintas`."""
    for place, token in enumerate(reader.tokens):
        beside = [*reader.tokens[max(0, place - 1) : place], *reader.tokens[place + 1 : place + 2]]
        if token.means("different_things", "different_word") and any(
            t.means("digit", "letter") for t in beside
        ):
            return True
    return False


def _pairs(reader: Reader) -> Analysis | None:
    """Read handshakes, and games of a tournament in which each pair meets once."""
    if not reader.take_all("handshake", "round_robin"):
        return None
    reader.take_all("each", "game_word", "exactly", "all_word", "committee")
    phrases.take(reader, "'once", "'una time_word")
    people = reader.only_number("")
    reader.labels |= {"everyone", "everybody", "else", "meet", "meeting", "other", "play"}
    return _finished(reader, "handshakes", people=people.value) if people else None


def _groups(reader: Reader) -> Analysis | None:
    """Read choices from two or more named groups: 5 nurses and 2 doctors from 12 and 6."""
    if not reader.has("committee", "combination_word", "ways_word"):
        return None
    numbers = reader.free("number")
    pools = "'of|out_of|pool_from|'de|'from"
    match = phrases.take(reader, f"#a. * {pools} #n. * 'and|'y #b. * {pools} #m.")
    if match and len(numbers) == 4:
        a, n, b, m = (match[name].value for name in "anbm")
        if a > n or b > m:
            return None
        _take_choice_words(reader, numbers)
        return _finished(reader, "choices_from_groups", sizes=[n, m], chosen=[a, b])
    names = [_name_after(reader, place) for place in numbers]
    values = [reader.tokens[place].value for place in numbers]
    if any(reader.tokens[place].unit for place in numbers):
        return None
    if len(numbers) == 4 and len(set(names)) == 2 and all(names):
        first = {names[0]: values[0], names[1]: values[1]}
        second = {names[2]: values[2], names[3]: values[3]}
        if first.keys() != second.keys():
            return None
        chosen, sizes = first, second
        if all(first[n] >= second[n] for n in first):
            chosen, sizes = second, first
        if not all(chosen[n] <= sizes[n] for n in first):
            return None
        _take_choice_words(reader, numbers)
        order = list(chosen)
        return _finished(
            reader,
            "choices_from_groups",
            sizes=[sizes[n] for n in order],
            chosen=[chosen[n] for n in order],
        )
    return None


def _name_after(reader: Reader, place: int) -> str:
    """The word that says what a number counts."""
    for at in range(place + 1, min(place + 3, len(reader.tokens))):
        token = reader.tokens[at]
        if token.kind in ("word", "concept") and not token.means("different_things"):
            return token.stem
    return ""


def _take_choice_words(reader: Reader, numbers: list[int]) -> None:
    reader.taken.update(numbers)
    reader.take_all(
        "committee", "pool_from", "out_of", "draw", "people_word", "exactly", "combination_word"
    )


def _bounded_committee(reader: Reader) -> Analysis | None:
    """Read a committee of 5 from 7 men and 6 women with at least 2 women."""
    if not reader.has("committee"):
        return None
    bound = next((c for c in ("at_least", "at_most", "exactly") if reader.places(c)), None)
    if bound is None:
        return None
    match = phrases.take(reader, f"{bound} #k.")
    if match is None:
        return None
    place = reader.tokens.index(match["k"])
    group = _name_after(reader, place)
    numbers = reader.free("number")
    names = {i: _name_after(reader, i) for i in numbers}
    mine = [i for i in numbers if names[i] == group]
    members = phrases.value(
        reader, "committee 'of|'de|'con? #n.", "people_word 'of|'de|'con #n.", "#n. 'person|'member"
    )
    others = [i for i in reader.free("number") if i not in mine]
    if len(mine) != 1 or len(others) != 1 or members is None or not group:
        return None
    parameters: dict[str, Any] = {
        "group": reader.tokens[mine[0]].value,
        "others": reader.tokens[others[0]].value,
        "members": members,
    }
    k = match["k"].value
    if bound in ("at_least", "exactly"):
        parameters["low"] = k
    if bound in ("at_most", "exactly"):
        parameters["high"] = k
    _take_choice_words(reader, [*mine, *others])
    reader.take_all("but_word")
    reader.labels.add("include")
    made = _finished(reader, "committees", **parameters)
    return Analysis("committees", parameters=parameters) if made else None


_CHOOSING = frozenset(
    "choose chosen choosing select selected selecting pick picked committee subset delegation jury panel"
    " elegir elegirse escoger seleccionar elegido comite comision subconjunto delegacion jurado eligen escogen".split()
)


def _different(reader: Reader) -> Analysis | None:
    """Read `how many cups with 3 different flavours out of 10`."""
    if not reader.has("ways_word") or reader.has("arrange", "pin", "with_replacement", "office"):
        return None
    pair = phrases.take(reader, "#k. different_things * pool_from|out_of|'of #n.",
        "#k. * different_things * pool_from|out_of|'of|'de|'con|'with|'entre #n.",
    )  # fmt: skip
    if pair is None or pair["k"].value > pair["n"].value:
        return None
    name_clauses(reader, [reader.tokens.index(pair["k"]), reader.tokens.index(pair["n"])])
    return _finished(reader, "combinations", n=pair["n"].value, k=pair["k"].value)


def _verb_and_number(reader: Reader) -> phrases.Phrase | None:
    """Take `pick 4` with the only other number: `27 kids, and I must pick 4`."""
    trial = reader.copy()
    chosen = phrases.take(
        trial, "choosing_verb any_word? exactly? #k.", "'subset|'subconjunto 'of|'de * #k."
    )
    rest = trial.only_number("") if chosen else None
    if chosen is None or rest is None or rest.value < chosen["k"].value:
        return None
    reader.taken |= trial.taken
    return phrases.Phrase({"k": chosen["k"], "n": rest})


def _chosen(reader: Reader) -> Analysis | None:
    """Read a committee of 3 from 10 people, or 3 of 10 books."""
    picked = _verb_and_number(reader)
    if not reader.take_all("committee", "draw") and picked is None:
        return None
    pair = picked or phrases.take(
        reader,
        "#k. * pool_from|out_of #n.", "'of #k. * pool_from|out_of #n.",
        "pool_from #n. * #k.", "#n. * committee|draw #k.",
    )  # fmt: skip
    if pair is None:
        left = reader.free("number")
        if len(left) != 2 or not reader.has("pool_from", "out_of"):
            return None  # `hand out 4 books to 3 children`
        k, n = sorted(reader.tokens[i].value for i in left)
        reader.taken.update(left)
    else:
        k, n = sorted((pair["k"].value, pair["n"].value))
    if reader.has("arrange", "office", "medal"):
        return None
    replaced = reader.take_all("with_replacement")
    reader.take_all("without_replacement", "pool_from", "out_of", "committee", "combination_word")
    reader.take_all("draw", "any_word", "must_word")
    if not {
        t.stem.split()[-1] for t in reader.tokens if t.means("committee", "choosing_verb")
    }.isdisjoint(_CHOOSING):
        name_clauses(reader, [i for i in reader.taken if reader.tokens[i].kind == "number"])
    if replaced:
        raise NotUnderstood("say whether the order counts when things may be chosen again")
    return _finished(reader, "combinations", n=n, k=k)


def _outfits(reader: Reader) -> Analysis | None:
    """Read one of each: 4 shirts, 3 trousers and 2 hats make so many outfits."""
    if not reader.take_all("outfit") or reader.has("committee_size"):
        return None
    places = reader.free("number")
    choices = [reader.tokens[i].value for i in places]
    if len(choices) < 2 or 1 in choices or any(reader.tokens[i].unit for i in places):
        return None
    reader.taken.update(places)
    phrases.take(reader, "'segundo|'second")  # a second course
    phrases.take(reader, "#k. 'of 'each", "'one 'of 'each", "'uno|'una 'de 'cada")
    reader.take_all("pool_from", "each")
    reader.labels |= {
        "make",
        "create",
        "wear",
        "put",
        "hacer",
        "shirt",
        "pant",
        "tie",
        "main",
        "course",
    }
    return _finished(reader, "meals", choices=choices) if all(map(whole, choices)) else None


_READERS = (
    _formal, _pairs, _codes, _letters, _offices, _bounded_committee, _groups, _taken_at_a_time,
    _arranged, _outfits, _chosen, _different,
)  # fmt: skip


_GIVING = (
    "repart",
    "distribut",
    "distribuy",
    "assign",
    "asign",
    "award",
    "otorg",
    "prize",
    "premio",
)


def _read(reader: Reader) -> Analysis | None:
    made = _first(reader)
    if made is None or made.method != "combinations":
        return made
    if any(t.stem.startswith(_GIVING) for t in reader.tokens):
        raise NotUnderstood("say whether the same person may get more than one of the things")
    if any(t.means("office", "medal") for t in reader.tokens):
        raise NotUnderstood("a choice in which one has an office is not understood")
    return made


def _first(reader: Reader) -> Analysis | None:
    """The first reading that leaves nothing over; else the first reading."""
    first = None
    problem: NotUnderstood | None = None
    for read in _READERS:
        trial = reader.copy()
        try:
            made = read(trial)
        except NotUnderstood as reason:
            problem = problem or reason
            continue
        if made is None:
            continue
        if not trial.left():
            reader.taken |= trial.taken
            reader.labels |= trial.labels
            return made
        first = first or (made, trial)
    if first is not None:
        reader.taken |= first[1].taken
        reader.labels |= first[1].labels
        return first[0]
    if problem is not None:
        raise problem
    return None


RULES = (
    Rule(
        "a question about how many ways there are",
        frozenset(
            {
                "ways_word",
                "permutation_word",
                "combination_word",
                "factorial_word",
                "pin",
                "arrange",
            }
            | {"handshake", "round_robin", "call_c"}
        ),
        _read,
        "arrangements, choices from a group, codes of digits or letters, pairs",
    ),
)
