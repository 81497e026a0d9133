import { isRemote } from '../../base/address.ts';
import { openBucket } from '../destinations.ts';
import type { Project } from '../project.ts';
import type { Tell } from './items.ts';
import type { LastResult } from './last-results.ts';

const hint = 'Build: it is sent again.';

/** Objects of ours in buckets that are gone, or are not those that were published. They are listed, not read: their ETags tell. */
export async function lookAtObjects(project: Project, results: readonly LastResult[], tell: Tell): Promise<void> {
  const outs = new Set(results.flatMap(({ target: { out } }) => (out !== undefined && isRemote(out) ? [out] : [])));
  for (const out of outs) {
    const target = results.find((result) => result.target.out === out)?.target.name ?? '';
    const destination = await openBucket(project, out);
    try {
      const { missing, changed } = await destination.changes();
      const at = (name: string): { target: string; where: string } => ({ target, where: `${out}/${name}` });
      for (const name of missing)
        tell({ type: 'finding', code: 'missing-file', message: 'this published object is gone', hint, ...at(name) });
      for (const name of changed)
        tell({
          type: 'finding',
          code: 'changed-file',
          message: 'this object is not the one that was published: somebody replaced it',
          hint: 'Move it away and build, or build with --overwrite.',
          ...at(name),
        });
    } finally {
      destination.close();
    }
  }
}
