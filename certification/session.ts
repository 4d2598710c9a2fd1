import type { Encoding } from '../fixtures/tensor.ts';
import type { Case } from '../reference/case.ts';
import { SubjectProcess } from './process.ts';
import {
  type Announcement,
  type Op,
  ProtocolFault,
  parseAnnouncement,
  parseLine,
  parseOutputs,
  parseReply,
  type Reply,
  runRequest,
  startRequest,
} from './wire.ts';

/** What came for a request: tensors, a word instead of them, or the fault that it led to. */
export type Outcome =
  | { readonly tensors: ReadonlyMap<'y' | 'dx' | 'dalpha', Float64Array> }
  | Exclude<Reply, { readonly outputs: unknown }>
  | { readonly fault: string };

/** A fault after which the session goes on with a fresh process. */
export interface Fault {
  readonly reason: string;
  /** The request that led to it, as whoever asked calls it; none where that could not be found. */
  readonly request?: string;
  /** The last words of the process on stderr. */
  readonly stderr: string;
}

/** The subject could not be started, or broke the protocol too often: nothing more can be asked of it. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded';
  readonly stderr: string;

  constructor(reason: string, stderr: string, options?: ErrorOptions) {
    super(reason, options);
    this.stderr = stderr;
  }
}

export interface SessionOptions {
  /** Milliseconds that a reply may take, from the reply before it. */
  readonly timeout: number;
  /** Milliseconds until the reply to `start`; unless given, `timeout` and 10 s at least, since a runtime must load. */
  readonly startTimeout?: number;
  readonly onFault?: (fault: Fault) => void;
}

/** What is sent: a request without its id, and how its reply is read. */
interface Question {
  readonly message: object;
  readonly label: string | undefined;
  readonly read: (reply: Readonly<Record<string, unknown>>) => Outcome;
  readonly settle: (outcome: Outcome) => void;
  readonly fail: (error: Error) => void;
}

/** Faults that end a session (spec §7). */
const mostFaults = 3;
/** Requests outstanding at once, whatever is announced: what is queued must stay small. */
const mostOutstanding = 64;

/**
 * A conversation with a subject: sends at most as many requests at once as it announced, in the order in which they were
 * asked. After a crash, a timeout or a reply that breaks the protocol it starts a fresh process and asks again what was
 * outstanding, one at a time, so that the request at fault is known; the third fault ends the session. A request that was
 * at fault is not sent again.
 */
export class Session {
  readonly #command: readonly [string, ...string[]];
  readonly #options: SessionOptions;
  #process: SubjectProcess | undefined;
  #announcement: Announcement | undefined;
  #encoding: Encoding = 'hex';
  #pipeline = 1;
  /** Asked and not yet sent; the first `#alone` of them are sent one at a time. */
  readonly #waiting: Question[] = [];
  #alone = 0;
  readonly #outstanding = new Map<number, Question>();
  /** A fault with several requests outstanding, until one of them, alone, leads to it again or all are answered. */
  #unnamed: Fault | undefined;
  #nextId = 1;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #faults = 0;
  /** The outcome of requests at fault, by their text. */
  readonly #atFault = new Map<string, Outcome>();
  #ended: SessionEnded | undefined;
  #opening: { resolve: (announcement: Announcement) => void; reject: (error: Error) => void } | undefined;

  private constructor(command: readonly [string, ...string[]], options: SessionOptions) {
    this.#command = command;
    this.#options = options;
  }

  /** Starts the subject and asks what it can. @throws SessionEnded if it can't be started or announces nothing valid */
  static async open(command: readonly [string, ...string[]], options: SessionOptions): Promise<Session> {
    const session = new Session(command, options);
    await session.#start();
    return session;
  }

  get announcement(): Announcement {
    return this.#announcement!;
  }

  /** Requests that are sent before the first of them is answered. */
  get pipeline(): number {
    return this.#pipeline;
  }

  /** Asks for one op on a Case, of which a fault tells the id. @throws SessionEnded once nothing more can be asked */
  ask(op: Op, input: Case, id?: string): Promise<Outcome> {
    const read: Question['read'] = (reply) => {
      const parsed = parseReply(reply);
      return 'outputs' in parsed ? { tensors: parseOutputs(op, input, parsed.outputs) } : parsed;
    };
    return this.#ask(runRequest(op, input, this.#encoding), read, id && `${id}, ${op}`);
  }

  /** Sends a request as it stands, right or not; outputs come back unread. @throws SessionEnded as `ask` */
  askRaw(request: object, id?: string): Promise<Outcome> {
    const read: Question['read'] = (reply) => {
      const parsed = parseReply(reply);
      return 'outputs' in parsed ? { tensors: new Map() } : parsed;
    };
    return this.#ask(request, read, id);
  }

  /** Sends `stop` and waits for the exit; the fault, unless the subject exits with 0 in time. */
  async close(): Promise<Fault | undefined> {
    const { timeout } = this.#options;
    this.#stopTimer();
    const process = this.#process;
    if (process === undefined) return { reason: this.#ended!.message, stderr: this.#ended!.stderr };
    this.#endWith(new SessionEnded('the session is closed', ''));
    // Its end is no fault any more.
    this.#process = undefined;
    process.send({ id: this.#nextId++, cmd: 'stop' });
    const came = await process.stop(timeout);
    if (came === undefined) return undefined;
    return { reason: `stop: expected exit code 0 within ${timeout / 1000} s, got ${came}`, stderr: process.stderr };
  }

  /** Kills the subject at once. */
  kill(): void {
    this.#stopTimer();
    this.#process?.kill();
    this.#endWith(new SessionEnded('the session is closed', ''));
  }

  #ask(message: object, read: Question['read'], label: string | undefined): Promise<Outcome> {
    return new Promise((settle, fail) => {
      const known = this.#atFault.size > 0 ? this.#atFault.get(JSON.stringify(message)) : undefined;
      if (this.#ended !== undefined) fail(this.#ended);
      else if (known !== undefined) settle(known);
      else {
        this.#waiting.push({ message, label, read, settle, fail });
        this.#sendMore();
      }
    });
  }

  #start(): Promise<Announcement> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      let process: SubjectProcess;
      try {
        process = new SubjectProcess(this.#command, {
          line: (text) => {
            if (process === this.#process) this.#receive(text);
          },
          drain: () => {
            if (process === this.#process) this.#sendMore();
          },
          end: (reason) => {
            if (process === this.#process) this.#break(reason);
          },
        });
      } catch (error) {
        this.#break(error as Error);
        return;
      }
      this.#process = process;
      process.send(startRequest());
      this.#restartTimer();
    });
  }

  #receive(text: string): void {
    try {
      const { id, ...reply } = parseLine(text);
      if (this.#opening !== undefined) {
        if (id !== 0) throw new ProtocolFault(`"id" expected 0, of start, got ${id}`);
        this.#open(parseAnnouncement(reply));
        return;
      }
      const question = this.#outstanding.get(id);
      if (question === undefined) throw new ProtocolFault(`"id" expected one that is outstanding, got ${id}`);
      const outcome = question.read(reply);
      this.#outstanding.delete(id);
      question.settle(outcome);
      this.#answeredAlone();
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      this.#break(error);
      return;
    }
    this.#restartTimer();
    this.#sendMore();
  }

  #open(announcement: Announcement): void {
    const before = this.#announcement;
    if (before !== undefined && JSON.stringify(before) !== JSON.stringify(announcement)) {
      throw new ProtocolFault('start: expected the same announcement as before, got another');
    }
    this.#announcement = announcement;
    const { encodings, pipeline } = announcement.capabilities;
    this.#encoding = encodings.includes('hex') ? 'hex' : 'base64';
    this.#pipeline = Math.min(pipeline, mostOutstanding);
    this.#opening!.resolve(announcement);
    this.#opening = undefined;
    this.#restartTimer();
    this.#sendMore();
  }

  #sendMore(): void {
    if (this.#opening !== undefined || this.#ended !== undefined) return;
    const most = this.#alone > 0 ? 1 : this.#pipeline;
    const wasIdle = this.#outstanding.size === 0;
    while (this.#outstanding.size < most && this.#waiting.length > 0 && !this.#process!.isFull) {
      const question = this.#waiting.shift()!;
      const id = this.#nextId++;
      this.#outstanding.set(id, question);
      this.#process!.send({ id, ...question.message });
    }
    if (wasIdle) this.#restartTimer();
  }

  /** The time of a reply counts from the reply before it. */
  #restartTimer(): void {
    this.#stopTimer();
    const { timeout, startTimeout = Math.max(timeout, 10_000) } = this.#options;
    const isOpening = this.#opening !== undefined;
    if (!isOpening && this.#outstanding.size + this.#waiting.length === 0) return;
    const milliseconds = isOpening ? startTimeout : timeout;
    const timer = setTimeout(() => {
      // First comes what could not be read since the runner itself was busy.
      setImmediate(() => {
        if (timer !== this.#timer) return;
        const begun = this.#process?.isWithinLine ? ', only the beginning of a line' : '';
        this.#break(new ProtocolFault(`gave no reply within ${milliseconds / 1000} s${begun}`));
      });
    }, milliseconds);
    this.#timer = timer;
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** A fault: a fresh process is asked again what was outstanding, one request at a time. */
  #break(reason: Error): void {
    this.#stopTimer();
    const process = this.#process;
    this.#process = undefined;
    process?.kill();
    const stderr = process?.stderr ?? '';
    const opening = this.#opening;
    this.#opening = undefined;
    const questions = [...this.#outstanding.values()];
    this.#outstanding.clear();
    if (opening !== undefined) {
      const ended = this.#endWith(
        new SessionEnded(`start: ${reason.message.replace(/^start: /, '')}`, stderr, { cause: reason }),
      );
      opening.reject(ended);
      return;
    }
    const fault: Fault = { reason: reason.message, stderr };
    if (questions.length > 1) {
      this.#unnamed = fault;
      this.#waiting.unshift(...questions);
      this.#alone = questions.length;
    } else if (questions.length === 1) {
      const [{ message, label, settle }] = questions as [Question];
      // If it was one of several before, this is the same fault.
      this.#unnamed = undefined;
      this.#atFault.set(JSON.stringify(message), { fault: reason.message });
      settle({ fault: reason.message });
      this.#report({ ...fault, ...(label !== undefined && { request: label }) });
      this.#answeredAlone();
    } else this.#report(fault);
    // A process that can't be started again ends the session, which tells who asked.
    if (this.#ended === undefined) this.#start().catch(() => {});
  }

  /** One fewer is to be sent alone; after the last of them an unnamed fault stays so. */
  #answeredAlone(): void {
    if (this.#alone > 0 && --this.#alone === 0) this.#reportUnnamed();
  }

  #reportUnnamed(): void {
    const fault = this.#unnamed;
    this.#unnamed = undefined;
    if (fault !== undefined) this.#report(fault);
  }

  #report(fault: Fault): void {
    this.#options.onFault?.(fault);
    if (++this.#faults === mostFaults) {
      this.#endWith(new SessionEnded(`${mostFaults} faults, the last: ${fault.reason}`, fault.stderr));
    }
  }

  #endWith(ended: SessionEnded): SessionEnded {
    this.#ended ??= ended;
    this.#reportUnnamed();
    for (const question of [...this.#outstanding.values(), ...this.#waiting.splice(0)]) question.fail(this.#ended);
    this.#outstanding.clear();
    return this.#ended;
  }
}
