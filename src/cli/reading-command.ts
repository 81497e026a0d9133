import { Option } from 'clipanion';
import type { BuildEvent } from '../base/events.ts';
import type { RemoteUse } from '../engine/api.ts';
import type { Project } from '../engine/project.ts';
import { transferWords } from '../report/words.ts';
import { isCi } from './context.ts';
import { ProgressLine } from './progress-line.ts';
import { ProjectCommand } from './project-command.ts';

/** A command that shows what was built, and fetches what is not on this machine. */
export abstract class ReadingCommand extends ProjectCommand {
  noRemote = Option.Boolean('--no-remote', false, { description: 'Leave the remote cache alone: show what is on this machine.' });
  offline = Option.Boolean('--offline', false, { description: 'Use no network.' });

  get use(): RemoteUse {
    return { remote: !this.noRemote, offline: this.offline };
  }

  /** As `withProject`; says how far it is with what it fetches, where that takes long. */
  async reading<T>(read: (project: Project) => Promise<T>): Promise<T> {
    const line = new ProgressLine(this.context.stderr, { redraws: !this.json && !isCi(this.context.env) });
    const emit = (event: BuildEvent): void => {
      if (event.type === 'remote-progress' && event.done < event.total) return line.show(() => transferWords(event));
      line.clear();
      this.warn(event);
    };
    this.#line = line;
    try {
      return await this.withProject(read, emit);
    } finally {
      line.clear();
    }
  }

  override print(text: string): void {
    this.#line?.clear();
    super.print(text);
  }

  #line: ProgressLine | undefined;
}
