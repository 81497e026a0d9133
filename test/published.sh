# Sourced by package.sh and node-versions.sh: what a build left in a folder.

fail() { echo "FAIL: $*" >&2; exit 1; }

# sha256 and path of every file in folder $1, in order of path, without tools, private state and what folder $2 has too.
published_digests() {
  (cd "$1" && find . \( -name .dsbuild -o -name node_modules -o -name dist -o -name .git \) -prune -o -type f -print |
    LC_ALL=C sort | while IFS= read -r file; do
      if [ -z "${2:-}" ] || [ ! -e "$2/$file" ]; then sha256sum "$file"; fi
    done)
}

# The training data must be there: at least one shard, and the manifest that is published after it.
expect_shards() {
  grep -q '\.parquet$' <<<"$1" || fail "no shard was published${2:+ $2}"
  grep -q '/manifest\.json$' <<<"$1" || fail "no manifest.json was published${2:+ $2}"
}

# Reads JSON lines of `dsbuild --json` on stdin: the last must be a summary in which no step was executed.
expect_no_steps() {
  node -e '
    const lines = require("node:fs").readFileSync(0, "utf8").trim().split("\n");
    const summary = JSON.parse(lines.at(-1));
    if (summary.type !== "summary") throw new Error(`the last line is no summary: ${lines.at(-1)}`);
    const { ran, restored, failed } = summary.steps;
    if (ran + restored + failed > 0) throw new Error(`a build without a change executed steps: ${JSON.stringify(summary.steps)}`);
    if (Object.keys(summary.targets).length === 0) throw new Error("the summary names no target");
  '
}
