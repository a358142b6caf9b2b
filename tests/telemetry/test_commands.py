"""`waggle sql` and `waggle telemetry`, as an operator types them."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest

from router.api.parse import session_id
from router.reuse.solution_store import SolutionStore
from tests.forked_waggle import run_waggle
from tests.reuse.soak import solution
from tests.telemetry.stored import Stored, request, signal

WAGGLE = Path(sys.executable).with_name("waggle")


ENVIRONMENT = {"PATH": "/usr/bin:/bin", "COLUMNS": "200", "PYTHONPATH": str(Path.cwd())}


@pytest.fixture
def data(tmp_path):
    return tmp_path / "var"


@pytest.fixture
def stored(data):
    stored = Stored(data / "telemetry")
    rows = [request(key_id=key, plan=plan) for key, plan in (("k1", "cheap"), ("k2", "dear"))]
    talk = request(session=session_id("", "my talk"), key_id="k3")
    stored.write("requests", [*rows, talk])
    stored.write("signals", [signal(rows[0], 0.5)])
    stored.close()
    return stored


def waggle(data, *args, stdin="", check=True):
    environment = ENVIRONMENT | {"HOME": str(data)}
    command = [*args, "--data", str(data)]
    done = run_waggle(command, folder=data, environment=environment, stdin=stdin)
    if check:
        assert done.returncode == 0, done.stderr
    return done


def test_sql_writes_rows_in_the_form_that_an_option_names(stored, data):
    query = "select plan, count(*) as n from requests group by plan order by plan"
    assert "cheap" in waggle(data, "sql", query).stdout
    rows = waggle(data, "sql", query, "--format", "csv").stdout
    assert list(csv.DictReader(io.StringIO(rows))) == [
        {"plan": "cheap", "n": "2"},
        {"plan": "dear", "n": "1"},
    ]
    rows = waggle(data, "sql", query + ";", "-f", "json").stdout
    assert json.loads(rows) == [{"plan": "cheap", "n": 2}, {"plan": "dear", "n": 1}]
    target = data / "rows.parquet"
    waggle(data, "sql", query, "-f", "parquet", "-o", str(target))
    assert pl.read_parquet(target)["n"].to_list() == [2, 1]


def test_sql_writes_rows_after_what_a_file_holds_already(stored, data):
    """As in `(echo before; waggle sql …; echo after) > FILE`."""
    target = data / "rows.csv"
    with target.open("w") as rows:
        rows.write("before\n")
        rows.flush()
        subprocess.run(
            [WAGGLE, "sql", "select 1 as n", "-f", "csv", "--data", data],
            stdout=rows,
            check=True,
            cwd=data,
            env=ENVIRONMENT,
        )
        rows.seek(0, os.SEEK_END)
        rows.write("after\n")
    assert target.read_text() == "before\nn\n1\nafter\n"


def test_sql_explains_an_error_with_a_query(stored, data):
    bad = waggle(data, "sql", "select nothing from requests", check=False)
    assert bad.returncode == 1
    assert "nothing" in bad.stderr
    assert "Traceback" not in bad.stderr
    screen = waggle(data, "sql", "select 1", "-f", "parquet", check=False)
    assert "--out FILE.parquet" in screen.stderr


def test_sql_changes_nothing(stored, data):
    assert waggle(data, "sql", "drop view requests", check=False).returncode == 1
    assert stored.value("select count(*) from requests") == 3


HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil"


def test_a_row_of_a_caller_cannot_command_the_terminal(stored, data):
    stored.write("requests", [request(session=HOSTILE, error=HOSTILE)], writer="w2")
    query = f'select session, error as "{HOSTILE}" from requests where error is not null'
    for text in (
        waggle(data, "sql", query).stdout,
        waggle(data, "sql", stdin=query + ";").stdout,
        waggle(data, "sql", f"select error(session) from ({query})", check=False).stderr,
        waggle(data, "sql", f"select '{HOSTILE}'::int", check=False).stderr,
    ):
        assert not set("\x1b\x07\x9b\u202e") & set(text)
        assert "␛]0;owned" in text.replace("\n", "")


@pytest.mark.slow
def test_a_row_of_a_caller_cannot_command_the_terminal_as_csv_either(stored, data):
    stored.write("requests", [request(error=HOSTILE)], writer="w2")
    query = "select error from requests where error is not null"
    shown, screen = pty.openpty()
    subprocess.run(
        [WAGGLE, "sql", query, "-f", "csv", "--data", data],
        stdout=screen,
        check=True,
        cwd=data,
        env=ENVIRONMENT,
    )
    os.set_blocking(shown, False)
    assert "␛]0;owned␇␛[2J" in os.read(shown, 4096).decode()
    # A program that reads the rows gets them as they are.
    assert HOSTILE in waggle(data, "sql", query, "-f", "csv").stdout


def test_views_of_a_folder_from_elsewhere_are_not_believed(stored, data, tmp_path):
    """Somebody hands over a folder whose `telemetry.duckdb` reads other files."""
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    path = data / "telemetry" / "telemetry.duckdb"
    path.unlink()
    with duckdb.connect(str(path)) as con:
        con.execute(f"create view requests as select content as plan from read_text('{secret}')")
    assert "secret" not in waggle(data, "sql", "from requests", "-f", "csv").stdout
    assert "cheap" in waggle(data, "sql", "select plan from requests").stdout


@pytest.mark.slow
def test_the_shell_takes_several_queries(stored, data):
    typed = "select count(*) as n\nfrom requests;\nselect wrong;\nselect 'still here' as word;\n"
    done = waggle(data, "sql", stdin=typed)
    assert "3" in done.stdout
    assert "still here" in done.stdout
    assert "wrong" in done.stderr


def test_without_telemetry_the_refusal_says_how_to_get_some(data):
    data.mkdir()
    for command in (("sql", "select 1"), ("telemetry", "verify"), ("telemetry", "status")):
        done = waggle(data, *command, check=False)
        assert done.returncode == 1
        assert "start with `waggle serve`" in done.stderr
        assert not (data / "telemetry").exists()


def test_a_caller_is_forgotten_by_key_and_by_the_name_of_a_session(stored, data):
    assert "say whose rows" in waggle(data, "telemetry", "forget", check=False).stderr
    by_key = waggle(data, "telemetry", "forget", "--key", "k1", "--yes").stdout
    assert "Removed 2 rows" in by_key
    nothing = waggle(data, "telemetry", "forget", "--session", "another", "--yes").stdout
    assert "Removed 0 rows" in nothing
    assert stored.ask("select key_id from requests order by key_id") == [("k2",), ("k3",)]
    by_session = waggle(data, "telemetry", "forget", "--session", "my talk", "--yes").stdout
    assert "Removed 1 rows" in by_session
    assert stored.ask("select key_id from requests") == [("k2",)]


def test_the_solutions_of_a_forgotten_caller_go_as_well(stored, data):
    ((their_request,),) = stored.ask("select request_id from requests where key_id = 'k1'")
    solutions = SolutionStore(data / "solutions")
    theirs = [
        replace(solution("of the key"), scope="key k1"),
        replace(solution("of the key's group"), scope="group g", request_id=their_request),
    ]
    adapted = replace(solution("adapted from theirs"), scope="group g", parent=2)
    solutions.add([*theirs, adapted, replace(solution("of another"), scope="group g")])
    done = waggle(data, "telemetry", "forget", "--key", "k1", "--yes").stdout
    assert "Removed 3 solutions" in done
    assert [row.request for row in solutions.everything()] == ["of another"]
    solutions.close()
    files = (data / "solutions").iterdir()
    assert not [path for path in files if b"of the key" in path.read_bytes()]


def test_forgetting_needs_a_confirmation(stored, data):
    done = waggle(data, "telemetry", "forget", "--key", "k1", stdin="n\n", check=False)
    assert done.returncode == 1
    assert stored.value("select count(*) from requests") == 3


def test_compact_and_verify_and_status(stored, data):
    assert "hold 3 requests, 1 signals" in waggle(data, "telemetry", "verify").stdout
    waggle(data, "telemetry", "compact")
    assert "Nothing is damaged" in waggle(data, "telemetry", "verify").stdout
    assert "2026-05-28" in waggle(data, "telemetry", "status").stdout
    (path,) = (data / "telemetry" / "segments").glob("requests-*.parquet")
    path.write_bytes(path.read_bytes()[:-1])
    done = waggle(data, "telemetry", "verify", check=False)
    assert done.returncode == 1
    assert "its checksum is wrong" in done.stdout


def test_prune_needs_a_rule(stored, data):
    done = waggle(data, "telemetry", "prune", check=False)
    assert "set telemetry.keep_days or telemetry.keep_bytes" in done.stderr
    config = data / "waggle.yaml"
    config.write_text(
        "telemetry: {keep_days: 1}\nbackends: {g: {kind: generator}}\nplans: {p: {ask: g}}\n"
    )
    pruned = waggle(data, "telemetry", "prune", "-c", str(config)).stdout
    assert "Removed" in pruned
    assert stored.value("select count(*) from requests where ts < ago(interval 1 day)") == 0
