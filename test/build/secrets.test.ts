/** Values that open doors: after builds that end well and that fail in many ways, nothing that dsbuild wrote or said holds one of them. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { records } from './matrix.ts';
import { TestProject } from './project.ts';

const test = suite('secrets');

const secrets = {
  password: 'Pa55-of-the-address',
  token: 'T0ken-of-the-query',
  signature: 'S1gnature-of-the-query',
  program: 'K3y-of-the-program',
  hub: 'hf_TokenOfTheHub1234567890',
  aws: 'wJalrXUtnFEMI-aws-secret',
} as const;

const environment = {
  PASSWORD: secrets.password,
  TOKEN: secrets.token,
  SIGNATURE: secrets.signature,
  PROGRAM_KEY: secrets.program,
  HF_TOKEN: secrets.hub,
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: secrets.aws,
  AWS_REGION: 'eu-central-1',
};

type Answer = 'well' | 'denied' | 'broken' | 'moved' | 'endless' | 'no-jsonl';

/** A server that never tells what it was asked with, but answers in many ways. */
class Remote {
  answer: Answer = 'well';
  readonly #server: Server = createServer(({ url }, response) => {
    const body = records(1, 30);
    if (this.answer === 'denied') response.writeHead(403).end('denied');
    else if (this.answer === 'broken') response.writeHead(404).end('broken');
    else if (this.answer === 'moved') response.writeHead(302, { location: `ftp://elsewhere/x?token=${secrets.token}` }).end();
    else if (this.answer === 'endless') response.writeHead(302, { location: url ?? '' }).end();
    else response.writeHead(200, { etag: '"1"' }).end(this.answer === 'no-jsonl' ? 'not json\n' : body);
  });
  host = '';

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  end(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

const config = (
  host: string,
  { program = 'cat', more = '' } = {},
): string => `import { command, defineConfig, download, exportDataset, s3, secret, tokenize, url } from 'dsbuild';
const { PASSWORD, TOKEN, SIGNATURE } = process.env;
const raw = download({ sources: {
  'web/token': url(\`http://${host}/a.jsonl?token=\${TOKEN}&X-Amz-Signature=\${SIGNATURE}\`),
} });
const made = command(raw, { run: ['sh', '-c', ${JSON.stringify(program)}], version: '1', secrets: { KEY: secret('PROGRAM_KEY') } });
const text = exportDataset(made, { format: 'jsonl', out: 'out' });
${more}
export default defineConfig({ targets: { raw, made, text${more === '' ? '' : ', more'} } });
`;

/** Everything that lies in the project's folder, but for what the test wrote itself. */
function assertNowhere(project: TestProject, said: string, what: string): void {
  for (const [name, value] of Object.entries(secrets)) {
    assert.not.ok(
      said.includes(value),
      `${what}: the ${name} is said: ${said.slice(Math.max(0, said.indexOf(value) - 200), said.indexOf(value) + 40)}`,
    );
    for (const file of project.list('.'))
      assert.not.ok(readFileSync(project.path(file)).includes(value), `${what}: the ${name} lies in ${file}`);
  }
}

async function withRemote(use: (project: TestProject, remote: Remote) => Promise<void>): Promise<void> {
  const [project, remote] = [new TestProject(), new Remote()];
  Object.assign(project.env, environment, { HF_ENDPOINT: 'http://127.0.0.1:9', AWS_ENDPOINT_URL: 'http://127.0.0.1:9', NO_PROXY: '*' });
  try {
    await remote.listen();
    await use(project, remote);
  } finally {
    remote.end();
    project.end();
  }
}

/** Runs it and looks for secrets in all that was said and written. @returns the exit code. */
async function saidBy(project: TestProject, ...args: readonly string[]): Promise<number | NodeJS.Signals> {
  const { code, text } = await project.say(...args);
  assertNowhere(project, text, args.join(' '));
  return code;
}

test('of a build that ends well, and of every command after it', () =>
  withRemote(async (project, remote) => {
    project.write('datasets.config.ts', config(remote.host));
    assert.is(await saidBy(project, 'build', '--json'), 0);
    assert.match(project.read('dsbuild.lock'), 'a.jsonl');
    project.write('summary.md', '');
    Object.assign(project.env, { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: project.path('summary.md') });
    for (const line of [
      'build --force',
      'status',
      'status --json',
      'why raw',
      'graph',
      'graph --json',
      'stats',
      'verify',
      'logs --steps',
      'logs --json',
      'profile',
    ]) {
      assert.is(await saidBy(project, ...line.split(' ')), 0, line);
    }
    for (const line of ['update', 'doctor', 'doctor --json', 'head raw', 'trace raw:0', 'diff']) await saidBy(project, ...line.split(' '));
  }));

const answers: readonly Answer[] = ['denied', 'broken', 'moved', 'endless', 'no-jsonl'];
for (const answer of answers) {
  test(`of a build whose source is ${answer}`, () =>
    withRemote(async (project, remote) => {
      remote.answer = answer;
      project.write('datasets.config.ts', config(remote.host));
      for (const flags of [['--json'], ['--plain']]) assert.is(await saidBy(project, 'build', ...flags), 1);
      await saidBy(project, 'logs', '--failed');
    }));
}

test('of a source that does not answer, one with a password, one of S3, and a tokenizer of the Hub', () =>
  withRemote(async (project, remote) => {
    const mores = [
      `const more = download({ sources: { 'web/none': url(\`http://127.0.0.1:9/b?token=\${TOKEN}\`) } });`,
      `const more = download({ sources: { 'web/user': url(\`http://me:\${PASSWORD}@${remote.host}/b.jsonl\`) } });`,
      "const more = download({ sources: { 'web/s3': s3('s3://bucket/key.jsonl') } });",
      "const more = tokenize(raw, { tokenizer: 'nobody/nothing' });",
      'const more = nothing(TOKEN);',
    ];
    for (const more of mores) {
      project.write('datasets.config.ts', config(remote.host, { more }));
      const code = await saidBy(project, 'build', 'more', '--json');
      assert.is(code === 0, more.includes('PASSWORD'), `${code}: ${more}`);
    }
  }));

const programs = {
  'fails and tells its environment': 'env >&2; exit 3',
  'prints its key instead of records': 'echo $KEY',
  'ends well and tells its key': 'echo "the key is $KEY" >&2; cat',
};
for (const [what, program] of Object.entries(programs)) {
  test(`of a program that ${what}`, () =>
    withRemote(async (project, remote) => {
      project.write('datasets.config.ts', config(remote.host, { program }));
      for (const flags of [['--json'], ['--plain']]) await saidBy(project, 'build', ...flags);
      await saidBy(project, 'logs', '--failed');
    }));
}

test.run();
