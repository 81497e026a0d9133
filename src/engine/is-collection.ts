import { decodeCollection } from '../rule/collection.ts';

/** Whether bytes can be read as a list of parts. */
export function isCollection(bytes: () => Buffer): boolean {
  try {
    decodeCollection(bytes());
    return true;
  } catch {
    // Bytes from elsewhere may be anything that has this digest; those that lay here may be damaged.
    return false;
  }
}
