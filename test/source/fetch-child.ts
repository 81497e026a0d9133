import { fetchFile } from '../../src/source/fetch.ts';

/** Fetches until it is killed, and says when enough for a checkpoint has been written. */
const [address = '', toDir = '', checkpoint = ''] = process.argv.slice(2);
let told = false;
await fetchFile({
  address,
  toDir,
  signal: new AbortController().signal,
  env: {},
  limits: { checkpointBytes: Number(checkpoint) },
  onProgress: (done) => {
    if (told || done < 2 * Number(checkpoint)) return;
    told = true;
    process.send?.('enough');
  },
});
