"""Prices, quantities and sums, each computed from the others, to the cent.

A price is at most its list price and at least its cost. A sum equals the total of its parts.
"""

from collections.abc import Callable, Mapping
from typing import Any

from router.records.enriching.facts import Facts, bounds
from router.records.nodes import Node, ShapeLeaf

# Share of the subtotal that is tax, by country, if the record gives no tax.
_TAXES = {"US": 0.08, "ES": 0.21, "GB": 0.2, "FR": 0.2, "DE": 0.19, "IT": 0.22, "PT": 0.23}
_TAX = 0.08  # elsewhere
_STATED = frozenset(("subtotal", "shipping_cost"))  # a total adds postage to such a subtotal
_MOST_QUANTITIES = 1_000  # quantities that are tried for a sum


def settle(facts: Facts) -> None:
    """If a record gives a sum without its parts, choose parts that add up to the sum."""
    values, concepts = facts.values, {*facts.values, *facts.nodes}
    total, tax = facts.number("total"), facts.number("tax")
    subtotal = facts.number("subtotal" if "subtotal" in values else "amount")
    if subtotal is None and total is not None:
        if tax is None and "tax" in concepts:
            tax = round(total - total / (1 + _tax_share(facts)), 2)
            values["tax"] = tax
        subtotal = round(total - (tax or 0.0), 2)
    price_key = next((key for key in ("unit_price", "price") if key in concepts), None)
    if subtotal is None or price_key is None or "quantity" not in concepts:
        return
    msrp, discount = facts.number("msrp"), facts.number("discount")
    quantity, given_price = facts.number("quantity"), facts.number(price_key)
    price = given_price
    if price_key == "price" and price_key not in values and msrp and discount is not None:
        price = values[price_key] = round(msrp * (1 - discount / 100), 2)
    if quantity is None:
        quantity = values["quantity"] = _quantity_for(facts, subtotal, price)
    if not quantity or given_price is not None:
        return
    exact = round(subtotal / quantity, 2)
    # A rounded discount fits several prices; take the price that gives the sum.
    if price is None or (msrp and round(100 * (1 - exact / msrp), 2) == discount):
        values[price_key] = exact


def _quantity_for(facts: Facts, subtotal: float, price: float | None) -> float:
    """A quantity that divides the sum into whole cents, where the allowed range permits."""
    low, high = bounds(facts.nodes.get("quantity"), 1, 9)
    if price:
        return round(subtotal / price)
    least = subtotal / (facts.number("msrp") or subtotal or 1.0)  # no price above the list price
    lowest = max(round(low), 1)
    counts = list(range(lowest, min(max(round(high), lowest), lowest + _MOST_QUANTITIES) + 1))
    facts.random.shuffle(counts)
    counts.sort(key=lambda n: n < least - 1e-9)
    exact = (n for n in counts if abs(round(subtotal / n, 2) * n - subtotal) < 0.005)
    return next(exact, counts[0])


def _price(facts: Facts, node: Node) -> float | None:
    msrp, cost, discount = (facts.number(key) for key in ("msrp", "cost", "discount"))
    if msrp is not None and discount is not None and 0 <= discount <= 100:
        return round(msrp * (1 - discount / 100), 2)
    low, high = bounds(node, 5, 500)
    if msrp is not None:
        stated = isinstance(node, ShapeLeaf) and (node.least is not None or node.most is not None)
        low = max(low if stated else 0.0, 0.55 * msrp)
        high = min(msrp, high) if stated else msrp
    if cost is not None:
        low = max(low, cost)
        high = max(high, low * 1.5) if msrp is None else high
    return facts.cents_between(low, high) if low <= high else None


def _unit_price(facts: Facts, node: Node) -> float | None:
    quantity, subtotal = facts.number("quantity"), facts.number("subtotal")
    subtotal = facts.number("amount") if subtotal is None else subtotal
    if quantity and subtotal is not None:
        return round(subtotal / quantity, 2)
    return _price(facts, node)


def _msrp(facts: Facts, node: Node) -> float:
    prices = (facts.number(key) for key in ("price", "unit_price", "cost"))
    price, discount = max(filter(None, prices), default=None), facts.number("discount")
    if price is None:
        return facts.cents_between(*bounds(node, 10, 900))
    if discount is not None and 0 <= discount < 100:
        return round(price / (1 - discount / 100), 2)
    low, high = bounds(node, price, price * 1.6)
    return facts.cents_between(max(low, price), max(high, price))


def _cost(facts: Facts, _: Node) -> float | None:
    prices = (facts.number(key) for key in ("price", "unit_price", "msrp"))
    price = min(filter(None, prices), default=None)
    return None if price is None else facts.cents_between(0.4 * price, 0.8 * price)


def _discount(facts: Facts, _: Node) -> float | None:
    price, msrp = facts.number("price"), facts.number("msrp")
    if price is None or not msrp or price > msrp:
        return None
    return round(100 * (1 - price / msrp), 2)


def _subtotal(facts: Facts, _: Node) -> float | None:
    prices = (facts.number(key) for key in ("unit_price", "price", "hourly_rate", "msrp"))
    price = next((price for price in prices if price is not None), None)
    quantity, total = _how_many(facts), facts.number("total")
    if quantity is not None and price is not None:
        return round(quantity * price * (1 - _rebate(facts)), 2)
    return None if total is None else round(total - (facts.number("tax") or 0.0), 2)


def _how_many(facts: Facts) -> float | None:
    """For how many a price is paid: pieces, or days where the record has a price for one."""
    quantity = facts.number("quantity")
    if quantity is None and "unit_price" in facts.values:
        return facts.number("days")
    if quantity is None and "hourly_rate" in facts.values:
        return facts.number("hours")
    return quantity


def _rebate(facts: Facts) -> float:
    """The share that a discount takes off a sum; of a discount on the list price, the price has
    it already."""
    percent = None if facts.money_off else facts.number("discount")
    if percent is None or "msrp" in facts.nodes or "msrp" in facts.values:
        return 0.0
    return percent / 100 if 1 <= percent <= 100 else percent if 0 < percent < 1 else 0.0


def _tax_share(facts: Facts) -> float:
    rate = facts.number("tax_rate")
    if rate is not None and 0 < rate < 100:
        return rate if rate < 1 else rate / 100
    country = facts.place.country_code if facts.place else "ES" if facts.language == "es" else ""
    return _TAXES.get(country, _TAX)


def _before_tax(facts: Facts, node: Node) -> float | None:
    subtotal = facts.number("subtotal")
    return _subtotal(facts, node) if subtotal is None else subtotal


def _tax(facts: Facts, node: Node) -> float | None:
    subtotal, total = _before_tax(facts, node), facts.number("total")
    if subtotal is None:
        return None
    return round(total - subtotal if total is not None else _tax_share(facts) * subtotal, 2)


def _total(facts: Facts, node: Node) -> float | None:
    subtotal, tax = _before_tax(facts, node), facts.number("tax")
    if subtotal is None:
        return None
    if tax is None and "tax" in facts.nodes:
        tax = facts.values["tax"] = round(_tax_share(facts) * subtotal, 2)
    shipping = (facts.number("shipping_cost") or 0.0) if {*facts.nodes} >= _STATED else 0.0
    off = (facts.number("discount") or 0.0) if facts.money_off else 0.0
    return round(max(subtotal + (tax or 0.0) + shipping - off, 0.0), 2)


def _least(facts: Facts, node: Node) -> float | None:
    most = facts.number("max")
    low, high = bounds(node, 0, 100)
    return None if most is None else facts.cents_between(min(low, most), min(high, most))


def _most(facts: Facts, node: Node) -> float | None:
    least = facts.number("min")
    low, high = bounds(node, 0, 100)
    if least is None:
        return None
    return facts.cents_between(max(low, least), max(high, least * 2, least))


AMOUNTS: Mapping[str, Callable[[Facts, Node], Any]] = {
    "price": _price, "unit_price": _unit_price, "msrp": _msrp, "cost": _cost,
    "discount": _discount, "subtotal": _subtotal, "amount": _subtotal, "tax": _tax,
    "total": _total, "min": _least, "max": _most,
}  # fmt: skip
