/** The workflow that `init` writes and README shows: what GitHub would read in it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageManagers, type WorkflowWanted, workflowText } from '../../src/engine/init/workflow-text.ts';
import { python, runPython } from '../python.ts';

const test = suite('the workflow for GitHub Actions');

/** An expression that GitHub fills in. */
const filled = (text: string): string => `\${{ ${text} }}`;
const isPullRequest = "github.event_name == 'pull_request'";

const [npm] = packageManagers as [(typeof packageManagers)[number]];
const plain: WorkflowWanted = { branch: 'main', folder: '', packages: npm, isRemote: false };
const page = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

interface Step {
  uses?: string;
  run?: string;
  if?: string;
  with?: Record<string, string | number | boolean>;
}

interface Workflow {
  on: { push: { branches: string[] }; pull_request: null };
  permissions: Record<string, string>;
  jobs: { build: { env?: Record<string, string>; defaults?: { run: Record<string, string> }; steps: Step[] } };
}

function read(wanted: WorkflowWanted): Workflow | undefined {
  const interpreter = python('PyYAML');
  if (interpreter === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'dsbuild-workflow-'));
  try {
    writeFileSync(join(folder, 'a.yml'), workflowText(wanted));
    return runPython(interpreter, 'read_yaml.py', [join(folder, 'a.yml')]) as Workflow;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('README shows both forms as they are written', () => {
  for (const isRemote of [false, true]) assert.ok(page.includes(`\`\`\`yaml\n${workflowText({ ...plain, isRemote })}\`\`\`\n`));
});

test('with the cache of GitHub it restores, builds with --locked, and saves also what a job that failed had finished', () => {
  const workflow = read(plain);
  if (!workflow) return;
  assert.equal(workflow.on, { push: { branches: ['main'] }, pull_request: null });
  assert.equal(workflow.permissions, { contents: 'read' });
  const { steps } = workflow.jobs.build;
  assert.equal(
    steps.map(({ uses, run }) => uses ?? run),
    [
      'actions/checkout@v5',
      'actions/setup-node@v5',
      'npm ci',
      'actions/cache/restore@v4',
      'npx dsbuild build --locked',
      'actions/cache/save@v4',
    ],
  );
  const [restore, save] = steps.filter(({ uses }) => uses?.startsWith('actions/cache/')) as [Step, Step];
  assert.equal([restore.with?.['path'], save.with?.['path']], ['.dsbuild\nout\n', '.dsbuild\nout\n']);
  assert.ok(String(save.with?.['key']).startsWith(String(restore.with?.['restore-keys'])), 'what is saved is found again');
  assert.is(save.if, 'always()');
  assert.is(steps[0]?.with?.['persist-credentials'], false);
});

test('with S3 a pull request has a scope and a role of its own, and can never be given that of main', () => {
  const workflow = read({ ...plain, isRemote: true });
  if (!workflow) return;
  assert.equal(workflow.permissions, { contents: 'read', 'id-token': 'write' });
  const { env, steps } = workflow.jobs.build;
  assert.equal(env, { DSBUILD_SCOPE: filled(`${isPullRequest} && format('pr-{0}', github.event.number) || 'main'`) });
  const roles = steps.filter(({ uses }) => uses?.startsWith('aws-actions/'));
  assert.equal(
    roles.map((step) => [step.with?.['role-to-assume'], step.if]),
    [
      [filled('vars.DSBUILD_ROLE_MAIN'), "github.event_name != 'pull_request'"],
      [filled('vars.DSBUILD_ROLE_PR'), `${isPullRequest} && github.event.pull_request.head.repo.full_name == github.repository`],
    ],
  );
  assert.ok(steps.some(({ run }) => run === `npx dsbuild build --locked ${filled(`${isPullRequest} && '--no-publish' || ''`)}`));
});

test('a project below the root of its repository is built there', () => {
  const workflow = read({ ...plain, folder: 'sets/a b', branch: 'it: works' });
  if (!workflow) return;
  assert.equal(workflow.jobs.build.defaults, { run: { 'working-directory': 'sets/a b' } });
  assert.equal(workflow.on.push.branches, ['it: works']);
  assert.is(workflow.jobs.build.steps[3]?.with?.['path'], 'sets/a b/.dsbuild\nsets/a b/out\n');
});

for (const { lock, install } of packageManagers) {
  test(`with ${lock || 'no lock file'} it runs ${install}`, () => {
    const workflow = read({ ...plain, packages: packageManagers.find((known) => known.lock === lock) ?? npm });
    if (!workflow) return;
    assert.is(workflow.jobs.build.steps[2]?.run, install);
  });
}

test("README's policy of the bucket lets pull requests write to their own places only", () => {
  const [, text] = /```json\n([\s\S]*?)```/.exec(page.slice(page.indexOf('### In CI'))) ?? [];
  interface Statement {
    Effect: string;
    Principal: { AWS: string | string[] };
    Action: string | string[];
    Resource: string;
  }
  const { Statement: statements } = JSON.parse(text as string) as { Statement: Statement[] };
  const writes = statements.filter(
    ({ Action, Principal }) =>
      [Principal.AWS].flat().some((role) => role.endsWith('pull-request')) &&
      [Action].flat().some((action) => /Put|Delete|\*/.test(action)),
  );
  assert.equal(
    writes.map(({ Resource }) => Resource),
    ['arn:aws:s3:::team-cache/dsbuild/v1/pr-*'],
  );
  assert.ok(statements.every(({ Effect }) => Effect === 'Allow'));
});

test.run();
