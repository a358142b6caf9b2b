"""Clauses added to questions of chance are obeyed or refused, never ignored."""

import json
from pathlib import Path

import pytest

from sandbox.request import read
from tests.sparing import slow_after

_REQUESTS = (
    "Newborn weights are normal with mean 3.4 kg and sd 0.5 kg. Percentage between 2.5 and 4 kg?",
    "IQ ~ N(100, 15). what score marks the top 5%?",
    "X ~ Poisson(4). P(X <= 2)?",
    "I throw two dice. How likely is a total of nine or more?",
    "What is the probability of at least one six in 4 rolls of a fair die?",
    "Probability of at least 8 heads in 10 coin flips",
    "In a class of 30 students what is the probability that two share a birthday?",
    "How many distinct arrangements do the letters of STATISTICS have?",
    "how many committees of 4 can be formed from 10 people?",
    "10 choose 3",
    "How many 4-digit PINs are there if digits can repeat?",
    "A fraud alarm catches 95% of frauds and wrongly fires on 10% of honest payments. "
    "2% of payments are fraudulent. If it fires, how probable is fraud?",
    "15% of customers churn each month. Of 40 customers, what is the probability that at least 8 "
    "churn?",
    "A bag contains 5 red and 3 blue balls. Two balls are drawn without replacement. "
    "Probability both are red?",
    "test a/b: control 480 conversiones de 12.000 visitas, variante 552 de 12.000. dame el p",
    "Group A: mean 75.2, sd 8.1, n=30. Group B: mean 71.4, sd 9.6, n=28. t-test p-value?",
    "95% confidence interval for the mean: mean 50, sd 8, n 25",
    "Survey sample size for a 4% margin of error at 95% confidence, worst case p = 0.5",
    "We convert 8% today and want to be able to spot a lift to 10%. Two-sided alpha 0.05, "
    "power 80%, equal arms. Visitors needed in each arm?",
    "In the treatment group 15 of 100 patients died, in the control group 25 of 100. NNT?",
)
_FILE = Path(__file__).parents[3] / "shared" / "data" / "added_clauses.json"


def _clauses() -> list[str]:
    if not _FILE.exists():
        return ["squared", "one-sided", "as a fraction", "and say what it means", "shuffled"]
    lists = json.loads(_FILE.read_text(encoding="utf-8"))
    return [clause for listed in lists.values() if isinstance(listed, list) for clause in listed]


@pytest.mark.parametrize("request_text", slow_after(6, _REQUESTS))
def test_an_added_clause_changes_the_calculation_or_is_refused(request_text: str) -> None:
    plain = read(request_text).spec
    assert plain is not None
    ignored = [
        clause
        for clause in _clauses()
        if read(f"{request_text.rstrip('?. ')}, {clause}").spec == plain
    ]
    assert ignored == []
