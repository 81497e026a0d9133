import { BuildError } from '../base/errors.ts';
import { byCodeUnit, didYouMean } from '../base/names.ts';
import { type Loading, loading, type ParamValue } from './loading.ts';

/** Widens a literal: `param('n', 10)` is any number. */
type Widened<D extends ParamValue> = D extends string ? string : D extends number ? number : boolean;

const convert: Readonly<Record<string, (text: string) => ParamValue | undefined>> = {
  string: (text) => text,
  number: (text) => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined),
  boolean: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

const wanted: Readonly<Record<string, string>> = { number: 'a number', boolean: 'true or false' };

function converted(name: string, text: string | undefined, fallback: ParamValue): ParamValue {
  if (text === undefined) return fallback;
  const value = convert[typeof fallback]?.(text);
  if (value !== undefined) return value;
  throw new BuildError('bad-param', {
    message: `--set ${name}=${text}: must be ${wanted[typeof fallback]}, but is ${JSON.stringify(text)}`,
    hint: `The config's own value is ${JSON.stringify(fallback)}.`,
  });
}

/**
 * A value that the command line may set: `--set name=value`, converted to the type of `fallback`; without it, `fallback`.
 * Only a config that is being loaded may ask: in a filter's code it would be a hidden input that no key knows.
 * @throws {BuildError} `bad-param` for a value of another type, `param-outside-config`.
 */
export function param<const D extends ParamValue>(name: string, fallback: D): Widened<D> {
  const current = loading.getStore();
  if (!current) {
    throw new BuildError('param-outside-config', {
      message: `param('${name}') was asked for while no config is being loaded`,
      hint: 'Ask for it in datasets.config.ts and hand the value on as an option.',
    });
  }
  if (!Object.hasOwn(convert, typeof fallback)) {
    throw new BuildError('bad-param', { message: `param('${name}') needs a text, a number or true/false as its second argument` });
  }
  const text = Object.hasOwn(current.given, name) ? current.given[name] : undefined;
  const value = converted(name, text, fallback);
  current.params.set(name, { name, value, fallback, set: text !== undefined });
  return value as Widened<D>;
}

/** @throws {BuildError} `unknown-param` when `--set` names something that the config never asked for. */
export function refuseUnknownParams({ given, params }: Loading): void {
  const known = [...params.keys()].sort(byCodeUnit);
  const unknown = Object.keys(given).find((name) => !params.has(name));
  if (unknown === undefined) return;
  throw new BuildError('unknown-param', {
    message: `--set ${unknown}: the config has no param('${unknown}').${didYouMean(unknown, known)}`,
    hint: known.length > 0 ? `Its params: ${known.join(', ')}.` : 'It has none at all.',
  });
}
