/** Query parameters whose values open a door: signatures of S3, Google and Alibaba storage, and what tokens are called. */
const secretName =
  /^(x-(amz|goog|oss|ms)-.+|sig|signature|awsaccesskeyid|googleaccessid|ossaccesskeyid|.*token|(api|access|secret|private|account)[-_]?key(-?id)?|auth|authorization|jwt|pass(word|wd)?|(client[-_]?)?secret|credentials?)$/i;
/** These change with each signature (CloudFront, Azure) and are nothing special without one. */
const signedName = /^(expires|policy|key-pair-id|s[verptki]|spr|sip|sdd|ss|srt|sk(oid|tid|t|e|s|v)|saoid|suoid|scid)$/i;
/** Tokens that are known by their looks, and long values of a parameter named `key`. */
const secretValue = /^(hf_|gh[oprsu]_|github_pat_|glpat-|sk-|AKIA|ASIA|AIza|eyJ)[\w.-]{8,}$/;
const keyValue = /^[\w-]{20,}$/;

/** Whether a source's pattern is the address of something elsewhere, and not a path or glob. */
export const isRemote = (pattern: string): boolean => /^(https?|s3):\/\//.test(pattern);

/**
 * An address without what may not be seen: `user:password@`, query parameters that sign or open it, and the fragment.
 * It is what the lock, messages and file names are made of; two signatures of one file give the same.
 */
export function publicAddress(address: string): string {
  const open = withoutUser(address);
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(open)) return open;
  // A key of S3 may hold a question mark or a `#`.
  const isKey = /^s3:/i.test(open);
  const [path = '', query] = isKey ? splitKey(open) : split(open.replace(/#.*$/s, ''), '?');
  if (query === undefined) return path;
  const parameters = query.split('&');
  const signed = parameters.some((parameter) => /^sig(nature)?=/i.test(parameter));
  const kept = parameters.filter((parameter) => !isSecret(parameter, signed));
  return kept.length > 0 ? `${path}?${kept.join('&')}` : path;
}

/** What looks like a query behind a key of S3, which has none: a `?` of a glob stands for a character, not before `name=`. */
const keyQuery = /\?(?=[a-z][\w.%-]*=)/i;

/** An address of S3 without what was meant as a query. */
export const withoutKeyQuery = (s3Address: string): string => splitKey(s3Address)[0];

function splitKey(address: string): [string, string | undefined] {
  const at = address.search(keyQuery);
  return at < 0 ? [address, undefined] : [address.slice(0, at), address.slice(at + 1)];
}

/** An address without `user:password@`. Passwords hold all sorts of characters: where no `@` ends what begins like `user:` and is no host with a port, a later one does. */
export function withoutUser(address: string): string {
  const [scheme = ''] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(address) ?? [];
  if (scheme === '') return address;
  const rest = address.slice(scheme.length);
  const [host = ''] = /^[^/?#]*/.exec(rest) ?? [];
  const isUser = !host.includes('@') && (/^[^[]*:(?!\d*$)/.test(host) || (/^s3:/i.test(scheme) && host.includes(':')));
  return scheme + rest.slice((isUser ? rest : host).lastIndexOf('@') + 1);
}

/** The same for every address that stands in a text. */
export const publicText = (text: string): string => (text.includes('://') ? text.replace(addressInText, publicAddress) : text);

/** Whether an address in a text has something that may not be seen; a fragment by itself is nothing. */
export const holdsSecret = (text: string): boolean =>
  (text.match(addressInText) ?? []).some(
    (address) => publicAddress(address) !== (/^s3:/i.test(address) ? address : address.replace(/#.*$/s, '')),
  );

const addressInText = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>]*[^\s"'`<>.,;:!?)]/gi;

function isSecret(parameter: string, signed: boolean): boolean {
  const [name = '', value = ''] = split(parameter, '=');
  const plain = decoded(name);
  if (secretName.test(plain) || (signed && signedName.test(plain))) return true;
  return secretValue.test(value) || (plain.toLowerCase() === 'key' && keyValue.test(value));
}

function split(text: string, at: string): [string, string | undefined] {
  const found = text.indexOf(at);
  return found < 0 ? [text, undefined] : [text.slice(0, found), text.slice(found + 1)];
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
