#!/usr/bin/env bash
# The package as its users get it: packed, installed in an empty folder, `init`, a build, a build that does nothing, and types that check.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/test/published.sh"
# A user's desk: with CI set a build would refuse to write its first lock.
unset CI

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/app" "$folder/packed"

echo '== npm pack'
(cd "$root" && npm pack --silent --pack-destination "$folder/packed" >/dev/null)
tarball=$(ls "$folder"/packed/*.tgz)
listed=$(tar -tzf "$tarball" | LC_ALL=C sort)
for file in package/package.json package/LICENSE package/THIRD-PARTY.md package/CHANGELOG.md package/README.md package/bin/dsbuild.js \
  package/schemas/build.json package/dist/src/index.js package/dist/src/index.d.ts package/dist/src/cli/main.js; do
  grep -qxF "$file" <<<"$listed" || fail "$file is not in the package"
done
if strays=$(grep -E '^package/(test|src|rules|node_modules|coverage|\.)' <<<"$listed"); then fail "these should not be in the package: $strays"; fi
du -h "$tarball" | cut -f1 | sed 's/^/package size: /'

echo '== npm install in an empty folder'
cd "$folder/app"
echo '{ "name": "app", "private": true, "type": "module" }' > package.json
npm install --silent --prefer-offline --no-audit --no-fund "$tarball"

echo '== npx dsbuild init --yes && npx dsbuild'
npx --no -- dsbuild init --yes && npx --no -- dsbuild
expect_shards "$(published_digests .)" 'by the packaged dsbuild'

echo '== npx dsbuild, a second time'
npx --no -- dsbuild --json | expect_no_steps

echo '== types'
# What a config sees must be types, not `any`: the mistakes marked below have to be errors.
cat > misuse.ts <<'TS'
import { defineConfig, download, files, tokenize } from 'dsbuild';

const raw = download({ sources: { 'custom/mine': files('data/*.jsonl') } });
const tokens = tokenize(raw, { tokenizer: 'tokenizer.json' });
// @ts-expect-error an option that does not exist
tokenize(raw, { tokenizer: 'tokenizer.json', tokeniser: 1 });
// @ts-expect-error tokens are not documents
tokenize(tokens, { tokenizer: 'tokenizer.json' });
export default defineConfig({ targets: { raw, tokens } });
TS
cat > tsconfig.types.json <<'JSON'
{
  "compilerOptions": {
    "target": "es2023", "lib": ["es2023"], "module": "nodenext", "types": [], "strict": true, "exactOptionalPropertyTypes": true,
    "skipLibCheck": true, "noEmit": true, "allowImportingTsExtensions": true
  },
  "files": ["datasets.config.ts", "misuse.ts"]
}
JSON
"$root/node_modules/.bin/tsc" -p tsconfig.types.json
echo 'package: all well'
