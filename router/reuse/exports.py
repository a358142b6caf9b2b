"""`python -m router.reuse.exports FOLDER [MODEL]`: make every export that a service without torch
needs.

Exports a model in a folder, or the packaged model with the pair verifier that is built on it. A
service finds them by `server.encoders`, or by WAGGLE_ENCODERS. What exists already is kept.
"""

import sys
from pathlib import Path

from router.encoding.encoder import CannotEncode, prepared
from router.encoding.home import encoder_of
from router.reuse.verifier import verifier_of


def make_exports(folder: Path, model: Path | None = None) -> list[Path]:
    """The folders of the exports, each made if it is missing."""
    if model is not None:
        return [prepared(model, folder)]
    home = str(folder)
    return [encoder_of(None, home).folder, verifier_of(home).folder]


def main(arguments: list[str]) -> int:
    if not 1 <= len(arguments) <= 2:
        sys.stderr.write("say where: python -m router.reuse.exports FOLDER [MODEL]\n")
        return 2
    try:
        made = make_exports(*map(Path, arguments))
    except CannotEncode as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.writelines(f"{folder}\n" for folder in made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
