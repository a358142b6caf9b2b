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
    assert refresh_in_child(config, file) is None  # it has ended
    refreshing = refresh_in_child(config, file)
    assert refreshing is not None
    refreshing.communicate(timeout=120)
    assert refreshing.returncode == 0
