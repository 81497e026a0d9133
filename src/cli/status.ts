import { Command, Option } from 'clipanion';
import { PlanningCommand } from './planning-command.ts';
import { showStatus } from './show-status.ts';

export class StatusCommand extends PlanningCommand {
  static override paths = [['status'], ['ls'], ['list']];
  static operands = '[targets...]';
  static override usage = Command.Usage({
    description:
      'Say which targets are fresh, which are not and why, which sources are there, and whether the published folders are whole.',
    examples: [
      ['all targets', '$0 status'],
      ['one, with what it needs', '$0 status shards'],
      ['exit with 3 if something is not fresh', '$0 status --check'],
      ['for programs', '$0 status --json'],
    ],
  });

  targets = Option.Rest();
  check = Option.Boolean('--check', false, { description: 'Exit with 3 if anything is not fresh.' });

  async execute(): Promise<number> {
    const options = this.planOptions(this.targets);
    return this.withProject((project) => showStatus(this, { project, options, check: this.check }));
  }
}
