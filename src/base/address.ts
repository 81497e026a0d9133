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
  const open = address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
  // A key of S3 may hold a question mark.
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(open) || /^s3:/i.test(open)) return open;
  const [path = '', query] = split(open.replace(/#.*$/s, ''), '?');
  if (query === undefined) return path;
  const parameters = query.split('&');
  const signed = parameters.some((parameter) => /^sig(nature)?=/i.test(parameter));
  const kept = parameters.filter((parameter) => !isSecret(parameter, signed));
  return kept.length > 0 ? `${path}?${kept.join('&')}` : path;
}

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
