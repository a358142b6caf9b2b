"""Which columns a request for records describes, and which requests are refused, with the word."""

import json
from pathlib import Path

import pytest

from sandbox.request import read
from sandbox.spec import Field, Spec
from tests.sandbox.paraphrases import PARAPHRASES, line
from tests.sparing import slow_after


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


VOICES = [
    ("ages follow a normal distribution with mean 35 and sd 12, 500 rows", "500 | age int normal(35, 12)"),
    ("normally distributed ages (mean 35, SD 12), 200 of them", "200 | age int normal(35, 12)"),
    ("age ~ N(35, 12), n = 300", "300 | age int normal(35, 12)"),
    ("create 100 rows with columns: age: normal(35, 12); score: uniform(0, 100)", "100 | age int normal(35, 12); score uniform(0, 100)"),
    ("Generate 50 users: {age: normal(35,12), income: lognormal(10,0.5)}", "50 | age int normal(35, 12); income lognormal(10, 0.5)"),
    ("a dozen exponential waiting times with mean 4 minutes", "12 | waiting_time exponential(4)"),
    ("1000 rows, x uniform 0-10, y = 3x + 2", "1000 | x uniform(0, 10); y = 3 * x + 2"),
    ("Generate 100 rows: price between 5 and 20, quantity between 1 and 9, total is price times quantity", "100 | price int uniform(5, 20); quantity int uniform(1, 9); total = price * quantity"),
    ("Make up 100 bills: total is normal with mean 45 and sd 15, at least 5; tip is 18% of total", "100 | total normal(45, 15) cut[5, -]; tip = total * 0.18"),
    ("generate two correlated columns, x and y, 500 rows, both standard normal, correlation 0.7", "500 | x normal(0, 1); y normal(0, 1) | x~y r = 0.7"),
    ("500 adults, height (mean 170 cm, sd 8) and weight (mean 70 kg, sd 12), both normal, with a correlation of 0.6 between them", "500 | height normal(170, 8); weight normal(70, 12) | height~weight r = 0.6"),
    ("Generate 300 people with height and weight, correlation 0.7", "300 | height .1 normal(170, 10) cut[130, 220]; weight .1 normal(72, 14) cut[35, 180] | height~weight r = 0.7"),
    ("create 500 fake users with ages from a normal distribution (μ=30, σ=8) truncated at 18 and 65", "500 | age int normal(30, 8) cut[18, 65]"),
    ("Generate 100 numbers with mean 50 and standard deviation 10", "100 | value normal(50, 10)"),
    ("Generate 50 people with ages uniformly distributed 20-40 and heights N(170, 10) cm", "50 | age int uniform(20, 40); height normal(170, 10)"),
    ("300 values, 70% from N(0,1) and 30% from N(5,1)", "300 | value mix(0.7 normal(0, 1), 0.3 normal(5, 1))"),
    ("service times for 1200 customers, exponential with mean 6 minutes; anything over 15 min gets recorded as 15", "1200 | service_time exponential(6) clip[-, 15]"),
    ("400 loan applications: credit score normal with mean 690 and sd 60, never below 300 or above 850", "400 | credit_score normal(690, 60) cut[300, 850]"),
    ("Sociology seminar: a thousand households with income (normal, mean 30000, sd 8000)", "1000 | income normal(30000, 8000)"),
    ("list 600 rolls of a fair die for my class", "600 | die int uniform(1, 6)"),
    ("10k rows, column churned = 1 in 12% of cases else 0", "10000 | churned cat(1 0.12, 0 0.88)"),
    ("Simulate 800 survey respondents. Trust: Likert 1-5 with probabilities 0.1, 0.2, 0.4, 0.2, 0.1.", "800 | trust cat(1 0.1, 2 0.2, 3 0.4, 4 0.2, 5 0.1)"),
    ("200 invoices dated in the first quarter of 2025 (invoice_date as YYYY-MM-DD)", "200 | invoice_date 2025-01-01..2025-03-31"),
    ("Fake A/B log, 2000 visitors, variant A or B (half and half), converted 0/1 with a 11% chance", "2000 | variant cat(A 0.5, B 0.5); converted cat(1 0.11, 0 0.89)"),
    ("mock daily sales for all of 2023 (one row per day, columns date and sales) with a weekly pattern", "365 | sale by day from 2023-01-01: 100 + 0 t, 10 per 7, noise 1"),
]  # fmt: skip
VOCES = [
    ("Genera 1000 usuarios donde las edades siguen una distribución normal con media 35 y desviación estándar 12", "1000 | edad int normal(35, 12)"),
    ("Genera usuarios con distribución de edad bimodal", "100 | edad int mix(0.5 normal(25, 6), 0.5 normal(55, 6)) cut[18, 90]"),
    ("Necesito 200 clientes con edad (normal, media 40, desviación 10) e ingresos (lognormal, mediana 30000, sigma 0,5)", "200 | edad int normal(40, 10); ingreso lognormal(10.31, 0.5)"),
    ("Genera 400 alturas normales con media 170 cm y desviación 8 cm, entre 140 y 210", "400 | altura normal(170, 8) cut[140, 210]"),
    ("Genera 300 usuarios donde el 60% son hombres y el 40% mujeres", "300 | género cat(hombres 0.6, mujeres 0.4)"),
    ("Simula 500 compras: cantidad entero entre 1 y 5, precio uniforme entre 10 y 100, total = cantidad * precio", "500 | cantidad int uniform(1, 5); precio uniform(10, 100); total = cantidad * precio"),
    ("Llena la BD de mi tienda -> 75 productos; id_producto único; precio de 0.99 a 19.99; existencias entero 0..500", "75 | id_producto id; precio uniform(0.99, 19.99); existencia int uniform(0, 500)"),
    ("mil filas con temperatura ~ N(22, 3), semilla 42, en CSV", "1000 csv seed=42 | temperatura normal(22, 3)"),
    ("500 facturas, fecha de factura en 2024 (formato ISO), total de 5 a 900 dólares", "500 | fecha_de_factura 2024-01-01..2024-12-31; total int uniform(5, 900)"),
    ("Genera 500 personas con estatura normal de media 170 y desviación 10, peso normal de media 70 y desviación 12, y correlación de 0,6 entre estatura y peso", "500 | estatura normal(170, 10); peso normal(70, 12) | estatura~peso r = 0.6"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), [*VOICES, *VOCES])
def test_records_are_read_in_many_voices(text: str, wanted: str):
    assert line(spec_of(text)) == wanted


@pytest.mark.parametrize(
    ("text", "name", "labels"),
    [
        ("Generate 100 houses with state: New York 60%, New Jersey 40%", "state", ("New York", "New Jersey")),
        ("Make 500 voters, state New York 60%, North Carolina 40%", "state", ("New York", "North Carolina")),
        ("Generate 100 people with country Costa Rica 30%, Panama 30%, El Salvador 40%", "country", ("Costa Rica", "Panama", "El Salvador")),
        ("200 customers, city is New York (50%), Los Angeles (30%) or Chicago (20%)", "city", ("New York", "Los Angeles", "Chicago")),
        ("create 60 employees w/ dept (Sales, HR, IT)", "dept", ("Sales", "HR", "IT")),
        ("Generate 100 customers with loyalty tier bronze, silver or gold with equal probability", "loyalty_tier", ("bronze", "silver", "gold")),
        ("Generate 100 people with smoker status (yes 22%, no 78%)", "smoker_status", ("yes", "no")),
    ],
)  # fmt: skip
def test_a_label_of_a_list_keeps_all_its_words(text: str, name: str, labels: tuple[str, ...]):
    of = field_of(text, name).distribution
    assert of is not None
    assert of.labels == labels


def test_labels_that_a_request_lists_get_their_weights_from_a_table():
    text = (
        "mock 900 shoppers; city only New York, Los Angeles or Chicago, in proportion to population"
    )
    city = field_of(text, "city")
    assert city.distribution is not None
    assert city.distribution.labels == ("New York", "Los Angeles", "Chicago")
    assert city.distribution.weights[0] > 0.5
    assert city.source.startswith("GeoNames")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Generate 100 numbers with mean 50 and sd 10", "only gives its mean and spread"),
        ("Generate 100 draws from Exp(4)", "the rate"),
        ("Generate 100 users with salary between 100 and 900", "whole numbers"),
        ("Generate 100 users with dept (Sales, HR, IT)", "equally likely"),
        ("Generate 500 employees with normal age distribution", "usual figures, mean 40, sd 12"),
        ("Generate users with bimodal age distribution", "100 records"),
    ],
)
def test_what_a_request_leaves_open_is_told(text: str, sentence: str):
    assert any(sentence in assumed for assumed in spec_of(text).assumed)


def test_order_multiples_and_ids_are_fields():
    text = "Generate 100 users with age normal mean 40 sd 10, sorted by age descending, ids start at 1000"
    assert field_of(text, "age").order == "descending"
    assert field_of(text, "id").first == 1000
    even = field_of("80 random numbers between 10 and 50, only even ones, largest first", "value")
    assert (even.multiple, even.remainder, even.order) == (2, 0, "descending")
    order_id = field_of("Generate 9 orders with order id like ORD-00042, amount 5 to 9", "order_id")
    assert (order_id.prefix, order_id.first, order_id.digits) == ("ORD-", 42, 5)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Generate 100 folded normal values with mean 0 and sd 1", "folded"),
        ("Generate 100 ages that aren't normal with mean 35 and sd 12", "aren't"),
        ("Generate 100 ages with sample mean 35 and sd 12, normal", "sample mean"),
        ("Generate 100 weights normal with mean 70 kg and sd 10 pounds", "different units, kg and pounds"),
        ("Generate 100 ages normal with mean 100 and sd 10%", "percentage"),
        ("Generate 500 to 600 users with age normal mean 40 sd 10", "say how many"),
        ("Generate 1000 users with random ids and age between 18 and 80", "random ids"),
        ("Generate 100 values from a zero-inflated Poisson with mean 3", "inflated"),
        ("Generate 200 users with age normal mean 40 sd 10, older users earn more", "older"),
        ("Generate 100 orders with amount between 10 and 50 and a 10% discount", "10%"),
        ("Generate 100 values normal mean 5 sd 1, in thousands", "thousand"),
        ("Generate 1000 ages with mean 35 and sd 12 for women, normal", "women"),
        ("Generate 1000 ages normal mean 35 sd 12 squared", "squared"),
        ("Generate 1000 ages normal mean 35 sd 12 where 10% are 0", "10%"),
        ("Generate 1000 ages normal mean 35 sd 12, mostly young", "mostly_young"),
        ("Generate 100 orders, subtotal 10 to 100, total is subtotal plus 8%", "of what 8%"),
        ("Generate 100 rows: x ~ N(0, 1), y ~ N(0, 1), sorted by x and y", "one column to sort by"),
        ("Generate 100 pairs of values from N(0,1)", "pairs"),
        ("Generate 100 users with age ~ N({{mean}}, {{sd}})", "not filled"),
        ("Generate 100 users where 60% are male and 30% are female", "100%"),
        ("Generate 100 values from a Zipf distribution", "not supported"),
        ("Generate 500 rows with a and b both normal with mean 0 and sd 1, correlated", "how strong"),
        ("Generate 100 ages, normal, clipped, with mean 35 and sd 12", "no bounds"),
        ("Genera 100 edades normales con media 35 y desviación 12, autocorrelacionado", "autocorrelacionado"),
    ],
)  # fmt: skip
def test_a_refusal_names_what_is_not_understood(text: str, word: str):
    interpretation = read(text)
    assert interpretation.spec is None
    assert word in "; ".join(interpretation.reasons)


CLAUSES = json.loads(Path(__file__).with_name("clauses_of_records.json").read_text())
BASES = [
    text for text, wanted in PARAPHRASES if wanted[0].isdigit() and " by " not in wanted
][::6]  # fmt: skip


@pytest.mark.parametrize("base", slow_after(8, BASES))
def test_no_clause_is_ignored(base: str):
    """A clause that changes what is asked is in the spec, or the request is refused for a reason."""
    whole = spec_of(base)
    for clause in CLAUSES:
        interpretation = read(f"{base.rstrip('. ')}, {clause}")
        assert interpretation.spec != whole, clause
        assert interpretation.spec is not None or any(interpretation.reasons), clause
