import type { BuildEvent } from '../../base/events.ts';
import type { TargetLook } from '../../base/look.ts';
import { moduleUrl } from '../../base/program.ts';
import type { Paint } from '../colour.ts';
import { plainReporter } from '../plain.ts';
import { forPeople } from '../printed.ts';
import { type Clock, type Reporter, systemClock } from '../reporter.ts';
import { apply, emptyView } from '../state.ts';
import { type Capturable, capture } from './capture.ts';
import { firstUi, press, type Ui, type Wish } from './controls.ts';
import { frameOf } from './frame.ts';
import { type Keyboard, type KeyInput, keyboardOf } from './keyboard.ts';
import type { Key } from './keys.ts';
import { paintLine } from './line.ts';
import { hideCursor, Painter, showCursor } from './painter.ts';
import { Rates } from './rates.ts';
import { Said } from './said.ts';
import { branchesOf, currentOf, type Scene, type ScreenSize, type Status } from './scene.ts';
import type { Layout } from './screen.ts';

/** What the person in front of the screen can ask of the build. */
export interface Steering {
  /** Breaks the build off, as Ctrl-C does. */
  interrupt(): void;
  /** Ends the program when nothing is built. */
  quit(): void;
  rebuild?(): void;
  readonly pausing?: { readonly isPaused: boolean; toggle(): void };
  look?(target: string): Promise<TargetLook>;
}

export interface TerminalOptions {
  readonly stdout: NodeJS.WriteStream;
  /** Shown above the frame, if it is the same terminal. */
  readonly stderr?: NodeJS.WriteStream;
  readonly stdin?: KeyInput;
  readonly paint: Paint;
  readonly clock?: Clock;
  /** Folder that people see. */
  readonly cwd?: string;
  /** One build after the other: the view stays when one is over. */
  readonly watch?: boolean;
  readonly steering: Steering;
  /** Loads what draws; it takes a while, and a build that is over before needs none. */
  readonly loadLayout?: () => Promise<Layout>;
}

const redrawMs = 100;
/** What nobody asked for with a key comes half as often: figures that change faster are not read. */
const unaskedMs = 200;
/** A build that is over by then has no view. */
const patienceMs = 500;
/** One part in so many of the time may go by while a frame is drawn; the engine's collecting and compiling behind it comes to more than that. */
const shareOfTime = 250;
const redrawMsMax = 1000;
/** What a terminal has that does not say how large it is. */
const sizeUnknown = { columns: 80, rows: 24 };

/** By its address: it is bundled apart, with Ink and React in it, which so load in a fifth of the time. */
const loadLayout = async (): Promise<Layout> =>
  ((await import(moduleUrl('src/report/tui/screen'))) as typeof import('./screen.ts')).openLayout();

/**
 * The view for terminals. What a plain report says is written above the frame as it comes and stays in the scrollback: nothing is lost,
 * whatever happens. The frame is drawn over and over below it, and is taken away at the end. No other screen is used and the mouse is left alone,
 * so that text can be selected and scrolled as always.
 */
class TerminalReporter implements Reporter {
  readonly #options: TerminalOptions;
  readonly #clock: Clock;
  readonly #view = emptyView();
  readonly #said = new Said();
  readonly #plain: Reporter;
  readonly #rates = new Rates();
  readonly #painter = new Painter();
  readonly #write: (text: string) => unknown;
  readonly #stopClock: () => void;
  #ui: Ui = firstUi;
  #look: TargetLook | undefined;
  #looks = 0;
  #isStopping = false;
  #layout: Layout | undefined;
  #isLoading = false;
  #isClosed = false;
  #keyboard: Keyboard | undefined;
  #giveBack: (() => void)[] = [];
  #isDirty = false;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #nextMs = 0;

  constructor(options: TerminalOptions) {
    const { clock = systemClock, paint, cwd, watch = false } = options;
    this.#options = options;
    this.#clock = clock;
    const { stdout } = options;
    this.#write = stdout.write.bind(stdout) as (text: string) => unknown;
    const silent: Clock = { now: clock.now, every: () => () => {} };
    this.#plain = plainReporter(
      { write: (text) => this.#say(text) },
      { paint, clock: silent, view: this.#view, watch, columns: () => stdout.columns, ...(cwd !== undefined && { cwd }) },
    );
    this.#stopClock = clock.every(redrawMs, () => this.#tick());
  }

  readonly emit = (told: BuildEvent): void => {
    const event = forPeople(told);
    apply(this.#view, event, this.#clock.now());
    this.#plain.emit(event);
    this.#isDirty = true;
    const { pane, selected } = this.#ui;
    // What was seen of the opened target is not how it stands any more.
    if (pane === 'target' && endsOrPublishes(event) && event.target === selected) this.#lookAt(selected);
  };

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopClock();
    this.#plain.close();
    this.#leave();
    this.#layout?.close();
    this.#write(this.#said.takeAll());
  }

  /** Above the frame, or at once where there is none. */
  #say(text: string): void {
    this.#said.add(text);
    this.#isDirty = true;
    if (!this.#layout) this.#write(this.#said.take());
  }

  #tick(): void {
    const now = this.#clock.now();
    const view = this.#view;
    if (view.run === '') return;
    this.#rates.sample(view, now);
    if (!this.#layout) {
      if (this.#options.watch || now - view.startedMs >= patienceMs) this.#load();
      return;
    }
    // While something runs the seconds go on, though nothing else may happen.
    const isMoving = view.summary === undefined && Math.floor(now / 1000) !== Math.floor(this.#drawnMs / 1000);
    if ((this.#isDirty || isMoving) && now >= this.#nextMs) this.#draw();
  }

  #load(): void {
    if (this.#isLoading) return;
    this.#isLoading = true;
    const shown = (layout: Layout): void => {
      if (this.#isClosed) return layout.close();
      this.#layout = layout;
      this.#enter();
      this.#draw();
    };
    // Without it the lines go on as they do in plain.
    void (this.#options.loadLayout ?? loadLayout)().then(shown, () => {});
  }

  #enter(): void {
    const { stdout, stderr, stdin } = this.#options;
    const captured = [stdout, ...(stderr?.isTTY ? [stderr] : [])].map((stream) => capture(stream as Capturable, (text) => this.#say(text)));
    const resized = (): void => this.#draw();
    const exit = (): void => this.#leave();
    stdout.on('resize', resized);
    process.on('exit', exit);
    this.#write(hideCursor);
    this.#keyboard = keyboardOf(stdin);
    this.#keyboard?.open((keys) => this.#pressed(keys));
    this.#giveBack = [
      ...captured,
      () => stdout.off('resize', resized),
      () => process.off('exit', exit),
      () => this.#keyboard?.close(),
      () => this.#write(this.#painter.erase(this.#size) + this.#said.take() + showCursor),
    ];
  }

  /** The terminal is as it was, and what was said stands in it. Also called when the program ends in any other way. */
  #leave(): void {
    for (const giveBack of this.#giveBack.splice(0)) giveBack();
  }

  get #size(): ScreenSize {
    const { stdout } = this.#options;
    return { columns: stdout.columns || sizeUnknown.columns, rows: stdout.rows || sizeUnknown.rows };
  }

  get #status(): Status {
    const { pausing, rebuild } = this.#options.steering;
    return {
      isPaused: pausing?.isPaused ?? false,
      isStopping: this.#isStopping || this.#view.isInterrupted,
      canRebuild: rebuild !== undefined,
      canPause: pausing !== undefined,
      hasKeys: this.#keyboard !== undefined,
    };
  }

  #scene(nowMs: number): Scene {
    const { lines: log } = this.#said;
    return {
      view: this.#view,
      ui: this.#ui,
      log,
      rates: this.#rates,
      look: this.#look,
      status: this.#status,
      nowMs,
    };
  }

  /** A report only tells: a mistake in the view ends the view, never the build. */
  #draw(): void {
    // A terminal that does not keep up is not given more.
    if (!this.#layout || this.#giveBack.length === 0 || this.#options.stdout.writableNeedDrain) return;
    try {
      this.#drawWith(this.#layout);
    } catch {
      this.#leave();
      this.#layout = undefined;
    }
  }

  #drawWith(layout: Layout): void {
    const startMs = this.#clock.now();
    const size = this.#size;
    const { lines, scrollMax } = frameOf(this.#scene(startMs), size);
    this.#ui = { ...this.#ui, scroll: Math.min(this.#ui.scroll, scrollMax) };
    const painted = lines.map((line) => paintLine(line, this.#options.paint));
    const text = this.#painter.draw(layout.rows(painted), { ...size, above: this.#said.take() });
    if (text !== '') this.#write(text);
    this.#isDirty = false;
    this.#drawnMs = startMs;
    const tookMs = this.#clock.now() - startMs;
    this.#nextMs = startMs + Math.min(redrawMsMax, Math.max(unaskedMs, shareOfTime * tookMs));
  }

  #pressed(keys: readonly Key[]): void {
    for (const key of keys) {
      const branches = branchesOf({ view: this.#view, ui: this.#ui });
      const names = branches.map(({ target }) => target.name);
      const page = Math.max(1, this.#size.rows - 4);
      const { ui, wish } = press(this.#ui, key, { names, current: currentOf(branches, this.#ui), page });
      this.#ui = ui;
      if (wish) this.#grant(wish);
    }
    this.#isDirty = true;
    // A held key repeats faster than anybody can read.
    if (this.#clock.now() - this.#drawnMs >= redrawMs) this.#draw();
    else this.#nextMs = this.#drawnMs + redrawMs;
  }

  #grant(wish: Wish): void {
    const { steering } = this.#options;
    const isBuilding = this.#view.run !== '' && this.#view.summary === undefined;
    if (wish.kind === 'look') return this.#lookAt(wish.target);
    if (wish.kind === 'suspend') return this.#suspend();
    if (wish.kind === 'pause') return steering.pausing?.toggle();
    if (wish.kind === 'rebuild') return steering.rebuild?.();
    if (wish.kind === 'quit' && !isBuilding) return steering.quit();
    this.#isStopping = true;
    steering.interrupt();
  }

  /** Until it is known how the target stands, what is known of it stays. */
  #lookAt(target: string): void {
    if (this.#look?.target !== target) this.#look = undefined;
    const number = ++this.#looks;
    const seen = (look: TargetLook): void => {
      if (number !== this.#looks) return;
      this.#look = look;
      this.#isDirty = true;
      this.#nextMs = this.#drawnMs + redrawMs;
    };
    const failed = (error: Error): void => {
      if (!this.#isClosed) this.#say(`${target}: ${error.message}\n`);
    };
    void this.#options.steering.look?.(target).then(seen, failed);
  }

  /** Ctrl-Z, as the terminal would do it if it still looked at keys. */
  #suspend(): void {
    this.#leave();
    process.once('SIGCONT', () => {
      if (this.#isClosed) return;
      this.#enter();
      this.#draw();
    });
    process.kill(0, 'SIGTSTP');
  }
}

type Ending = Extract<BuildEvent, { type: 'target-finished' | 'target-failed' | 'target-blocked' | 'target-stopped' | 'published' }>;

const endsOrPublishes = (event: BuildEvent): event is Ending =>
  ['target-finished', 'target-failed', 'target-blocked', 'target-stopped', 'published'].includes(event.type);

export const terminalReporter = (options: TerminalOptions): Reporter => new TerminalReporter(options);
