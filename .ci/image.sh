#!/usr/bin/env bash
# .ci/image.sh PREFIX: the steps of the image. Builds an environment without torch in PREFIX/venv, and
# the exports of the sentence encoder in PREFIX/encoders. The Dockerfile runs this script, and so does
# `make image-steps`, in a clean folder. PREFIX must be where the environment will stay.
set -euo pipefail
prefix=$1
source=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3.11}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
mkdir -p "$prefix"
if [ -n "$(ls -A "$prefix")" ]; then
    echo "$prefix is not empty: give .ci/image.sh an empty folder" >&2
    exit 1
fi
"$python" -m venv "$prefix/venv"
installed=$prefix/venv/bin/python
pip() { "$installed" -m pip install --quiet --no-deps --no-compile --log "$build/pip.log" "$@"; }

echo "1. What the service needs while it runs: requirements-image.lock."
pip --require-hashes -r "$source/requirements-image.lock"

echo "2. What only the build needs, in a folder of its own: requirements-export.lock, and torch."
pip --require-hashes --target "$build/packages" -r "$source/requirements-export.lock"
# TORCH_INDEX: an index of builds for the CPU alone; the builds on PyPI expect CUDA's libraries.
pip ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} --target "$build/packages" \
    -r "$source/requirements-torch.lock"
export PYTHONPATH=$build/packages

echo "3. hnswlib, built from source, and Waggle."
pip --require-hashes --no-build-isolation -r "$source/requirements-built.lock"
mkdir "$build/source"
cp -r "$source"/{pyproject.toml,README.md,LICENSE,router,learner,sandbox,dashboard} "$build/source"
pip --no-build-isolation "$build/source"

echo "4. The sentence encoder and the pair verifier, exported with torch for the last time."
cd "$build" # Waggle comes from the environment from here on
"$installed" -m router.reuse.exports "$prefix/encoders"
unset PYTHONPATH

echo "5. What is installed and never used goes."
"$installed" "$source/.ci/image_trim.py"
"$installed" -m pip uninstall --quiet --yes pip

echo "6. A first answer, without torch. Python keeps what it compiled on the way."
WAGGLE_ENCODERS=$prefix/encoders "$installed" "$source/.ci/image_check.py" "$build/answers.json"
find "$prefix" -name lock -type f -delete
chmod -R a+rX,go-w "$prefix"
