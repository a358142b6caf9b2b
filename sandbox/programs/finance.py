"""The programs for requests about money."""

from collections.abc import Mapping

PROGRAMS: Mapping[str, str] = {
    "loan": """
def loan(principal, yearly_rate, months, wants, after=0, down=0, down_share=0):
    rate = yearly_rate / 12
    principal = principal * (1 - down_share) - down
    payment = principal / months if rate == 0 else principal * rate / (1 - (1 + rate) ** -months)
    left = months - after
    owed = payment * left if rate == 0 else payment * (1 - (1 + rate) ** -left) / rate
    figures = {
        "payment": payment,
        "total_interest": payment * months - principal,
        "total_paid": payment * months,
        "still_owe": owed,
    }
    return {name: figures[name] for name in wants}
""",
    "months_to_pay": """
def months_to_pay(principal, yearly_rate, payment):
    rate = yearly_rate / 12
    if rate == 0:
        exact = principal / payment
    else:
        exact = -math.log(1 - principal * rate / payment) / math.log(1 + rate)
    return {"months": math.ceil(exact - 1e-9), "years": math.ceil(exact - 1e-9) / 12}
""",
    "savings": """
def savings(deposit, yearly_rate, months, at_start, opening=0):
    rate = yearly_rate / 12
    grown = (1 + rate) ** months
    deposits = deposit * months if rate == 0 else deposit * (grown - 1) / rate
    balance = opening * grown + deposits * (1 + rate if at_start else 1)
    return {"balance": balance}
""",
    "compound_interest": """
def compound_interest(principal, yearly_rate, years, periods, wants):
    if periods == 0:
        amount = principal * math.exp(yearly_rate * years)
    else:
        amount = principal * (1 + yearly_rate / periods) ** (periods * years)
    figures = {"worth": amount, "interest_earned": amount - principal}
    return {name: figures[name] for name in wants}
""",
    "simple_interest": """
def simple_interest(principal, yearly_rate, years, wants):
    interest = principal * yearly_rate * years
    figures = {"worth": principal + interest, "interest_earned": interest}
    return {name: figures[name] for name in wants}
""",
    "growing_time": """
def growing_time(yearly_rate, factor, periods):
    if periods == 0:
        years = math.log(factor) / yearly_rate
    else:
        years = math.log(factor) / (periods * math.log(1 + yearly_rate / periods))
    return {"years": years}
""",
    "time_to_reach": """
def time_to_reach(first, last, yearly_rate, periods):
    if periods == 0:
        years = math.log(last / first) / yearly_rate
    else:
        years = math.log(last / first) / (periods * math.log(1 + yearly_rate / periods))
    return {"years": years}
""",
    "effective_rate": """
def effective_rate(yearly_rate, periods):
    rate = math.expm1(yearly_rate) if periods == 0 else (1 + yearly_rate / periods) ** periods - 1
    return {"effective_rate": rate, "effective_rate_percent": 100 * rate}
""",
    "irr": """
def irr(flows):
    from scipy.optimize import brentq

    def value(rate):
        return sum(flow / (1 + rate) ** t for t, flow in enumerate(flows))

    rate = brentq(value, -0.99, 100, xtol=1e-14)
    return {"irr": rate, "irr_percent": 100 * rate}
""",
    "npv": """
def npv(rate, flows):
    return {"npv": sum(flow / (1 + rate) ** t for t, flow in enumerate(flows))}
""",
    "bond_price": """
def bond_price(face, coupon_rate, years, yearly_yield, periods=1):
    coupon, rate, count = face * coupon_rate / periods, yearly_yield / periods, years * periods
    last = face / (1 + rate) ** count
    return {"price": last + coupon * (1 - (1 + rate) ** -count) / rate}
""",
    "growth_rate": """
def growth_rate(first, last, years):
    rate = (last / first) ** (1 / years) - 1
    return {"growth_rate": rate, "growth_rate_percent": 100 * rate}
""",
    "price_after": """
def price_after(price, steps):
    for step in steps:
        price = price * (1 + step)
    return {"price": price}
""",
    "tip": """
def tip(bill, rate, people=None):
    figures = {"tip": bill * rate, "total": bill * (1 + rate)}
    if people is not None:
        figures["per_person"] = figures["total"] / people
    return figures
""",
    "part_of": """
def part_of(rate, whole):
    return {"part": rate * whole}
""",
    "share_in_percent": """
def share_in_percent(part, whole):
    return {"percentage": 100 * part / whole}
""",
    "percent_change": """
def percent_change(first, last):
    return {"percent_change": 100 * (last - first) / first}
""",
    "markup_and_margin": """
def markup_and_margin(cost, price, wants):
    figures = {"markup": 100 * (price - cost) / cost, "margin": 100 * (price - cost) / price}
    return {f"{name}_percent": figures[name] for name in wants}
""",
    "combined_mean": """
def combined_mean(sizes, means):
    return {"mean": float(np.average(means, weights=sizes))}
""",
    "break_even": """
def break_even(fixed, variable, price):
    exact = fixed / (price - variable)
    return {"units": math.ceil(exact - 1e-9), "exact_units": exact}
""",
    "price_before": """
def price_before(price, steps):
    for step in steps:
        price = price / (1 + step)
    return {"price_before": price}
""",
    "changed_value": """
def changed_value(value, steps):
    for step in steps:
        value = value * (1 + step)
    return {"value": value}
""",
    "with_tax": """
def with_tax(net, rate):
    return {"total": net * (1 + rate), "tax": net * rate}
""",
    "tax_contained": """
def tax_contained(total, rate):
    net = total / (1 + rate)
    return {"net": net, "tax": total - net}
""",
    "whole_of": """
def whole_of(part, rate):
    return {"whole": part / rate}
""",
    "equal_shares": """
def equal_shares(total, people):
    return {"each": total / people}
""",
    "price_for_margin": """
def price_for_margin(cost, rate, of):
    return {"price": cost / (1 - rate) if of == "price" else cost * (1 + rate)}
""",
    "grown_value": """
def grown_value(value, yearly_rate, years):
    return {"value": value * (1 + yearly_rate) ** years}
""",
    "present_value": """
def present_value(amount, rate, years):
    return {"present_value": amount / (1 + rate) ** years}
""",
    "annuity_value": """
def annuity_value(payment, rate, years):
    factor = years if rate == 0 else (1 - (1 + rate) ** -years) / rate
    return {"present_value": payment * factor}
""",
    "yearly_savings": """
def yearly_savings(deposit, yearly_rate, years, opening=0):
    grown = (1 + yearly_rate) ** years
    deposits = deposit * years if yearly_rate == 0 else deposit * (grown - 1) / yearly_rate
    return {"balance": opening * grown + deposits}
""",
    "needed_deposit": """
def needed_deposit(goal, yearly_rate, months):
    rate = yearly_rate / 12
    deposit = goal / months if rate == 0 else goal * rate / ((1 + rate) ** months - 1)
    return {"deposit": deposit}
""",
    "payback": """
def payback(investment, flow):
    return {"years": investment / flow}
""",
    "loan_for_payment": """
def loan_for_payment(payment, yearly_rate, months):
    rate = yearly_rate / 12
    return {"loan": payment * months if rate == 0 else payment * (1 - (1 + rate) ** -months) / rate}
""",
}
