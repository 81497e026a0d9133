import { register } from 'node:module';

/** Sends every import of `uvu`, but for the one in uvu.ts itself, to uvu.ts. The hook runs in Node's loader thread, hence the source text. */
export function redirectUvu(): void {
  const target = new URL('./uvu.ts', import.meta.url).href;
  const hook = `
    const target = ${JSON.stringify(target)};
    export function resolve(specifier, context, next) {
      if (specifier !== 'uvu' || context.parentURL?.startsWith(target)) return next(specifier, context);
      return { url: target, shortCircuit: true };
    }`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
