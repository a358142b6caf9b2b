"""`waggle knowledge advise`, as an operator types it."""

from typer.testing import CliRunner

from router.audit_log import AuditLog
from router.cli.main import app
from router.knowledge.rows.keeping import put_table
from router.knowledge.rows.store_rows import StoreRows
from router.knowledge.store import KnowledgeStore
from tests.knowledge.test_rows_advice import permits

CONFIG = """
backends: {g: {kind: generator}}
plans: {ask: {ask: g}}
knowledge: {town: {}, empty: {}}
"""


def test_an_operator_sees_measured_advice_and_creates_what_it_proposes(tmp_path):
    (tmp_path / "waggle.yaml").write_text(CONFIG)
    store = KnowledgeStore(tmp_path / "knowledge" / "stores" / "town")
    put_table(store, permits(20_000), source="permits.csv", by="feed")
    rows = StoreRows(store)
    options = ("--data", str(tmp_path), "--config", str(tmp_path / "waggle.yaml"))

    def waggle(*args):
        result = CliRunner().invoke(app, ["knowledge", "advise", *args, *options])
        return result.exit_code, " ".join(result.output.split())

    assert waggle("town")[1].startswith("No advice: no table of 1,000 rows or more")
    for n in range(3):
        rows.answer(f"fee of K{n:05}")
    code, text = waggle("town", "--apply")
    assert code == 0
    assert "created: index permits (code)" in text
    assert [each["what"] for each in AuditLog(tmp_path).lines()] == ["knowledge index created"]
    indexes = store.looking.execute("select name from sqlite_master where type = 'index'")
    assert ("rows_permits by code",) in indexes.fetchall()
    code, text = waggle("nowhere")
    assert (code, "`nowhere`" in text) == (2, True)
    rows.close()
    store.close()
