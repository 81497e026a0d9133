/**
 * Stands in for fast-check in test files that the runner loads (redirect.ts sends them here): the draws of its properties are the same in
 * every run, so that a run tells of the code and not of its luck. `SEED=7 npm test` draws others; a file that is run by itself draws anew.
 * With CI set the first counterexample is printed as it is: to look for a smaller one means hundreds of builds more, and a file that is
 * stopped for its time says nothing of what it found.
 */
import * as fc from 'fast-check';

fc.configureGlobal({ seed: Number(process.env['SEED'] ?? 20), endOnFailure: Boolean(process.env['CI']) });

export * from 'fast-check';
export { default } from 'fast-check';
