"""Programs in the style of language models: each must run to its end and give a result.

`benign.txt` contains the programs, separated by lines of `# ---`.
"""

from pathlib import Path

_TEXT = Path(__file__).with_suffix(".txt").read_text()
PROGRAMS = [text.strip() for text in _TEXT.split("# ---")]
