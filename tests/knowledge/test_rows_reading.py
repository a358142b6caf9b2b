"""Files of rows become typed columns, as people write numbers, dates, money and gaps."""

import duckdb
import pytest

from router.knowledge.rows.reading import UnreadableTable, csv_table, tables_of


def column(cells, *, beside=(), separator=","):
    """The kind, unit and values of one column; `beside` is a second one that shows habits."""
    rows = zip(cells, beside or [f"r{n}" for n in range(len(cells))], strict=True)
    text = f"c{separator}d\n" + "\n".join(f'"{a}"{separator}"{b}"' for a, b in rows)
    table = csv_table("t", text)
    return table.columns[0].kind, table.columns[0].unit, [row[0] for row in table.rows]


@pytest.mark.parametrize(
    ("cells", "kind", "unit", "values"),
    [
        (["1", "2", ""], "integer", "", [1, 2, None]),
        (["$1,250.50", "-$3", "n/a"], "number", "$", [1250.5, -3.0, None]),
        (["1.250,50 €", "(300,00 €)"], "number", "€", [1250.5, -300.0]),
        (["12.5%", "8 %"], "number", "%", [12.5, 8.0]),
        (["1 250", "12 000 000"], "integer", "", [1250, 12_000_000]),
        (["$5", "€5"], "text", "", ["$5", "€5"]),
        (["0048", "0123"], "text", "", ["0048", "0123"]),
        (["yes", "No"], "boolean", "", [1, 0]),
        (["sí", "no", "-"], "boolean", "", [1, 0, None]),
        (["25/12/2024", "03/04/2024"], "date", "", ["2024-12-25", "2024-04-03"]),
        (["12/25/2024", "03/04/2024"], "date", "", ["2024-12-25", "2024-03-04"]),
        (["03/04/2024", "05/06/2024"], "text", "", ["03/04/2024", "05/06/2024"]),
        (["3 de marzo de 2024", "4 de abril de 2024"], "date", "", ["2024-03-03", "2024-04-04"]),
        (["05-Mar-2024", "17-Dec-2023"], "date", "", ["2024-03-05", "2023-12-17"]),
        (["March 5, 2024", "Dec 7, 2023"], "date", "", ["2024-03-05", "2023-12-07"]),
        (
            ["2024-03-05 18:30", "2024-03-06T07:05:09Z"],
            "datetime",
            "",
            ["2024-03-05 18:30:00", "2024-03-06 07:05:09"],
        ),
        (["31/02/2024", "01/13/2024"], "text", "", ["31/02/2024", "01/13/2024"]),
        (["unknown", "red"], "text", "", ["unknown", "red"]),
        (["1.250", "3.125"], "text", "", ["1.250", "3.125"]),
    ],
)
def test_a_column_has_the_type_that_all_of_its_cells_have(cells, kind, unit, values):
    assert column(cells) == (kind, unit, values)


def test_another_column_shows_what_a_mark_means():
    assert column(["1.250", "3.125"], beside=["0,5", "1,75"])[2] == [1250, 3125]
    assert column(["03/04/2024", "05/06/2024"], beside=["25/12/2024", "01/02/2024"])[2] == [
        "2024-04-03",
        "2024-06-05",
    ]


def test_every_kind_of_file_gives_the_same_table(tmp_path):
    with duckdb.connect(str(tmp_path / "d.duckdb")) as database:
        database.execute(
            "CREATE TABLE t AS SELECT * FROM (VALUES "
            "(1, 2.5::DOUBLE, DATE '2024-03-05', TRUE, 'a'), (2, NULL, NULL, FALSE, NULL)"
            ") v(n, x, day, ok, word)"
        )
        database.execute("COPY t TO '" + str(tmp_path / "t.parquet") + "'")
    (tmp_path / "t.jsonl").write_text(
        '{"n": 1, "x": 2.5, "day": "2024-03-05", "ok": true, "word": "a"}\n{"n": 2, "ok": false}\n'
    )
    (tmp_path / "t.csv").write_text("n,x,day,ok,word\n1,2.5,2024-03-05,yes,a\n2,,,no,\n")
    tables = [
        tables_of(tmp_path / name)[0] for name in ("d.duckdb", "t.parquet", "t.jsonl", "t.csv")
    ]
    first = tables[0]
    for each in tables[1:]:
        assert [column.name for column in each.columns] == [c.name for c in first.columns]
        assert list(each.rows) == list(first.rows)
    assert first.rows[0] == (1, 2.5, "2024-03-05", 1, "a")
    assert all({c.name: c.kind for c in t.columns}["day"] == "date" for t in tables)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("t.csv", "a,b\n1,2,3\n", "row 2 has 3 cells"),
        ("t.csv", "\n", "no row"),
        ("t.jsonl", "[1]\n", "line 1 is not an object"),
        ("t.parquet", "nothing", "cannot be read"),
        ("t.xlsx", "", "is none of"),
    ],
)
def test_a_file_that_is_no_table_says_why(tmp_path, name, content, reason):
    (tmp_path / name).write_text(content)
    with pytest.raises(UnreadableTable, match=reason):
        tables_of(tmp_path / name)
