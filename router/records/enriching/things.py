"""What a record is about: one product and one trouble, so that all its fields speak of the same."""

from router.records.catalogue.tables import Product, Range, Trouble, plain, ranges, troubles
from router.records.enriching.facts import Facts


def product_of(facts: Facts) -> tuple[Range, Product]:
    """The product of the record, which agrees with its name, category or price."""
    if facts.product is None:
        lines = _fitting_ranges(facts)
        line = facts.random.choice(lines)
        item = facts.random.choice(line.products)
        wanted = plain(str(facts.values.get("product") or ""))
        for each in lines:
            for product in each.products:
                if wanted and wanted in (plain(product.english), plain(product.spanish)):
                    line, item = each, product
        facts.product = (line, item)
    return facts.product


def _fitting_ranges(facts: Facts) -> list[Range]:
    category = plain(str(facts.values.get("category") or ""))
    name = plain(str(facts.values.get("product") or ""))
    by_category = [
        line
        for line in ranges()
        if category and category in (plain(line.english), plain(line.spanish))
    ]
    if not by_category and category:
        head = category.split()[0]
        by_category = [
            line for line in ranges() if head in (plain(line.english), plain(line.spanish))
        ]
    if by_category or not name:
        return by_category or list(ranges())
    heads = {word for word in name.split() if len(word) > 3}
    scored = [(_shared(heads, line), line) for line in ranges()]
    best = max(score for score, _ in scored)
    return [line for score, line in scored if score == best]


def _shared(words: set[str], line: Range) -> int:
    own = plain(
        " ".join(f"{item.english} {item.spanish}" for item in line.products)
        + f" {line.english} {line.spanish}"
    )
    return len(words & set(own.split()))


def trouble_of(facts: Facts) -> Trouble:
    """What the record's ticket is about."""
    if facts.trouble is None:
        given = plain(
            str(facts.values.get("ticket_title") or facts.values.get("ticket_body") or "")
        )
        words = {word for word in given.split() if len(word) > 3}
        scored = [
            (len(words & set(plain(" ".join((*t.subject.values(), *t.text.values()))).split())), t)
            for t in troubles()
        ]
        best = max(score for score, _ in scored)
        facts.trouble = facts.random.choice([t for score, t in scored if score == best])
    return facts.trouble
