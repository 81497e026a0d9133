import { EventEmitter } from 'node:events';

/** A keyboard that the test presses. */
export class HandKeys extends EventEmitter {
  isTTY = true;
  isRaw = false;

  readonly setRawMode = (isRaw: boolean): void => {
    this.isRaw = isRaw;
  };

  resume(): void {}
  pause(): void {}

  press(text: string): void {
    this.emit('data', text);
  }
}
