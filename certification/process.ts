import { type ChildProcess, spawn } from 'node:child_process';
import { ProtocolFault } from './wire.ts';

/** Bytes of the longest line that is read: ten times the longest answer to a vector, and bearable even as parsed JSON. */
const longestLine = 2 * 2 ** 20;
/** What is kept of the last words on stderr. */
const lastWords = 4096;

export interface Listener {
  /** A line from stdout, without its end; blank ones are left out. */
  line(text: string): void;
  /** What was sent has been taken: `isFull` is false again. */
  drain(): void;
  /** The process is no more, or its stdout can't be read as lines; called once. */
  end(reason: Error): void;
}

/** Those that have not been killed yet: what ends the runner ends them. */
const running = new Set<SubjectProcess>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function killAll(): void {
  for (const subject of running) subject.kill();
}

function endBy(signal: NodeJS.Signals): void {
  killAll();
  // No listener is left but those of others, who then decide what follows.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

process.on('exit', killAll);

/**
 * A subject as a child process, started without a shell, in a process group of its own so that what it starts ends with
 * it. Reads stdout as UTF-8 lines, and stderr to the end, of which it keeps the last words.
 */
export class SubjectProcess {
  readonly #child: ChildProcess;
  readonly #listener: Listener;
  #stderr = '';
  /** The beginning of a line, in pieces of falling length: however short those that come, there are few. */
  #pieces: Buffer[] = [];
  #ended = false;
  readonly #exited: Promise<void>;

  /** @throws NotStarted for a command that no process can be started from; of a missing one tells `end` */
  constructor(command: readonly [string, ...string[]], listener: Listener) {
    const [file, ...args] = command;
    this.#listener = listener;
    try {
      this.#child = spawn(file, args, { stdio: 'pipe', shell: false, detached: process.platform !== 'win32' });
    } catch (error) {
      throw new NotStarted(error as Error);
    }
    if (running.size === 0) for (const signal of signals) process.on(signal, endBy);
    running.add(this);
    const { stdin, stdout, stderr } = this.#child;
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => {
        resolve();
        // What it started might hold its stdout open, and `close` would not come.
        this.#killGroup();
      });
      this.#child.once('close', (code, signal) => {
        const where = this.isWithinLine ? ' in the middle of a line' : '';
        this.#end(new ProtocolFault(`ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}${where}`));
      });
      this.#child.once('error', (error) => {
        resolve();
        this.#end(new NotStarted(error));
      });
    });
    // What is written to a process that has ended: `close` tells more.
    stdin!.on('error', () => {});
    stdin!.on('drain', () => this.#listener.drain());
    stdout!.on('data', (chunk: Buffer) => this.#read(chunk));
    stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-lastWords);
    });
  }

  /** The last words on stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Whether it has not yet taken what was sent. */
  get isFull(): boolean {
    return this.#child.stdin!.writableNeedDrain;
  }

  /** Whether a line has begun on stdout and not ended. */
  get isWithinLine(): boolean {
    return this.#pieces.length > 0;
  }

  send(message: object): void {
    if (!this.#ended) this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** Closes stdin, waits for the exit, at most so many milliseconds, then kills; what came instead of exit code 0. */
  async stop(milliseconds: number): Promise<string | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds);
    });
    this.#child.stdin!.end();
    await Promise.race([this.#exited, late]);
    clearTimeout(timer);
    this.kill();
    const { exitCode, signalCode } = this.#child;
    if (exitCode === 0) return undefined;
    return exitCode === null ? (signalCode ?? 'no exit') : `exit code ${exitCode}`;
  }

  /** Ends the process and all that it has started, and hears nothing more of them. */
  kill(): void {
    if (!running.delete(this)) return;
    if (running.size === 0) for (const signal of signals) process.off(signal, endBy);
    this.#ended = true;
    this.#pieces = [];
    this.#killGroup();
    // What has left the group can't be killed, and must not keep the runner.
    const { stdin, stdout, stderr } = this.#child;
    for (const stream of [stdin, stdout, stderr]) stream?.destroy();
    this.#child.unref();
  }

  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // All of them have ended, or are another user's.
    }
  }

  #end(reason: Error): void {
    if (this.#ended) return;
    this.kill();
    this.#listener.end(reason);
  }

  #read(chunk: Buffer): void {
    let from = 0;
    for (let to = chunk.indexOf(10); to >= 0 && !this.#ended; to = chunk.indexOf(10, from)) {
      const bytes = Buffer.concat([...this.#pieces, chunk.subarray(from, to)]);
      from = to + 1;
      this.#pieces = [];
      let text: string;
      try {
        text = decoder.decode(bytes);
      } catch {
        this.#end(new ProtocolFault('expected UTF-8 on stdout, got other bytes'));
        return;
      }
      if (text.trim() !== '') this.#listener.line(text);
    }
    if (this.#ended || from === chunk.length) return;
    let piece = chunk.subarray(from);
    while (this.#pieces.length > 0 && this.#pieces.at(-1)!.length <= piece.length) {
      piece = Buffer.concat([this.#pieces.pop()!, piece]);
    }
    this.#pieces.push(piece);
    if (this.#pieces.reduce((size, { length }) => size + length, 0) > longestLine) {
      this.#end(new ProtocolFault(`expected lines of at most ${longestLine} bytes on stdout, got a longer one`));
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** No process could be made of the command: no fault of a subject, which there is none of. */
export class NotStarted extends ProtocolFault {
  constructor(cause: Error) {
    super(`could not be started: ${cause.message}`);
  }
}
