import { register } from 'node:module';

/**
 * Sends every import of `uvu` and `fast-check`, but for those in uvu.ts and fast-check.ts themselves, to these. The hook runs in Node's
 * loader thread, hence the source text.
 */
export function redirectImports(): void {
  const targets = Object.fromEntries(['uvu', 'fast-check'].map((name) => [name, new URL(`./${name}.ts`, import.meta.url).href]));
  const hook = `
    const targets = new Map(Object.entries(${JSON.stringify(targets)}));
    export function resolve(specifier, context, next) {
      const url = targets.get(specifier);
      return next(url === undefined || context.parentURL?.startsWith(url) ? specifier : url, context);
    }`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
}
