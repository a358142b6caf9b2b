"""A number that a rule takes and forgets makes the request not understood."""

import pytest

from sandbox.reading.echoes import forgotten
from sandbox.reading.tokens import cleaned, tokens
from sandbox.spec import Analysis, Spec


def _spec(**parameters: float) -> Spec:
    return Spec("calculate", analyses=(Analysis("any", parameters=parameters),))


@pytest.mark.parametrize(
    ("text", "spec", "names"),
    [
        ("a loan of $20,000 at 5% for 3 years", _spec(a=20000.0, b=0.05, c=36.0), []),
        ("a loan of $20,000 at 5% for 4 years", _spec(a=20000.0, b=0.05), ["4"]),
        ("an interval of 95%", _spec(above=0.025), []),
        ("sd 10, the mean of 25 values", _spec(sd=2.0), []),
        ("that two share a birthday among 28", _spec(people=28.0), []),
        ("simulate 1000 flips with p = 0.5", _spec(p=0.5), ["1000"]),
        ("5 out of 20", _spec(n=20.0), ["5"]),
    ],
)
def test_every_number_of_a_request_is_in_its_spec(text: str, spec: Spec, names: list[str]):
    pieces, _ = tokens(cleaned(text))
    assert [token.text for token in forgotten(spec, pieces)] == names
