import { mainScope } from './layout.ts';

/** Where a result came from that did not run here. */
export interface Origin {
  readonly scope: string;
  /** The public key whose signature held. */
  readonly signer?: string;
}

/** What a build believes: its own scope and `main`; and where keys are listed, only what one of them signed. */
export class Trust {
  readonly scope: string;
  readonly #accepted: ReadonlySet<string> | undefined;

  constructor(scope: string, accept?: readonly string[]) {
    this.scope = scope;
    this.#accepted = accept && new Set(accept);
  }

  /** Scopes that are read, in this order. */
  get scopes(): readonly string[] {
    return this.scope === mainScope ? [mainScope] : [this.scope, mainScope];
  }

  /** Whether a result may be used; without an origin it was made here. */
  believes(origin: Origin | undefined): boolean {
    return origin === undefined || (this.scopes.includes(origin.scope) && this.accepts(origin.signer));
  }

  accepts(signer: string | undefined): boolean {
    return this.#accepted === undefined || (signer !== undefined && this.#accepted.has(signer));
  }
}

const rank = (origin: Origin | undefined): number =>
  origin === undefined ? 0 : (origin.scope === mainScope ? 1 : 3) + (origin.signer === undefined ? 1 : 0);

/** What is made of several results is worth no more than the worst of them. */
export function worstOrigin(origins: Iterable<Origin | undefined>): Origin | undefined {
  let worst: Origin | undefined;
  for (const origin of origins) if (rank(origin) > rank(worst)) worst = origin;
  return worst;
}
