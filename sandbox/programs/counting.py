"""The programs that count ways: permutations, combinations, arrangements, choices from groups."""

from collections.abc import Mapping

PROGRAMS: Mapping[str, str] = {
    "permutations": """
def permutations(n, k):
    return {"permutations": math.perm(int(n), int(k))}
""",
    "combinations": """
def combinations(n, k):
    return {"combinations": math.comb(int(n), int(k))}
""",
    "factorial": """
def factorial(n):
    return {"factorial": math.factorial(int(n))}
""",
    "sequences": """
def sequences(n, k):
    return {"ways": int(n) ** int(k)}
""",
    "multisets": """
def multisets(n, k):
    return {"ways": math.comb(int(n) + int(k) - 1, int(k))}
""",
    "orderings": """
def orderings(n, circle=False, mirrored=False, together=0, apart=0):
    n, together, apart = int(n), int(together), int(apart)
    blocks = n - together + 1 if together else n
    ways = math.factorial(blocks - 1 if circle else blocks) * math.factorial(max(together, 1))
    if apart:
        # Two that must not be neighbours: all orders without those in which they are.
        together_ways = 2 * math.factorial(n - 2 if circle else n - 1)
        ways = math.factorial(n - 1 if circle else n) - together_ways
    return {"ways": ways // 2 if mirrored else ways}
""",
    "handshakes": """
def handshakes(people):
    return {"pairs": math.comb(int(people), 2)}
""",
    "letter_arrangements": """
def letter_arrangements(word, vowels_together=False):
    def arranged(letters):
        ways = math.factorial(len(letters))
        for letter in set(letters):
            ways //= math.factorial(letters.count(letter))
        return ways

    letters = [letter for letter in word.upper() if letter.isalpha()]
    if not vowels_together:
        return {"arrangements": arranged(letters)}
    vowels = [letter for letter in letters if letter in "AEIOUÁÉÍÓÚÜ"]
    others = [letter for letter in letters if letter not in vowels]
    return {"arrangements": arranged([*others, "the vowels"]) * arranged(vowels)}
""",
    "choices_from_groups": """
def choices_from_groups(sizes, chosen):
    ways = 1
    for size, number in zip(sizes, chosen, strict=True):
        ways *= math.comb(int(size), int(number))
    return {"ways": ways}
""",
    "committees": """
def committees(group, others, members, low=None, high=None):
    low = 0 if low is None else int(low)
    high = int(members) if high is None else int(high)
    return {
        "ways": sum(
            math.comb(int(group), i) * math.comb(int(others), int(members) - i)
            for i in range(low, min(high, int(members)) + 1)
        )
    }
""",
    "codes": """
def codes(alphabets, lengths, unique=False):
    ways = 1
    for size, length in zip(alphabets, lengths, strict=True):
        ways *= math.perm(int(size), int(length)) if unique else int(size) ** int(length)
    return {"ways": ways}
""",
    "meals": """
def meals(choices):
    return {"ways": math.prod(int(choice) for choice in choices)}
""",
}
