import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { Locations } from '../../src/cache/locations.ts';
import { type Location, Store } from '../../src/cache/store.ts';
import { temporaryFolder } from './folders.ts';

const test = suite('locations');

const at = (path: string): Location => [{ path, offset: 0, length: 1 }];
const digest = digestHex('x');

test('bytes are looked for in the store, then where else they may lie, in the order in which places were added', () => {
  const store = new Store(temporaryFolder());
  const locations = new Locations(store);
  assert.is(locations.locate(digest), undefined);
  let published = false;
  locations.add({ locate: () => (published ? at('out') : undefined) });
  locations.add({ locate: (wanted) => (wanted === digest ? at('source') : undefined) });
  assert.equal(locations.locate(digest), at('source'));
  assert.is(locations.locate(digestHex('y')), undefined);
  published = true;
  assert.equal(locations.locate(digest), at('out'));
  store.put(Buffer.from('x'));
  assert.equal(locations.locate(digest), store.locate(digest));
});

test.run();
