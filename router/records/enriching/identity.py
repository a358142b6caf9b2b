"""Identifiers whose check digits are right: DNI, CIF, IBAN, ISBN. They are drawn at random."""

import random

_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def national_id(chance: random.Random, country: str, language: str) -> str:
    if country == "ES" or (language == "es" and not country):
        return dni(chance.randint(10_000_000, 79_999_999))
    if country == "US":
        # The numbers from 900 on are given to nobody.
        return f"9{chance.randint(0, 99):02}-{chance.randint(10, 49)}-{chance.randint(1000, 9999)}"
    letters = "".join(chance.choice("ABCEGHJKLMNPRSTWXYZ") for _ in range(2))
    return f"{letters} {chance.randint(10, 99)} {chance.randint(10, 99)} {chance.randint(10, 99)} A"


def dni(number: int) -> str:
    return f"{number:08}{_LETTERS[number % 23]}"


def company_id(chance: random.Random, country: str, language: str) -> str:
    if country == "ES" or (language == "es" and not country):
        return cif(chance.choice("AB"), chance.randint(1_000_000, 9_999_999))
    return f"{country or 'GB'}{chance.randint(100_000_000, 999_999_999)}"


def cif(letter: str, number: int) -> str:
    digits = [int(digit) for digit in f"{number:07}"]
    odd = sum(sum(divmod(2 * digit, 10)) for digit in digits[::2])
    return f"{letter}{number:07}{(10 - (odd + sum(digits[1::2])) % 10) % 10}"


def iban(chance: random.Random, country: str) -> str:
    """An IBAN of Spain, Germany or the United Kingdom; others have one of Spain."""
    length = {"ES": 20, "DE": 18, "FR": 23, "PT": 21}.get(country, 20)
    code = country if country in ("ES", "DE", "FR", "PT") else "ES"
    account = "".join(str(chance.randint(0, 9)) for _ in range(length))
    moved = account + "".join(str(ord(letter) - 55) for letter in code) + "00"
    return f"{code}{98 - int(moved) % 97:02}{account}"


def isbn(chance: random.Random, language: str) -> str:
    group = "84" if language == "es" else "1"
    rest = 9 - len(group)
    publisher = "".join(str(chance.randint(1, 9)) for _ in range(3))
    title = "".join(str(chance.randint(0, 9)) for _ in range(rest - 3))
    digits = f"978{group}{publisher}{title}"
    total = sum(int(digit) * (3 if n % 2 else 1) for n, digit in enumerate(digits))
    return f"978-{group}-{publisher}-{title}-{(10 - total % 10) % 10}"
