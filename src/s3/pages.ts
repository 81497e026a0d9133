import { S3Error } from './errors.ts';

const wrongListing = (message: string): S3Error => new S3Error({ kind: 'other', message, again: false });

/** The pages of one listing: what a server says of them is not believed where following it would lead astray, or nowhere. */
export class Pages {
  readonly #prefix: string;
  readonly #marks = new Set<string>();

  /** @param prefix what every key of the listing begins with. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The key, which was asked for. @throws {S3Error} if it was not. */
  asked(key: string): string {
    if (key.startsWith(this.#prefix)) return key;
    throw wrongListing(
      `the server lists what was not asked for: ${JSON.stringify(key)} does not begin with ${JSON.stringify(this.#prefix)}`,
    );
  }

  /** Notes where the next page begins. @throws {S3Error} if the server does not say, or has said the same before. */
  goOnAt(mark: string | undefined, more = ''): void {
    if (mark === undefined) throw wrongListing('the server says that there are more objects, but not how to go on');
    const both = JSON.stringify([mark, more]);
    if (this.#marks.has(both)) throw wrongListing('the server says the same place twice where its list goes on: it would never end');
    this.#marks.add(both);
  }
}
