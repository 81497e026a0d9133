import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { lockFile, missingPackages } from './complete-lock.ts';

const test = suite('package-lock.json');

test('it holds the packages for every platform, else `npm ci` refuses it: node --import tsx test/complete-lock.ts adds them', () => {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8'));
  assert.equal(Object.keys(missingPackages(packages)), []);
});

test('what is missing gets the platform that its name says', () => {
  const a = { dev: true, optionalDependencies: { '@a/linux-x64-musl': '1.0.0', '@a/here': '1.0.0' } };
  assert.equal(missingPackages({ 'node_modules/a': a, 'node_modules/@a/here': { version: '1.0.0' } }), {
    'node_modules/@a/linux-x64-musl': { version: '1.0.0', dev: true, optional: true, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  });
});

test.run();
