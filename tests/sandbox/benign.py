"""Programs as language models write them when asked to compute something: each must run to its end
and give a result. In `benign.txt`, split at lines of `# ---`."""

from pathlib import Path

_TEXT = Path(__file__).with_suffix(".txt").read_text()
PROGRAMS = [text.strip() for text in _TEXT.split("# ---")]
