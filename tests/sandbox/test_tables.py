"""The shipped tables: their sums, sources, sizes and licences, and which phrase asks for which."""

import csv
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chisquare

from sandbox import tables
from sandbox.tables import phrases, row_tables_for, table_for
from sandbox.tables.places import country_names
from sandbox.tables.table import FOLDER, read_file

FILES = sorted(path.stem for path in FOLDER.glob("*.csv"))
TABLES = {
    "industries": tables.industries(),
    "occupations": tables.occupations(),
    "occupations at 19": tables.occupations(19),
    "jobs": tables.jobs(),
    "jobs at 70": tables.jobs(70),
    "cities": tables.cities(),
    "cities of the US": tables.cities("US"),
    "cities of Spain": tables.cities("Spain"),
    "countries": tables.countries(),
    "states": tables.states(),
    "ages": tables.ages(),
    "ages of women": tables.ages("F"),
    "sexes": tables.sexes(),
    "first names": tables.first_names(1950),
    "first names of boys": tables.first_names(1980, "M"),
    "surnames": tables.surnames(),
}
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_a_source_and_a_positive_weight_for_each_of_its_labels(name):
    table = TABLES[name]
    assert len(table.labels) == len(table.weights) == len(set(table.labels))
    assert all(label == label.strip() and label for label in table.labels)
    assert all(weight > 0 for weight in table.weights)
    assert sum(table.shares) == pytest.approx(1)
    assert len(table.source) > 20
    assert 2000 < table.year < 2027


@pytest.mark.parametrize("name", TABLES)
def test_what_is_drawn_from_a_table_passes_chi_square_and_a_draw_that_ignores_weights_fails(name):
    table = TABLES[name]
    chance = np.random.default_rng(7)
    size = 200_000
    fair = chance.multinomial(size, table.shares)
    even = chance.multinomial(size, np.full(len(table.labels), 1 / len(table.labels)))
    large = np.array(table.shares) * size >= 5
    assert _p(fair, table.shares, size, large) > 1e-4
    assert _p(even, table.shares, size, large) < 1e-9


def _p(counts, shares, size, large):
    """χ² over the labels that are expected five times or more, with the others as one."""
    expected = np.append(np.array(shares)[large] * size, size * np.array(shares)[~large].sum())
    seen = np.append(counts[large], counts[~large].sum())
    used = expected > 0
    return chisquare(seen[used], expected[used] * seen[used].sum() / expected[used].sum()).pvalue


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("states", 328_239_523),  # the nation, in the file that the states come from
        ("ages", 341_386_665),  # 341,387 thousand, as published
        ("ages of women", 173_128_221),
        ("sexes", 341_386_665),
    ],
)
def test_a_table_adds_up_to_the_total_that_its_source_gives(name, total):
    assert sum(TABLES[name].weights) == total


def test_employment_adds_up_to_all_workers_except_what_the_source_rounds_or_keeps_back():
    workers = 155_495_730
    assert sum(TABLES["industries"].weights) == pytest.approx(workers, rel=1e-6)
    assert sum(TABLES["occupations"].weights) == pytest.approx(workers, rel=1e-6)
    assert sum(TABLES["jobs"].weights) == pytest.approx(workers, rel=0.01)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_utf_8_and_says_its_source_year_licence_and_the_package_it_comes_from(name):
    (FOLDER / f"{name}.csv").read_bytes().decode("utf-8")
    head = read_file(name).head
    assert set(head) == {"name", "source", "year", "licence", "origin"}
    assert all(head.values())
    licences = ("public domain", "CC BY 4.0")
    assert any(licence in head["licence"] for licence in licences)
    assert re.search(r"(Python|npm) package \w[\w-]* \d+\.\d+", head["origin"])


def test_the_files_have_at_most_500_kb_and_the_readme_names_each_source():
    assert sum(path.stat().st_size for path in FOLDER.parent.rglob("*.*")) <= 500_000
    page = (FOLDER.parent / "README.md").read_text()
    for name in FILES:
        head = read_file(name).head
        assert head["source"].split(",")[0].split(" (")[0] in page, name


def test_a_wheel_takes_the_data_along():
    packaging = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = packaging["package-data"]["sandbox"]
    packed = {path for pattern in patterns for path in (ROOT / "sandbox").glob(pattern)}
    assert {*FOLDER.glob("*.csv"), phrases.WORDS} <= packed


def test_a_district_is_no_city_and_a_name_that_two_cities_share_stands_for_the_larger():
    us = tables.places("us")
    labels = [place.label for place in us]
    assert not {"Brooklyn", "Queens", "The Bronx", "New South Memphis"} & set(labels)
    assert {"New York City", "Columbus", "Columbus, GA"} <= set(labels)
    assert next(place.region for place in us if place.label == "Columbus") == "OH"
    assert tables.cities("us").labels == tuple(labels)
    assert {"London", "Valencia", "Valencia, Spain"} <= set(tables.cities().labels)


def test_a_country_is_given_by_code_or_name_and_an_unknown_one_is_refused_by_name():
    assert tables.cities("ES") == tables.cities("esp") == tables.cities("spain")
    with pytest.raises(ValueError, match="no country is called 'Atlantis'"):
        tables.cities("Atlantis")
    assert {place.country for place in tables.places()} <= set(country_names())


def test_the_cities_of_a_state_lie_in_it():
    texas = tables.places(state="Texas")
    assert texas == tables.places("US", "TX")
    assert {place.region for place in texas} == {"TX"}
    assert texas[0].label == "Houston"
    assert set(tables.state_names().values()) == set(tables.states().labels)
    assert {place.region for place in tables.places("US")} - {""} <= set(tables.state_names())
    with pytest.raises(ValueError, match="no state of the US is called 'Ontario'"):
        tables.cities("US", "Ontario")


def test_a_place_without_a_city_is_refused_and_each_state_has_cities():
    assert all(len(tables.places("US", code)) >= 3 for code in tables.state_names() if code != "DC")
    empty = [code for code in country_names() if not tables.places(code)]
    with pytest.raises(ValueError, match="no city of"):
        tables.cities(empty[0])
    assert table_for(f"cities of {country_names()[empty[0]]}") is None


def test_density_is_people_by_area():
    states = tables.state_densities()
    assert max(states, key=states.__getitem__) == "New Jersey"
    assert min(states, key=states.__getitem__) == "Alaska"
    assert set(tables.states().labels) - set(states) == {"District of Columbia"}
    assert tables.country_densities()["Monaco"] > 1_000 > tables.country_densities()["Spain"]


def test_names_change_with_the_decade_and_the_sex():
    assert tables.first_names(1950, "M").labels[0] == "James"
    assert tables.first_names(1980, "F").labels[0] == "Jessica"
    both = tables.first_names(1980)
    assert {"Jessica", "Michael"} <= set(both.labels)
    assert both.source.startswith("US Social Security Administration")
    assert "1980s" in both.source
    with pytest.raises(ValueError, match="not of 1890"):
        tables.first_names(1890)


def test_jobs_follow_the_life_stage():
    assert tables.occupations(3).labels == ("Child",)
    assert tables.jobs(12).labels == ("Student",)
    at = {age: dict(zip(t.labels, t.shares, strict=True)) for age in (20, 40, 70, 80)
          for t in [tables.occupations(age)]}  # fmt: skip
    assert at[20]["Student"] == pytest.approx(1 - 97 / 132)
    assert at[40]["Not in the labor force"] == pytest.approx(1 - 185 / 230)
    assert at[70]["Retired"] == pytest.approx(1 - 47 / 186)
    assert at[80]["Retired"] == pytest.approx(1 - 11 / 155)
    workers = dict(zip(tables.occupations().labels, tables.occupations().shares, strict=True))
    assert at[40]["Legal"] == pytest.approx(workers["Legal"] * 185 / 230)
    assert "American Community Survey" in tables.jobs(40).source
    assert tables.jobs(35) is tables.jobs(44)
    assert tables.jobs(61) != tables.jobs(62)
    with pytest.raises(ValueError, match="nobody is -1"):
        tables.jobs(-1)


ASKED_FOR = [
    ("Industry distribution matches real-world ratios", tables.industries()),
    ("industry distribution must match real-world ratios.", tables.industries()),
    ("realistic company industries", tables.industries()),
    ("industries of companies in real-world ratios", tables.industries()),
    ("industria según la distribución real", tables.industries()),
    ("ubicación según densidad de población", tables.cities()),
    ("las ciudades de España según número de habitantes", tables.cities("ES")),
    ("gender distribution like the US population", tables.sexes()),
    ("population pyramid of the US", tables.ages()),
    ("pirámide de población", tables.ages()),
    ("US industries", tables.industries()),
    ("Locations follow population density", tables.cities()),
    ("customer locations follow population density", tables.cities()),
    ("cities weighted by population", tables.cities()),
    ("the world's largest cities", tables.cities()),
    ("locations follow US population density", tables.cities("US")),
    ("cities of Spain by population", tables.cities("ES")),
    ("cities in California by population", tables.cities("US", "CA")),
    ("ciudades de Texas según su población", tables.cities("", "Texas")),
    ("US states by population", tables.states()),
    ("states as in the US census", tables.states()),
    ("apellidos según el censo", tables.surnames()),
    ("industry mix matches the US economy", tables.industries()),
    ("the industries must have realistic proportions", tables.industries()),
    ("distribución por industria según proporciones reales", tables.industries()),
    ("geographic distribution follows population density", tables.cities()),
    ("cities drawn with probability proportional to city population", tables.cities()),
    ("countries by population", tables.countries()),
    ("ages of the customers follow the US population", tables.ages()),
    ("male age pyramid", tables.ages("M")),
    ("realistic gender ratio", tables.sexes()),
    ("most common surnames", tables.surnames()),
    ("female first names of the 1950s", tables.first_names(1950, "F")),
    ("names of people born in the 1980s", tables.first_names(1980)),
    ("job titles in realistic proportions", tables.jobs()),
    ("la distribución de industrias coincide con las proporciones reales", tables.industries()),
    ("las industrias deben seguir proporciones del mundo real", tables.industries()),
    ("las ubicaciones siguen la densidad de población", tables.cities()),
    ("ciudades de México por población", tables.cities("MX")),
    ("estados de Estados Unidos por población", tables.states()),
    ("países según su población", tables.countries()),
    ("nombres de mujer de la década de 1950", tables.first_names(1950, "F")),
    ("nombres de hombre de los años 80", tables.first_names(1980, "M")),
    ("apellidos más comunes", tables.surnames()),
]


@pytest.mark.parametrize(("phrase", "table"), ASKED_FOR)
def test_a_phrase_finds_its_table_in_english_and_spanish(phrase, table):
    assert table_for(phrase) == table


@pytest.mark.parametrize(
    "phrase",
    [
        "",
        "population density",
        "real-world ratios",
        "age distribution",
        "normal age distribution",
        "Company size correlates with revenue (R² > 0.8)",
        "Annual revenue must be log-normally distributed",
        "industry distribution does not match real-world ratios",
        "industries in real-world ratios except retail",
        "industries of France",
        "global industry distribution",
        "states of Mexico by population",
        "the 10 largest cities",
        "states by number of employees",
        "cities by company size",
        "industries follow population density",
        "female surnames",
        "cities by company",
        "states by industry",
        "surnames of the 2020 census",
        "ages of the customers follow the US census",
        "industries as in the census",
        "states by city population",
        "cities of Georgia",
        "cities of Texas, Spain",
        "states of Texas",
        "industries ≠ real-world ratios",
        "industries of 中国",
        "industries & jobs",
        "industry % in real-world ratios < 5",
        "locations proportional to the customers",
        "estados según clientes",
        "industries by",
        "industries by population",
        "names match their birth decade",
        "names of people born in 1953",
        "names of people born in the 1880s",
        "company names of the 1950s",
        "names of the 1950s and 1960s",
        "largest states",
        "estado civil según el censo",
        "jobs by life stage",
        "job satisfaction",
        "state of the art",
        "surname " * 100,
    ],
)
def test_a_phrase_that_says_more_than_a_table_holds_finds_none(phrase):
    assert table_for(phrase) is None


@pytest.mark.parametrize(
    ("phrase", "given"),
    [
        ("names by birth decade", "decade"),
        ("names match their birth decade", "decade"),
        ("nombres acordes con la década de nacimiento", "decade"),
        ("jobs match life stage", "age"),
        ("job depends on age", "age"),
        ("job titles appropriate to their age", "age"),
        ("puestos de trabajo acordes con la edad", "age"),
        ("trabajos según la etapa de la vida", "age"),
        ("first names by decade of birth", "decade"),
        ("nombres por década de nacimiento", "decade"),
        ("jobs by life stage", "age"),
        ("occupation matching the life stage", "age"),
        ("profesiones por etapa de la vida", "age"),
    ],
)
def test_a_phrase_may_ask_for_a_table_by_row(phrase, given):
    assert row_tables_for(phrase).given == given
    argument = {"decade": 1960, "age": 40}[given]
    assert row_tables_for(phrase).table(argument).source


@pytest.mark.parametrize(
    "phrase", ["jobs", "surnames by life stage", "names by height", "cities by age"]
)
def test_other_phrases_ask_for_no_table_by_row(phrase):
    assert row_tables_for(phrase) is None


def test_every_row_of_a_file_has_the_columns_of_its_head():
    for name in FILES:
        lines = (FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        widths = {len(row) for row in csv.reader(line for line in lines if line[:2] != "# ")}
        assert len(widths) == 1, name
