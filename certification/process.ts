import { type ChildProcess, spawn } from 'node:child_process';
import { ProtocolFault } from './wire.ts';

/** The longest line that is read: more than any answer needs, and little beside the memory of the runner. */
const longestLine = 32 * 2 ** 20;
/** What is kept of the last words on stderr. */
const lastWords = 4096;

export interface Listener {
  /** A line from stdout, without its end; blank ones are left out. */
  line(text: string): void;
  /** The process is no more, or its stdout can't be read as lines; called once. */
  end(reason: Error): void;
}

/**
 * A subject as a child process, started without a shell, in a process group of its own so that what it starts ends with
 * it. Reads stdout as UTF-8 lines, and stderr to the end, of which it keeps the last words.
 */
export class SubjectProcess {
  readonly #child: ChildProcess;
  readonly #listener: Listener;
  #stderr = '';
  #pending: Buffer[] = [];
  #pendingSize = 0;
  #ended = false;
  readonly #exited: Promise<void>;

  constructor(command: readonly [string, ...string[]], listener: Listener) {
    const [file, ...args] = command;
    this.#listener = listener;
    this.#child = spawn(file, args, { stdio: 'pipe', shell: false, detached: process.platform !== 'win32' });
    const { stdin, stdout, stderr } = this.#child;
    this.#exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        resolve();
        this.#end(new ProtocolFault(`ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`));
      });
      this.#child.once('error', (error) => {
        // No `close` follows a process that could not be started.
        if (this.#child.pid === undefined) resolve();
        this.#end(new ProtocolFault(`could not be started: ${error.message}`));
      });
    });
    // What is written to a process that has ended: `close` tells more.
    stdin!.on('error', () => {});
    stdout!.on('data', (chunk: Buffer) => this.#read(chunk));
    stderr!.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-lastWords);
    });
  }

  /** The last words on stderr. */
  get stderr(): string {
    return this.#stderr;
  }

  send(message: object): void {
    if (!this.#ended) this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** Closes stdin and waits for the exit, at most so many milliseconds; then kills. Whether it ended by itself, with 0. */
  async stop(milliseconds: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), milliseconds);
    });
    this.#child.stdin!.end();
    const inTime = await Promise.race([this.#exited.then(() => true as const), late]);
    clearTimeout(timer);
    this.kill();
    await this.#exited;
    return inTime && this.#child.exitCode === 0;
  }

  /** Ends the process and all that it has started. */
  kill(): void {
    this.#ended = true;
    this.#pending = [];
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch (error) {
      // ESRCH: all of them have ended.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
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
      this.#pending.push(chunk.subarray(from, to));
      from = to + 1;
      const bytes = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending);
      this.#pending = [];
      this.#pendingSize = 0;
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
    this.#pending.push(chunk.subarray(from));
    this.#pendingSize += chunk.length - from;
    if (this.#pendingSize > longestLine) {
      this.#end(new ProtocolFault(`expected lines of at most ${longestLine} bytes on stdout, got a longer one`));
    }
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });
