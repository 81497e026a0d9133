import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BuildError } from '../../src/base/errors.ts';
import { parseS3Address } from '../../src/s3/address.ts';
import { type S3Kind, s3Error } from '../../src/s3/errors.ts';

const test = suite('s3 errors');

const answered = (name: string, httpStatusCode: number, headers = {}): Error =>
  Object.assign(new Error('told by the server'), { name, $metadata: { httpStatusCode }, $response: { headers } });

const cases: readonly [name: string, status: number, kind: S3Kind, again: boolean][] = [
  ['NoSuchKey', 404, 'missing', false],
  ['NotFound', 404, 'missing', false],
  ['NoSuchBucket', 404, 'other', false],
  ['AccessDenied', 403, 'denied', false],
  ['Unknown', 401, 'denied', false],
  ['ExpiredToken', 400, 'denied', false],
  ['XAdminUserNotFound', 404, 'denied', false],
  ['PreconditionFailed', 412, 'conflict', false],
  ['ConditionalRequestConflict', 409, 'conflict', true],
  ['SlowDown', 503, 'throttled', true],
  ['TooManyRequests', 429, 'throttled', true],
  ['InternalError', 500, 'other', true],
  ['RequestTimeout', 400, 'timeout', true],
  ['RequestTimeTooSkewed', 403, 'denied', true],
  ['BadDigest', 400, 'other', true],
  ['InvalidRange', 416, 'wrong-bytes', false],
  ['XMinioStorageFull', 507, 'full', false],
  ['QuotaExceeded', 403, 'full', false],
];
for (const [name, status, kind, again] of cases) {
  test(`${status} ${name} is ${kind}${again ? ', and may pass' : ''}`, () => {
    const { kind: found, fault, status: told } = s3Error(answered(name, status), 'data');
    assert.equal([found, fault.again, told], [kind, again, status]);
  });
}

test('a rest that the server asks for is kept', () => {
  assert.is(s3Error(answered('SlowDown', 503, { 'retry-after': '7' }), 'data').fault.pauseMs, 7000);
});

test('a socket that broke may pass, a certificate that is refused does not', () => {
  const of = (code: string) => s3Error(Object.assign(new Error('socket'), { code }), 'data');
  assert.equal([of('ECONNRESET').kind, of('ECONNRESET').fault.again], ['network', true]);
  assert.equal([of('CERT_HAS_EXPIRED').kind, of('CERT_HAS_EXPIRED').fault.again], ['network', false]);
});

test('an address is a bucket and whatever follows, as it stands', () => {
  assert.equal(parseS3Address('s3://data'), { bucket: 'data', prefix: '' });
  assert.equal(parseS3Address('s3://data/'), { bucket: 'data', prefix: '' });
  assert.equal(parseS3Address('s3://data.x-1/a b/%20?#/'), { bucket: 'data.x-1', prefix: 'a b/%20?#/' });
});

for (const address of ['s3:/data', 's3://', 's3:///key', 'https://data/key', 's3://key:secret@data/x']) {
  test(`${address} is no address, which is said without its secrets`, () => {
    try {
      parseS3Address(address);
    } catch (error) {
      assert.instance(error, BuildError);
      const { code, where, message, hint } = error as BuildError;
      assert.is(code, 'bad-address');
      assert.not.match(`${where} ${message} ${hint}`, /secret@|key:secret/);
      return;
    }
    throw new Error('it was taken');
  });
}

test.run();
