/** Enters a build that began at the given time, says so, and builds until it is killed. */
import { LiveBuilds } from '../../src/cache/live-builds.ts';

const [, , dir = '', beganMs] = process.argv;
new LiveBuilds(dir).enter(Number(beganMs));
process.stdout.write('entered\n');
process.stdin.resume();
