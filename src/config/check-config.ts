import { publicAddress } from '../base/address.ts';
import { parseSize } from '../base/bytes.ts';
import { didYouMean } from '../base/names.ts';
import { s3AddressProblem } from '../base/s3-address.ts';
import { shownValue } from '../base/shown-value.ts';
import { problemOf } from '../rule/option-checks.ts';
import type { OptionShape } from '../rule/options.ts';
import { isExecutor } from './define.ts';
import type { Problem } from './problems.ts';
import { isSecret } from './secret.ts';

type Check = (value: unknown) => string | undefined;
/** What may stand in an object of the config, by name. */
type Fields = { readonly [name: string]: Check | Fields };

const shape =
  (of: OptionShape): Check =>
  (value) =>
    problemOf(value, of);

const matches =
  (pattern: RegExp, wanted: string): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? undefined : `must be ${wanted}, but is ${shownValue(value)}`;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const sizeMax: Check = (value) => {
  const share = typeof value === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(value) : null;
  if (share)
    return Number(share[1]) > 0 && Number(share[1]) <= 100 ? undefined : `must be above 0% and at most 100%, but is ${shownValue(value)}`;
  return (
    problemOf(value, { type: 'size' }) && `must be a size such as '500GB' or a share of the disk such as '20%', but is ${shownValue(value)}`
  );
};

const chunkSize: Check = (value) => {
  const problem = problemOf(value, { type: 'size' });
  return problem ?? ((parseSize(value as string) as number) < 1000 ? `must be at least 1KB, but is ${shownValue(value)}` : undefined);
};

const endpoint: Check = (value) =>
  typeof value === 'string' && /^https?:/.test(value) && publicAddress(value) !== value
    ? 'must hold no user, no password and no token: credentials come from the environment or a profile'
    : matches(/^https?:\/\/[^/]+/, "an address such as 'https://s3.example.org'")(value);

const remote: Check = (value) =>
  typeof value === 'string' && /^s3:\/\//.test(value)
    ? s3AddressProblem(value)
    : `must be an address such as 's3://bucket/folder', but is ${shownValue(value)}`;

const signingKey: Check = (value) => (isSecret(value) ? undefined : "must be secret('NAME'), so that the key itself is written nowhere");

const accept: Check = (value) =>
  Array.isArray(value) && value.every((key) => typeof key === 'string' && /^ed25519:[\w-]{43}$/.test(key))
    ? undefined
    : `must be a list of public keys, each 'ed25519:' and 43 characters, but is ${shownValue(value)}`;

const localFields: Fields = { jobs: shape({ type: 'integer', min: 1 }), memory: shape({ type: 'size' }) };

const executor: Check = (value) => {
  if (!isExecutor(value)) return `must be made by local(), but is ${shownValue(value)}`;
  if (value.executor !== 'local') return undefined;
  const { executor: _, ...options } = value as unknown as Readonly<Record<string, unknown>>;
  const [first] = fieldProblems(options, localFields);
  return first && `local(): ${first.option} ${first.message}`;
};

const fields: Fields = {
  targets: (value) => (isRecord(value) ? undefined : `must be an object of name: target, but is ${shownValue(value)}`),
  cache: {
    remote,
    endpoint,
    region: matches(/./, "a region such as 'eu-central-1'"),
    pathStyle: shape({ type: 'boolean' }),
    scope: matches(/^[a-z0-9][a-z0-9._-]{0,63}$/, "a name such as 'main' or 'pr-17'"),
    readOnly: shape({ type: 'boolean' }),
    timeoutSeconds: shape({ type: 'number', min: 0.05 }),
    signing: { key: signingKey, accept },
    sizeMax,
  },
  executor,
  onBadRecord: shape({ type: 'choice', choices: ['quarantine', 'fail'] }),
  recordSecondsMax: shape({ type: 'number', min: 0.05 }),
  chunking: { chunkSize, packTokens: shape({ type: 'integer', min: 1 }) },
};

function fieldProblems(value: Readonly<Record<string, unknown>>, known: Fields, path = ''): { option: string; message: string }[] {
  return Object.entries(value).flatMap(([name, given]) => {
    const option = path + name;
    if (given === undefined) return [];
    const check = Object.hasOwn(known, name) ? known[name] : undefined;
    if (check === undefined) return [{ option, message: `is not known here.${didYouMean(name, Object.keys(known))}` }];
    if (typeof check === 'object')
      return isRecord(given)
        ? fieldProblems(given, check, `${option}.`)
        : [{ option, message: `must be an object, but is ${shownValue(given)}` }];
    const message = check(given);
    return message === undefined ? [] : [{ option, message }];
  });
}

/** What is wrong with a config apart from its targets. */
export function configProblems(config: unknown, where: string): Problem[] {
  if (!isRecord(config)) return [{ where, message: `the config must be an object with targets, but is ${shownValue(config)}` }];
  const problems = fieldProblems(config, fields);
  if (config.targets === undefined) problems.push({ option: 'targets', message: 'is missing' });
  return problems.map((problem) => ({ where, ...problem }));
}
