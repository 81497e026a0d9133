import { Command, Option } from 'clipanion';
import type { DoctorCheck } from '../engine/doctor-check.ts';
import type { Paint } from '../report/colour.ts';
import { forPeople } from '../report/printed.ts';
import { exitCode } from './exit-codes.ts';
import { ProjectCommand } from './project-command.ts';

function checkLines({ check, ok, detail, hint }: DoctorCheck, paint: Paint): string[] {
  const line = `${ok ? paint.green('ok  ') : paint.red('FAIL')}  ${check.padEnd(14)}  ${detail}`;
  return hint === undefined ? [line] : [line, `      ${hint}`];
}

export class DoctorCommand extends ProjectCommand {
  static override paths = [['doctor']];
  static override usage = Command.Usage({
    description: 'Check what a build needs: Node, disk, rights, config, tokenizers, lock, S3. Exits with 1 if something is missing.',
    examples: [
      ['without the network', '$0 doctor'],
      ['also look for tokenizers that have to be downloaded, and try what may be done on S3', '$0 doctor --online'],
    ],
  });

  online = Option.Boolean('--online', false, { description: 'Use the network where a check needs it.' });

  async execute(): Promise<number> {
    const { checks } = await this.context.engine.doctor({ ...this.openOptions(this.warn), online: this.online });
    if (this.json) this.printJson({ checks });
    else this.print(checks.flatMap((check) => checkLines(forPeople(check), this.paint)).join('\n'));
    return checks.every(({ ok }) => ok) ? exitCode.ok : exitCode.failed;
  }
}
