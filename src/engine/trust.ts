import { checkedScope, mainScope } from '../cache/remote/layout.ts';
import { Trust } from '../cache/remote/trust.ts';
import type { Project } from './project.ts';

/** What a build believes, with or without a remote: what came from one earlier lies here. */
export function trustOf({ config, env }: Pick<Project, 'config' | 'env'>): Trust {
  const { scope, signing } = config.cache ?? {};
  const given = env['DSBUILD_SCOPE'];
  const checked = given ? checkedScope(given, 'DSBUILD_SCOPE') : (scope ?? mainScope);
  return new Trust(checked, signing?.accept);
}
