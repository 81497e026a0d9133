/** Takes the claim `x` in a folder, says so, and holds it until it is killed or told to let go. */
import { Claims } from '../../src/cache/claims.ts';

const { waited, release } = await new Claims(process.argv[2] as string).take('x', new AbortController().signal);
process.stdout.write(waited ? 'waited\n' : 'took\n');
process.stdin.once('data', () => {
  release();
  process.stdout.write('released\n');
  process.stdin.destroy();
});
