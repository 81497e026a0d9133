import { PoolRunner } from '../execute/pool.ts';
import { WarmRunner } from '../execute/warm-runner.ts';
import type { BuildOptions } from './api.ts';
import { jobsOf } from './build-run.ts';
import type { Project } from './project.ts';

/** Workers that stay for one build after the other. */
export const warmWorkers = (project: Project, options: BuildOptions): WarmRunner =>
  new WarmRunner(new PoolRunner(jobsOf(project, options)));
