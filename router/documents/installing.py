"""`python -m router.documents.installing`: prepare, once for each installation, what every first
start needs: the export of the packaged encoder, and the indexes of the documents that Waggle ships.

`make env` runs it. Without it, the first start on each data folder prepares them, with torch.
"""

import sys

from router.documents.indexing import SHIPPED_DOCUMENTS, NoDocuments, installed_index, refresh
from router.encoding.encoder import CannotEncode, installed_with_waggle
from router.encoding.home import encoder_of


def main() -> int:
    try:
        encoder = encoder_of(None, str(installed_with_waggle() / "encoders"))
        for shipped in sorted(SHIPPED_DOCUMENTS.iterdir()):
            if shipped.is_dir():
                refresh(shipped, installed_index(shipped), encoder)
    except (CannotEncode, NoDocuments, OSError) as error:
        sys.stderr.write(f"The first start will prepare the sentence encoder: {error}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
