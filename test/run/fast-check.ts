/**
 * Stands in for fast-check in test files that the runner loads (redirect.ts sends them here): the draws of its properties are the same in
 * every run, so that a run tells of the code and not of its luck. `SEED=7 npm test` draws others; a file that is run by itself draws anew.
 */
import * as fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 20) });

export * from 'fast-check';
export { default } from 'fast-check';
