export interface WorkflowWanted {
  /** The branch that others are merged into. */
  readonly branch: string;
  /** POSIX path from the repository's root to the project; '' for the root itself. */
  readonly folder: string;
  /** Which lock file of a package manager there is. */
  readonly packages: PackageManager;
  /** Whether results are shared through S3; else through GitHub's own cache. */
  readonly isRemote: boolean;
}

export interface PackageManager {
  readonly lock: string;
  readonly install: string;
  /** How the installed dsbuild is called. */
  readonly dsbuild: string;
}

/** The first whose lock file is there; without any, npm and no lock. */
export const packageManagers: readonly PackageManager[] = [
  { lock: 'package-lock.json', install: 'npm ci', dsbuild: 'npx dsbuild' },
  { lock: 'pnpm-lock.yaml', install: 'corepack enable && pnpm install --frozen-lockfile', dsbuild: 'pnpm exec dsbuild' },
  { lock: 'yarn.lock', install: 'corepack enable && yarn install --frozen-lockfile', dsbuild: 'yarn run dsbuild' },
  { lock: '', install: 'npm install', dsbuild: 'npx dsbuild' },
];

const expression = (text: string): string => `\${{ ${text} }}`;
const isPullRequest = "github.event_name == 'pull_request'";

/** Restored by the newest of any branch that GitHub lets this job see; saved under a name of its own, as caches are never changed. */
function cacheStep(use: 'restore' | 'save', paths: readonly string[]): string[] {
  return [
    `      - uses: actions/cache/${use}@v4`,
    ...(use === 'save' ? ['        if: always()'] : []),
    '        with:',
    '          path: |',
    ...paths.map((path) => `            ${path}`),
    `          key: dsbuild-${expression('github.run_id')}-${expression('github.run_attempt')}`,
    ...(use === 'restore' ? ['          restore-keys: dsbuild-'] : []),
  ];
}

function roleStep(condition: string, role: string): string[] {
  return [
    '      - uses: aws-actions/configure-aws-credentials@v5',
    `        if: ${condition}`,
    '        with:',
    `          role-to-assume: ${expression(`vars.${role}`)}`,
    `          aws-region: ${expression('vars.AWS_REGION')}`,
  ];
}

/** Two steps, not one with a choice: an unset role of pull requests must never become that of main. */
const credentialSteps = [
  '      # Credentials for an hour, by OIDC. The role of pull requests may write below v1/pr-* only: the policy is in the README of dsbuild,',
  '      # and `dsbuild doctor --online` tries whether it holds. Pull requests from forks get none, and build without the shared cache.',
  ...roleStep("github.event_name != 'pull_request'", 'DSBUILD_ROLE_MAIN'),
  ...roleStep(`${isPullRequest} && github.event.pull_request.head.repo.full_name == github.repository`, 'DSBUILD_ROLE_PR'),
  '',
];

function buildSteps({ packages, isRemote }: WorkflowWanted): string[] {
  const command = `${packages.dsbuild} build --locked`;
  const lockNote = '      # --locked: remote sources and tokenizers must be those that dsbuild.lock names. Commit it.';
  if (!isRemote) return [lockNote, `      - run: ${command}`];
  return [
    lockNote,
    '      # A pull request downloads nothing that it does not need: it builds, and says on the page of the job what differs.',
    `      - run: ${command} ${expression(`${isPullRequest} && '--no-publish' || ''`)}`,
  ];
}

function headLines({ branch, isRemote }: WorkflowWanted): string[] {
  return [
    '# Builds the datasets with what earlier jobs have built. Written by `dsbuild init`; it is yours to edit.',
    'name: datasets',
    '',
    'on:',
    '  push:',
    `    branches: [${JSON.stringify(branch)}]`,
    '  pull_request:',
    '',
    'permissions:',
    '  contents: read',
    ...(isRemote ? ['  id-token: write # for the credentials of the shared cache'] : []),
    '',
    'concurrency:',
    `  group: datasets-${expression('github.ref')}`,
    `  cancel-in-progress: ${expression(isPullRequest)}`,
    '',
  ];
}

const scopeLines = [
  '    env:',
  '      # What a pull request makes goes to a place of its own; it reads that and what main made.',
  `      DSBUILD_SCOPE: ${expression(`${isPullRequest} && format('pr-{0}', github.event.number) || 'main'`)}`,
];

function setUpSteps({ packages, isRemote }: WorkflowWanted): string[] {
  return [
    '      - uses: actions/checkout@v5',
    '        with:',
    '          persist-credentials: false',
    '      - uses: actions/setup-node@v5',
    '        with:',
    '          node-version: 22',
    `      - run: ${packages.install}`,
    '',
    ...(isRemote ? credentialSteps : []),
    isRemote
      ? '      # What is on record of earlier builds: the page of the job compares with the newest of the base branch.'
      : '      # What earlier jobs built. A pull request sees what its base branch left and what it left itself; nobody else sees the latter.',
  ];
}

/** The text of a workflow for GitHub Actions that builds on the branch and for pull requests. */
export function workflowText(wanted: WorkflowWanted): string {
  const { folder, isRemote } = wanted;
  const below = folder === '' ? '' : `${folder}/`;
  const paths = isRemote ? [`${below}.dsbuild/runs`] : [`${below}.dsbuild`, `${below}out`];
  return [
    ...headLines(wanted),
    'jobs:',
    '  build:',
    '    runs-on: ubuntu-latest',
    '    timeout-minutes: 350',
    ...(folder === '' ? [] : ['    defaults:', '      run:', `        working-directory: ${JSON.stringify(folder)}`]),
    ...(isRemote ? scopeLines : []),
    '    steps:',
    ...setUpSteps(wanted),
    ...cacheStep('restore', paths),
    '',
    ...buildSteps(wanted),
    '',
    '      # What a job that failed had finished is kept as well.',
    ...cacheStep('save', paths),
    '',
  ].join('\n');
}
