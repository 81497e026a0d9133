#!/usr/bin/env bash
# Builds versitygw, the S3 server of the tests, into a cache folder that later runs share. Needs Go; about 75 s, once.
set -euo pipefail
bin="${XDG_CACHE_HOME:-$HOME/.cache}/dsbuild-tests/bin"
[ -x "$bin/versitygw" ] && exit 0
mkdir -p "$bin"
GOBIN="$bin" nice go install github.com/versity/versitygw/cmd/versitygw@v1.8.0
