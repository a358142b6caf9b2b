"""The programs for requests about loans, interest and investments."""

PROGRAMS = {
    "loan_payment": """
def loan_payment(principal, yearly_rate, months):
    rate = yearly_rate / 12
    payment = principal / months if rate == 0 else principal * rate / (1 - (1 + rate) ** -months)
    return {"payment": payment}
""",
}
