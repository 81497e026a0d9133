#!/usr/bin/env node
// Plain JavaScript, so that a Node that is too old can say so instead of failing on its first import.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`dsbuild needs Node 20.19 or newer; this is ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  const { main } = await import('../dist/src/cli/main.js');
  process.exitCode = await main(process.argv.slice(2));
}
