"""Which columns a request for records describes, and which requests are refused, with the word."""

import pytest

from sandbox.request import read
from sandbox.spec import Field, Spec
from tests.sandbox.paraphrases import line


def spec_of(text: str) -> Spec:
    interpretation = read(text)
    assert interpretation.spec is not None, interpretation.reasons
    return interpretation.spec


def field_of(text: str, name: str) -> Field:
    return next(field for field in spec_of(text).fields if field.name == name)


FOUNDING = [
    (
        "Generate 1000 user records where ages follow a normal distribution with mean 35 and "
        "standard deviation 12",
        "1000 | age int normal(35, 12)",
    ),
    (
        "Generate 1000 users with normal age distribution",
        "1000 | age int normal(40, 12) cut[18, 90]",
    ),
    (
        "Generate 500 employees with normal age distribution",
        "500 | age int normal(40, 12) cut[18, 90]",
    ),
    (
        "Generate 2000 customers with normal salary distribution",
        "2000 | salary int normal(60000, 15000) cut[20000, 150000]",
    ),
    (
        "Generate users with bimodal age distribution",
        "100 | age int mix(0.5 normal(25, 6), 0.5 normal(55, 6)) cut[18, 90]",
    ),
]


@pytest.mark.parametrize(("text", "wanted"), FOUNDING)
def test_a_founding_sentence_is_read_word_for_word(text: str, wanted: str):
    assert line(spec_of(text)) == wanted


@pytest.mark.parametrize("bullet", [" - ", "\n- ", "\n* "])
def test_the_longest_founding_sentence_is_read_as_one_line_and_as_bullets(bullet: str):
    text = bullet.join(
        (
            "Generate enterprise customer data where:",
            "Annual revenue must be log-normally distributed",
            "Company size correlates with revenue (R² > 0.8)",
            "Industry distribution matches real-world ratios",
            "Locations follow population density",
        )
    )
    spec = spec_of(text)
    revenue, industry, location, size = spec.fields
    assert revenue.distribution is not None
    assert revenue.distribution.family == "lognormal"
    assert industry.source.startswith("US Bureau of Labor Statistics")
    assert location.source.startswith("GeoNames")
    assert size.name == "company_size"
    (relation,) = spec.correlations
    assert (relation.first, relation.second) == ("company_size", "annual_revenue")
    assert (relation.measure, relation.relation, relation.value) == ("r2", ">", 0.8)
    assert any("100 records" in sentence for sentence in spec.assumed)
    assert any("annual_revenue" in sentence for sentence in spec.assumed)
    assert any(industry.source in reason for reason in read(text).reasons)
