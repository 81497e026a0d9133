/**
 * Adds to package-lock.json the packages for other platforms that npm left out: node --import tsx test/complete-lock.ts
 *
 * npm leaves out an optional package that the registry at hand does not have, and `npm ci` then refuses the lock. What is added has no
 * integrity, because its bytes were never seen here; it is installed on its own platform only.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

type Packages = Record<string, Locked>;

const systems = ['android', 'darwin', 'linux', 'win32', 'freebsd', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'aix'];
const processors = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32'];

/** What a name such as `cli-linux-x64-musl` says of where it runs. */
function platformOf(name: string): Record<string, string[]> {
  const words = name.split(/[-/]/);
  const given = { os: systems.filter((word) => words.includes(word)), cpu: processors.filter((word) => words.includes(word)) };
  const libc = words.some((word) => word.startsWith('musl')) ? ['musl'] : words.some((word) => /^gnu/.test(word)) ? ['glibc'] : [];
  return Object.fromEntries(Object.entries({ ...given, libc }).filter(([, values]) => values.length > 0));
}

/** Optional packages that a locked package names and the lock does not hold: path in node_modules -> entry. */
export function missingPackages(packages: Readonly<Packages>): Packages {
  const missing: Packages = {};
  for (const [path, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (packages[`${path}/node_modules/${name}`] || packages[`node_modules/${name}`]) continue;
      missing[`node_modules/${name}`] = { version, ...(dev && { dev }), optional: true, ...platformOf(name) };
    }
  }
  return missing;
}

export const lockFile = fileURLToPath(new URL('../package-lock.json', import.meta.url));

function main(): void {
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as { packages: Packages };
  const added = missingPackages(lock.packages);
  const packages = Object.fromEntries(Object.entries({ ...lock.packages, ...added }).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(lockFile, `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
  console.log(`${Object.keys(added).length} packages added`);
}

if (argv[1] === fileURLToPath(import.meta.url)) main();
