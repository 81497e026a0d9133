import { Option } from 'clipanion';
import type { BuildOptions } from '../engine/api.ts';
import { isCi } from './context.ts';
import { ProjectCommand } from './project-command.ts';

/** A command that looks at targets and at what they depend on. */
export abstract class PlanningCommand extends ProjectCommand {
  only = Option.String('--only', { description: "<groups> Only these groups, such as 'code/*'; what gathers over groups is left alone." });
  tag = Option.Array('--tag', [], { description: '<tag> Only targets with this tag; may be repeated.' });
  offline = Option.Boolean('--offline', false, { description: 'Use no network.' });
  locked = Option.Boolean('--locked', { description: 'Fail if dsbuild.lock would change; on in CI, --no-locked there.' });
  paranoid = Option.Boolean('--paranoid', { description: 'Read local files again whatever their times say; on in CI.' });

  planOptions(targets: readonly string[]): BuildOptions {
    const ci = isCi(this.context.env);
    return {
      targets,
      ...(this.only !== undefined && { only: this.only }),
      ...(this.tag.length > 0 && { tags: this.tag }),
      offline: this.offline,
      locked: this.locked ?? ci,
      paranoid: this.paranoid ?? ci,
    };
  }
}
