"""A start reads changed documents beside everything else, once each specialist has an index."""

from router.cli.specialist import refresh_in_child
from router.config.load import at_home, load

TEXT = """
server: {{data: "{data}"}}
backends:
  bees: {{kind: specialist, folder: "{documents}"}}
plans:
  ask: {{ask: bees}}
"""


def test_a_start_waits_for_documents_only_while_a_specialist_has_no_index(tmp_path):
    documents, file = tmp_path / "documents", tmp_path / "waggle.yaml"
    documents.mkdir()
    (documents / "bees.md").write_text("# Bees\n\nA waggle dance tells where the flowers are.\n")
    file.write_text(TEXT.format(data=tmp_path / "data", documents=documents))
    config = at_home(load(file))
    assert refresh_in_child(config) is None  # it has ended
    (documents / "hive.md").write_text("# Hive\n\nA hive has one queen.\n")
    refreshing = refresh_in_child(config)
    assert refreshing is not None
    assert "bees: 2 files, 1 read, 1 as before" in refreshing.wait()
