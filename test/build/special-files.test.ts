/** What is called like a source and is none: opening a named pipe would wait for ever, a device never ends. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { errorsOf, TestProject } from './project.ts';

const test = suite('special files');

const servers: Server[] = [];
test.after(() => {
  for (const server of servers) server.close();
});

const makes: Readonly<Record<string, (path: string) => void | Promise<void>>> = {
  'a named pipe': (path) => void execFileSync('mkfifo', [path]),
  'a link to a named pipe': (path) => {
    execFileSync('mkfifo', [`${path}.pipe`]);
    symlinkSync(`${path}.pipe`, path);
  },
  'a socket': (path) =>
    new Promise((resolve) => {
      servers.push(createServer().listen(path, resolve));
    }),
  'a link to a device': (path) => symlinkSync('/dev/zero', path),
  'a folder': (path) => void mkdirSync(path),
};

const config = (patterns: string): string => `import { defineConfig, download, exportDataset, files } from 'dsbuild';
const raw = download({ sources: { 'a/b': files(${patterns}) } });
export default defineConfig({ targets: { text: exportDataset(raw, { format: 'jsonl', each: 'collection', out: 'out' }) } });
`;

for (const [what, make] of Object.entries(makes)) {
  test(`${what} that is named like a source is passed over by globs, also where a source was; given by its path it is an error`, async () => {
    const project = new TestProject();
    try {
      project.write('datasets.config.ts', config("'in/*.jsonl*'"));
      project.write('in/a.jsonl', '{"id":"1","text":"one"}\n');
      project.write('in/odd.jsonl', '{"id":"2","text":"two"}\n');
      assert.is((await project.build()).code, 0);
      project.remove('in/odd.jsonl');
      await make(project.path('in/odd.jsonl'));
      const passed = await project.build();
      assert.equal([passed.code, errorsOf(passed)], [0, []]);
      assert.equal(
        project.list('out').map((name) => project.read(name)),
        ['{"id":"1","text":"one"}\n'],
      );
      project.write('datasets.config.ts', config("'in/odd.jsonl'"));
      const refused = await project.build();
      assert.is(refused.code, 1);
      assert.equal(
        errorsOf(refused).map(({ code }) => code),
        ['no-source'],
      );
      assert.match(errorsOf(refused)[0]?.message ?? '', /in\/odd\.jsonl/);
    } finally {
      project.end();
    }
  });
}

test.run();
