#!/usr/bin/env bash
# The same bytes everywhere: builds the repository's own datasets.config.ts with Node 20 and 24, with 1 and 2 workers,
# each in a folder of its own, and compares all that is published.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/test/published.sh"
unset CI
versions=(${NODE_VERSIONS:-20 24})
tools=${NODE_TOOLS:-$root/node_modules/.cache/dsbuild/node}

# Prints the path of a Node of major version $1: the one that runs this, or the binary that npm's `node` package is made of.
node_of() {
  if [ "$(node -p 'process.versions.node.split(".")[0]')" = "$1" ]; then command -v node; return; fi
  local name folder="$tools/$1"
  name=$(node -p '`node-${process.platform}-${process.arch}`')
  local binary="$folder/node_modules/$name/bin/node"
  if [ ! -x "$binary" ]; then
    mkdir -p "$folder"
    echo '{ "private": true }' > "$folder/package.json"
    for try in 1 2 3; do
      npm install --silent --prefix "$folder" --no-save --no-package-lock --ignore-scripts --prefer-offline "$name@$1" >&2 && break
      [ "$try" = 3 ] && fail "npm can not install $name@$1"
      sleep 5
    done
  fi
  echo "$binary"
}

# A copy of the checkout as it would be built elsewhere, without what earlier builds left.
copy_checkout() {
  mkdir -p "$1"
  (cd "$root" && git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
    tar -c --null -T - -f -) | tar -x -f - -C "$1"
  cp -R "$root/dist" "$1/dist"
  ln -s "$root/node_modules" "$1/node_modules"
}

[ -e "$root/dist/src/cli/main.js" ] || (cd "$root" && npm run --silent build)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
first='' first_name=''
copy_checkout "$folder/inputs"
for version in "${versions[@]}"; do
  node=$(node_of "$version")
  for jobs in 1 2; do
    name="Node $("$node" -v), $jobs worker(s)"
    # Of another depth each time, so that a path that gets into bytes shows.
    checkout="$folder/node-$version$([ "$jobs" = 2 ] && echo /deeper/down || true)/jobs-$jobs"
    copy_checkout "$checkout"
    (cd "$checkout" && "$node" bin/dsbuild.js -j "$jobs" > "$folder/log" 2>&1) || { cat "$folder/log" >&2; fail "the build failed: $name"; }
    digests=$(published_digests "$checkout" "$folder/inputs")
    expect_shards "$digests" "($name)"
    echo "$name: $(wc -l <<<"$digests") files, $(sha256sum <<<"$digests" | cut -c1-16)"
    if [ -z "$first" ]; then
      first=$digests first_name=$name
    elif [ "$first" != "$digests" ]; then
      diff <(echo "$first") <(echo "$digests") >&2 || true
      fail "$name published other bytes than $first_name"
    fi
  done
done
echo 'node-versions: all bytes equal'
