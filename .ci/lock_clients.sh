#!/usr/bin/env bash
# Resolves the apps of tests/clients once, and writes the lock that `make clients` installs from.
set -euo pipefail
python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet uv
version=$("$python" -c 'import platform; print(platform.python_version())')
{
    echo "# Made by: make lock-clients. The apps of tests/clients, in an environment of their own."
    "$folder/venv/bin/uv" pip compile --quiet --generate-hashes --no-header --no-annotate \
        --python-version "$version" tests/clients/requirements.in
} >requirements-clients.lock
