import { formatBytes } from '../../base/bytes.ts';
import type { PartLook, TargetLook } from '../../base/look.ts';
import type { TargetView } from '../state.ts';
import { counted, formatDuration } from '../words.ts';
import { type Line, line, piece } from './line.ts';
import type { Scene, Status } from './scene.ts';
import { funnelLines, looks, shownState } from './target-lines.ts';

const title = (text: string): Line => line(text, 'bold');
const indented = (text: string): Line => line(`  ${text}`);

function partLine({ name, bytes, records, tokens }: PartLook): Line {
  const words = [
    records === 0 ? '' : counted(records, 'record'),
    tokens === 0 ? '' : counted(tokens, 'token'),
    bytes === undefined ? '' : formatBytes(bytes),
  ];
  return indented(`${name}  ${words.filter((word) => word !== '').join(' · ')}`);
}

function lookLines({ options, parts, partCount, rows, noRows, out }: TargetLook): Line[] {
  const more = partCount - parts.length;
  return [
    ...(out === undefined ? [] : [indented(`published in ${out}`)]),
    ...(options.length === 0 ? [] : [title('options')]),
    ...options.map(({ name, value }) => indented(`${name}: ${value}`)),
    title(counted(partCount, 'part')),
    ...parts.map(partLine),
    ...(more > 0 ? [indented(`and ${more} more`)] : []),
    title('first rows'),
    ...(noRows === undefined ? rows.map(indented) : [indented(noRows)]),
  ];
}

function headLines(target: TargetView, look: TargetLook | undefined, { view, nowMs }: Scene): Line[] {
  const state = shownState(target, view.targets);
  const { name, why, summary, error, unbuiltBecause, startedMs, endedMs, running } = target;
  const { mark, word, tone } = looks[state];
  const took = state === 'waiting' || state === 'kept' ? '' : formatDuration((state === 'running' ? nowMs : endedMs) - startedMs);
  const reasons = summary?.why.length ? summary.why : why;
  const place = look ? `${look.rule}  ${look.where}` : target.rule;
  return [
    [piece(`${mark} `, tone), piece(name, 'bold'), piece(`  ${place}  `), piece(word, tone), piece(took === '' ? '' : `  ${took}`)],
    ...(target.needs.length === 0 ? [] : [indented(`needs ${target.needs.join(', ')}`)]),
    ...(error
      ? [line(`  ${error.where ?? ''} ${error.message} [${error.code}]`, 'bad'), ...(error.hint ? [indented(error.hint)] : [])]
      : []),
    ...(unbuiltBecause === undefined ? [] : [indented(unbuiltBecause)]),
    ...(reasons.length === 0 ? [] : [title('why'), ...reasons.map(indented)]),
    ...funnelLines(target),
    ...(running.size === 0 ? [] : [indented(`${counted(running.size, 'step')} running`)]),
  ];
}

/** The page of one target: what became of it and why, its options, parts and first rows. */
export function targetLines(scene: Scene): Line[] {
  const { view, ui, look } = scene;
  const target = view.targets.get(ui.selected ?? '');
  if (!target) return [line('this target is not part of the build any more', 'dim')];
  const own = look?.target === target.name ? look : undefined;
  return [...headLines(target, own, scene), ...(own ? lookLines(own) : [line('  looking ...', 'dim')])];
}

export function helpLines({ canRebuild, canPause }: Status): Line[] {
  const keys: (readonly [string, string])[] = [
    ['↑ ↓  k j', 'select a target, or scroll'],
    ['PgUp PgDn g G', 'by pages, to the first, to the last'],
    ['enter', 'open the target: why, options, parts, first rows'],
    ['esc', 'back; takes filter and selection away'],
    ['/', 'show only what holds some text'],
    ['l', 'the log: all that was said'],
    ...(canPause ? [['p', 'pause: nothing new is started; once more to go on'] as const] : []),
    ...(canRebuild ? [['r', 'build again now'] as const] : []),
    ['q', 'quit'],
    ['Ctrl-C', 'stop; once more to stop at once'],
    ['Ctrl-Z', 'put to sleep; fg to go on'],
  ];
  const states = Object.values(looks).map(({ mark, word }) => `${mark} ${word}`);
  return [
    title('keys'),
    ...keys.map(([key, text]): Line => [piece(`  ${key.padEnd(14)}`, 'bold'), piece(text)]),
    title('marks'),
    indented(states.join('   ')),
    indented('known: steps whose results were there already'),
  ];
}
