import { messageOf, systemCodeOf } from './errors.ts';

/** Certificates that are refused now are refused in a second, too. */
const certificateCode = /^(ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|ERR_SSL_)/;

export interface NetworkFault {
  readonly message: string;
  /** Whether the same request may do better later. */
  readonly again: boolean;
  readonly hint?: string;
}

/** What a socket's error means. */
export function networkFault(error: unknown): NetworkFault {
  const code = systemCodeOf(error) ?? '';
  if (certificateCode.test(code))
    return {
      message: `the connection is not secure: ${messageOf(error)}`,
      again: false,
      hint: 'If your network has a certificate authority of its own, name its file in NODE_EXTRA_CA_CERTS.',
    };
  const cut = code === 'ECONNRESET' || code === 'EPIPE';
  return { message: cut ? 'the connection was cut' : messageOf(error) || code, again: true };
}

/** Whether a request that was answered with this status may do better later. */
export const passingStatus = (status: number): boolean => status === 408 || status === 429 || status >= 500;

/**
 * How long a `Retry-After` header (seconds or a date; RFC 9110, 10.2.3) asks to wait.
 *
 * @param about `now` in milliseconds since 1970; a server that wants a longer rest than `msMax` is asked again then, too.
 */
export function retryAfterMs(
  value: string | undefined,
  { now, msMax }: { readonly now: number; readonly msMax: number },
): number | undefined {
  if (!value) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), msMax) : undefined;
}
