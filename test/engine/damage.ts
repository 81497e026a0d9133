/** What disks, power cuts and hands do to files of `.dsbuild`, at places of the dice's choosing. */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import type { Rig } from './rig.ts';

type Dice = (below: number) => number;

const hurts: Readonly<Record<string, (bytes: Buffer, roll: Dice) => Buffer>> = {
  'a flipped bit': (bytes, roll) => {
    const at = roll(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << roll(8));
    return bytes;
  },
  'another digit or letter': (bytes, roll) => {
    const at = roll(bytes.length);
    bytes[at] = '0123456789abcdef'.charCodeAt(roll(16));
    return bytes;
  },
  'a cut': (bytes, roll) => bytes.subarray(0, roll(bytes.length)),
  'nothing left': () => Buffer.alloc(0),
  'zeros at the end': (bytes, roll) => bytes.fill(0, roll(bytes.length)),
  'zeros behind it': (bytes, roll) => Buffer.concat([bytes, Buffer.alloc(1 + roll(5000))]),
  'a page of another file': (bytes, roll) => {
    const at = roll(bytes.length);
    return bytes.fill(Buffer.from(`{"a":[${roll(1000)},null],"b":"`), at, Math.min(bytes.length, at + 1 + roll(4096)));
  },
  'the word null': () => Buffer.from('null'),
  'a list': () => Buffer.from('[1]'),
  'an empty object': () => Buffer.from('{}'),
};
const kinds = Object.keys(hurts);

/** Damages one file, keeping its place: what is open or mapped sees it too. @returns what was done, for the message of a test. */
export function damage(rig: Rig, name: string, roll: Dice): string {
  const path = rig.path(name);
  const bytes = readFileSync(path);
  if (bytes.length === 0) return `nothing in ${name}`;
  const kind = kinds[roll(kinds.length)] as string;
  const hurt = hurts[kind]?.(bytes, roll) ?? bytes;
  truncateSync(path, 0);
  writeFileSync(path, hurt);
  return `${kind} in ${name}`;
}
