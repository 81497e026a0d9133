import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestHex } from '../../src/base/digest.ts';
import { BuildError } from '../../src/base/errors.ts';
import { decodeState, encodeState, stateName } from '../../src/publish/bucket/state.ts';
import { BucketModel, manifest, out, wantedOf } from './bucket-model.ts';

const test = suite('publishing into a bucket');

const codeOf = async (work: Promise<unknown>): Promise<string | undefined> => {
  try {
    await work;
    return undefined;
  } catch (error) {
    assert.instance(error, BuildError, String(error));
    return (error as BuildError).code;
  }
};

type Files = Readonly<Record<string, string>>;
/** Shards are named by what they hold, as on S3 by default; the manifest names them. */
const shardsOf = (contents: readonly string[]): Files => {
  const shards = Object.fromEntries([...new Set(contents)].map((content) => [`a/${content}.parquet`, content]));
  return { ...shards, 'a_stats.json': String(contents.length), [manifest]: Object.keys(shards).sort().join(' ') };
};
const sets = fc.uniqueArray(fc.constantFrom('p', 'q', 'r', 's', 't'), { maxLength: 4 }).map(shardsOf);

test('a cut at any request leaves all that the manifest speaks of, and the next build ends with what is wanted and nothing else', async () => {
  await fc.assert(
    fc.asyncProperty(sets, sets, sets, fc.nat(14), fc.boolean(), async (first, second, third, left, elsewhere) => {
      const model = new BucketModel();
      await model.publish(first);
      model.left = left;
      await codeOf(model.publish(second));
      const there = model.contents();
      for (const name of (there[manifest] ?? '').split(' ')) assert.ok(name === '' || there[name] !== undefined, name);
      model.left = Number.POSITIVE_INFINITY;
      if (elsewhere) model.forget();
      await model.publish(third);
      assert.equal(model.contents(), Object.fromEntries(Object.entries(third).sort()));
      assert.equal([model.state()?.wanted, model.state()?.coming], [wantedOf(third), []]);
    }),
    { numRuns: 60 },
  );
});

type Action =
  | { readonly do: 'publish'; readonly files: Files; readonly left: number; readonly partial: boolean }
  | { readonly do: 'put' | 'remove'; readonly name: string; readonly content: string }
  | { readonly do: 'lose' | 'forget' };

const names = fc.constantFrom('a', 'b', 'c', manifest);
const contents = fc.constantFrom('1', '2', '3');
const actions = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('publish' as const),
      files: fc.dictionary(names, contents),
      left: fc.oneof(fc.nat(12), fc.constant(Number.POSITIVE_INFINITY)),
      partial: fc.boolean(),
    }),
    fc.record({ do: fc.constantFrom('put' as const, 'remove' as const), name: names, content: contents }),
    fc.record({ do: fc.constantFrom('lose' as const, 'forget' as const) }),
  ),
  { maxLength: 12 },
);

/** @param lost what lies there can not be told from what others put there any more. */
async function act(model: BucketModel, action: Action, lost: boolean): Promise<void> {
  if (action.do === 'put') model.put(action.name, action.content);
  if (action.do === 'remove') model.objects.delete(action.name);
  if (action.do === 'lose') model.objects.delete(stateName);
  if (action.do === 'forget') model.forget();
  if (action.do !== 'publish') return;
  const others = [...model.objects].filter(([, { owner }]) => owner === 'other');
  model.left = action.left;
  const code = await codeOf(model.publish(action.files, { partial: action.partial }));
  for (const [name, { etag }] of others) assert.is(model.objects.get(name)?.etag, etag, `${name} is somebody's`);
  if (code === undefined) for (const [name, content] of Object.entries(action.files)) assert.is(model.contents()[name], content);
  if (code === 'edited') assert.ok(others.some(([name]) => Object.hasOwn(action.files, name)) || lost);
}

test('whatever happens in between, what others put there is never written over or removed, and what was published is there', async () => {
  await fc.assert(
    fc.asyncProperty(actions, async (all) => {
      const model = new BucketModel();
      for (const [i, action] of all.entries())
        await act(
          model,
          action,
          all.slice(0, i).some((one) => one.do === 'lose'),
        );
    }),
    { numRuns: 100 },
  );
});

test('new objects come first, then the manifest, and then old ones go; the state object tells before and after', async () => {
  const model = new BucketModel();
  await model.publish({ 'a/1.parquet': '1', 'b/1.parquet': 'b', [manifest]: 'old' });
  model.changes.length = 0;
  const outcome = await model.publish({ 'a/2.parquet': '22', 'b/1.parquet': 'b', [manifest]: 'new' });
  assert.equal(model.changes, [`+${stateName}`, '+a/2.parquet', `+${manifest}`, `+${stateName}`, '-a/1.parquet', `+${stateName}`]);
  assert.equal(outcome, { written: 2, removed: 1, bytes: 5 });
});

test('what lies there is not sent again, nor its bytes asked for: by this machine or another, with or without the state object', async () => {
  const files = shardsOf(['p', 'q']);
  const model = new BucketModel();
  await model.publish(files);
  for (const change of [() => {}, () => model.forget(), () => model.objects.delete(stateName)]) {
    change();
    model.located.length = 0;
    assert.equal(await model.publish(files), { written: 0, removed: 0, bytes: 0 });
    assert.equal(model.located, []);
    assert.ok(await model.destination().isUpToDate(wantedOf(files)));
  }
});

test('an object that says it holds what is wanted, but has another length, is not taken for ours', async () => {
  const model = new BucketModel();
  await model.publish({ a: 'content' });
  const { digest } = model.objects.get('a') as { digest: string };
  model.objects.delete(stateName);
  // Some servers keep what an object said of itself when its bytes are replaced.
  model.put('a', 'longer content', 'other', digest);
  assert.is(await codeOf(model.publish({ a: 'content' })), 'edited');
});

test('--overwrite replaces what others put there, exactly that which was seen', async () => {
  const model = new BucketModel();
  model.put('a', 'theirs');
  assert.is(await codeOf(model.publish({ a: 'ours' })), 'edited');
  await model.publish({ a: 'ours' }, { overwrite: true });
  assert.equal(model.contents(), { a: 'ours' });
  let puts = 0;
  model.onChange = (name) => {
    if (name === 'a' && puts++ === 0) model.put('a', 'quicker');
  };
  assert.is(await codeOf(model.publish({ a: 'newer' })), 'edited');
  assert.equal(model.contents(), { a: 'quicker' });
});

test('of two who publish at once each goes on from what the other did; who never gets through says so', async () => {
  const model = new BucketModel();
  await model.publish({ a: '1' });
  const other = new BucketModel();
  let turns = 1;
  model.onChange = (name) => {
    if (name !== stateName || turns-- <= 0) return;
    const state = model.state() ?? { wanted: '', files: [], coming: [] };
    model.put(stateName, encodeState({ ...state, wanted: `other ${turns}` }).toString(), 'ours');
  };
  await model.publish({ a: '2' });
  assert.equal(model.contents(), { a: '2' });
  turns = 100;
  assert.is(await codeOf(model.publish({ a: '3' })), 'publish-conflict');
  assert.equal(other.contents(), {});
});

test('what goes on being wanted by targets that are not part of a build stays', async () => {
  const model = new BucketModel();
  await model.publish({ a: '1', b: '2', c: '3' });
  await model.publish({ a: '4' }, { partial: true });
  assert.equal(model.contents(), { a: '4', b: '2', c: '3' });
  assert.not.ok(await model.destination().isUpToDate(wantedOf({ a: '4' })));
});

test('what is not as it was published is named', async () => {
  const model = new BucketModel();
  const problems = (files: Files, isWhole = true): Promise<string[]> =>
    model.destination().problems({
      wanted: isWhole ? wantedOf(files) : undefined,
      files: () => Object.entries(files).map(([name, content]) => ({ name, digest: digestHex(content) })),
    });
  const files = { a: '1', b: '2', c: '3' };
  assert.equal(await problems(files), [`nothing is published in ${out} yet`]);
  await model.publish(files);
  assert.equal(await problems(files), []);
  assert.equal(await problems({ a: '1' }, false), [], 'of the others nothing is known');
  const other = `${out} holds what another build published`;
  assert.equal(await problems({ a: '1', b: '4' }), [`${other}: 1 file is to be written, 1 file is to be removed`]);
  assert.equal(await problems({ d: '4', c: '5' }, false), [`${other}: 2 files are to be written`]);
  await model.publish({ a: '1' }, { partial: true });
  assert.equal(await problems(files), [], 'what was published in pieces is whole all the same');
  for (const name of ['a', 'b']) model.objects.delete(name);
  model.put('c', 'edited');
  assert.equal(await problems(files), [`${out}/a is missing, and 1 more`, `${out}/c is not as it was published`]);
});

test('a name that leads elsewhere, or is that of the state object, is refused before anything is sent', async () => {
  for (const name of ['../a', 'a/../b', '/a', 'a//b', 'a\\b', stateName]) {
    const model = new BucketModel();
    assert.is(await codeOf(model.publish({ [name]: '1' })), 'bad-name', name);
    assert.equal(model.changes, []);
  }
});

test('a published object that is a source of this build is refused', async () => {
  const model = new BucketModel();
  assert.is(await codeOf(model.publish({ a: '1' }, { isInPlace: (place) => place === `${out}/a` })), 'over-source');
});

test('the state object reads as what was written; anything else reads as nothing, and never throws', () => {
  const plain = { noNullPrototype: true };
  const digest = fc.stringMatching(/^[0-9a-f]{64}$/);
  const object = fc.record({ name: fc.string(), digest, bytes: fc.nat(), etag: fc.string() }, plain);
  const state = fc.record(
    { wanted: fc.string(), files: fc.array(object), coming: fc.array(object.map(({ etag: _, ...rest }) => rest)) },
    plain,
  );
  fc.assert(fc.property(state, (one) => assert.equal(decodeState(encodeState(one)), one)));
  fc.assert(
    fc.property(state, fc.nat(), fc.integer({ min: 0, max: 255 }), (one, at, byte) => {
      const bytes = encodeState(one);
      const old = bytes[at % bytes.length];
      bytes[at % bytes.length] = byte;
      assert.equal(decodeState(bytes), byte === old ? one : undefined);
    }),
  );
  fc.assert(fc.property(fc.string(), (any) => assert.is(decodeState(Buffer.from(any)), undefined)));
});

test.run();
