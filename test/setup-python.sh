#!/usr/bin/env bash
# Makes .venv with the Python readers that tests compare against: pyarrow, datasets, DuckDB and the reference tokenizers.
# Does nothing when it is there already. Without python3 it says so; that is an error only when CI is set.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(pyarrow==26.0.1 datasets==5.2.0 duckdb==2.0.0 tokenizers==0.23.3)
stamp=.venv/dsbuild-packages
wanted="${packages[*]}"

if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

give_up() {
  echo "setup-python: $1" >&2
  [ -z "${CI:-}" ] || exit 1
  echo 'setup-python: tests that read outputs with Python will be skipped.' >&2
  exit 0
}

command -v python3 >/dev/null || give_up 'python3 is not installed (Debian: apt-get install python3-venv).'

make_venv() {
  rm -rf .venv
  python3 -m venv .venv && .venv/bin/python -m pip install --quiet --no-input "${packages[@]}"
}

echo "setup-python: installing $wanted into .venv (once)" >&2
make_venv || { echo 'setup-python: trying once more' >&2; sleep 3; make_venv; } || give_up 'the Python packages could not be installed; see above.'
.venv/bin/python -c 'import pyarrow, datasets, duckdb, tokenizers' || give_up 'the Python packages were installed but can not be imported.'
printf '%s\n' "$wanted" > "$stamp"
