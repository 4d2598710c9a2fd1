import { type Accumulated, AnswerDigest, accumulatedCases } from '../fixtures/accumulated.ts';
import type { InvalidRequest } from '../fixtures/invalid.ts';
import type { Suite } from '../fixtures/load.ts';
import { storageOf } from '../properties/dtypes.ts';
import type { Answer } from '../reference/case.ts';
import { Answers } from './answers.ts';
import { diagnose, type Replied } from './diagnosis.ts';
import { askInOrder } from './in-order.ts';
import {
  type Check,
  challengeChecks,
  challengeSeed,
  type Profile,
  type ProfileTable,
  profiles,
  vectorChecks,
} from './plan.ts';
import { NotStarted } from './process.ts';
import {
  type CertificationReport,
  type CheckGroup,
  outcomeOf,
  outcomes,
  type ReportedFault,
  reportFormat,
  type Trouble,
} from './report.ts';
import { lackOf } from './serve.ts';
import { type Outcome, Session, SessionEnded } from './session.ts';
import { type Smallest, smallestFailure } from './smallest.ts';
import { mostFailures, Tally } from './tally.ts';
import { differing, troubleOf } from './trouble.ts';
import type { Capabilities, Op } from './wire.ts';

export interface CertifyOptions {
  readonly command: readonly [string, ...string[]];
  /** The folder of the suite, if it is not that of the package: for the line that asks again. */
  readonly fixtures?: string;
  readonly profile: Profile;
  /** Fresh Cases. */
  readonly runs: number;
  /** A number of the caller's choice, from which with the suite and the subject's name the fresh Cases are drawn. */
  readonly seed: number;
  /** Processes that fresh Cases are divided among. */
  readonly jobs: number;
  /** Milliseconds that a reply may take. */
  readonly timeout: number;
  readonly minCases: number;
  /** Ids of checks that are known to fail. */
  readonly known: ReadonlySet<string>;
  /** Ids of vectors and fresh Cases, if no others are to be asked. */
  readonly only?: ReadonlySet<string>;
  readonly version: string;
  /** How many requests were answered, of how many; of what group. */
  readonly onProgress?: (done: number, total: number, group: CheckGroup) => void;
}

/** Of the digests those of a million Cases are left out: they would take longer than all the rest. */
const mostAccumulated = 10_000;

/** Asks a subject everything that a profile holds and judges its replies. Throws nothing for what the subject does. */
export async function certify(suite: Suite, options: CertifyOptions): Promise<CertificationReport> {
  const start = performance.now();
  const run = new Certification(suite, options);
  await run.all();
  return run.report(performance.now() - start);
}

class Certification {
  readonly #suite: Suite;
  readonly #options: CertifyOptions;
  readonly #parts: ProfileTable;
  readonly #faults: ReportedFault[] = [];
  readonly #tally: Tally;
  readonly #answers = new Answers();
  readonly #replied: Replied[] = [];
  /** Fresh Cases with their replies, by which a bug is named that no vector shows: those that fail, and some beside them. */
  readonly #challenged: Replied[] = [];
  #lacking: Readonly<Record<string, number>> = {};
  #missing: readonly string[] = [];
  readonly #sessions: Session[] = [];
  #announcement: Session['announcement'] | undefined;
  #smallest: Smallest | undefined;
  #isRightAlone = false;
  #ended: string | undefined;
  #isStarted = true;
  #done = 0;
  #total = 0;

  constructor(suite: Suite, options: CertifyOptions) {
    this.#suite = suite;
    this.#options = options;
    this.#parts = profiles[options.profile];
    this.#tally = new Tally(options.known, options.only);
  }

  async all(): Promise<void> {
    const { runs, jobs, profile, only } = this.#options;
    const { ops, invalid, accumulated, challenge } = this.#parts;
    try {
      const session = await this.#open();
      const { capabilities } = session.announcement;
      this.#announcement = session.announcement;
      this.#answers.facets = capabilities.facets;
      this.#missing = ops.filter((op) => !capabilities.ops.includes(op)).map((op) => `op:${op}`);
      const { checks, lacking } = vectorChecks(this.#suite, profile, capabilities);
      this.#lacking = lacking;
      const chosen = checks.filter(({ id }) => only === undefined || only.has(id));
      const smoke = chosen.filter((check) => check.smoke !== undefined);
      const fresh = challenge ? runs * capabilities.ops.length : 0;
      this.#total = chosen.length + smoke.length + fresh + (invalid ? this.#suite.invalid.length : 0);
      const replies = await this.#askVectors(session, chosen);
      if (invalid && only === undefined) await this.#askInvalid(session);
      if (accumulated && only === undefined) await this.#askAccumulated(session);
      if (challenge) {
        for (let job = 1; job < jobs; job++) await this.#open();
        await this.#challenge(capabilities);
      }
      await this.#close();
      if (smoke.length > 0) await this.#askAgain(smoke, replies);
    } catch (error) {
      for (const session of this.#sessions) session.kill();
      if (!(error instanceof SessionEnded)) throw error;
      this.#ended = error.message;
      this.#isStarted = this.#announcement !== undefined || !(error.cause instanceof NotStarted);
      if (error.stderr !== '' && this.#faults.length === 0) {
        this.#faults.push({ reason: error.message, stderr: error.stderr });
      }
    }
    await this.#shrinkFirst();
  }

  report(milliseconds: number): CertificationReport {
    const { command, fixtures, profile, seed, runs, minCases, timeout, version, only } = this.#options;
    const [suite, tally, answers] = [this.#suite, this.#tally, this.#answers];
    const seen = this.#replied.some(({ isWrong }) => isWrong) ? this.#replied : this.#challenged;
    const diagnosis = diagnose(suite, seen, answers.facets);
    const found = {
      checks: tally.checks,
      missing: this.#missing,
      faults: this.#faults,
      ...(this.#ended !== undefined && { ended: this.#ended }),
      knownFailing: tally.knownFailing,
      unexpectedlyPassed: tally.unexpectedlyPassed,
      notAsked: tally.notAsked,
      minCases,
      timeout,
    };
    const outcome = this.#isStarted ? outcomeOf(found) : 'not started';
    return {
      format: reportFormat,
      poolproof: version,
      outcome,
      exitCode: outcomes[outcome].exitCode,
      suite: { version: suite.version, digest: suite.digest, own: suite.own },
      command,
      ...(fixtures !== undefined && { fixtures }),
      ...(this.#announcement && { announcement: this.#announcement }),
      profile,
      seed,
      runs: this.#parts.challenge ? runs : 0,
      ...(only && { only: [...only] }),
      lacking: this.#lacking,
      elements: answers.elements,
      errors: answers.errors,
      failures: tally.failures,
      ...(this.#smallest && { smallest: this.#smallest.failure }),
      ...(this.#isRightAlone && { rightAlone: `${tally.first!.check.id}, ${tally.first!.check.op}` }),
      ...(diagnosis && { diagnosis }),
      ...(this.#smallest?.curve && { curve: this.#smallest.curve }),
      ...found,
      milliseconds,
    };
  }

  async #open(): Promise<Session> {
    const { command, timeout } = this.#options;
    const session = await Session.open(command, { timeout, onFault: (fault) => this.#faults.push(fault) });
    this.#sessions.push(session);
    return session;
  }

  /** A subject that does not end when it is told to breaks the protocol. */
  async #close(): Promise<void> {
    const sessions = this.#sessions.splice(0);
    for (const fault of await Promise.all(sessions.map((session) => session.close()))) {
      if (fault !== undefined) this.#faults.push(fault);
    }
  }

  /** The first replies, by request; one that is asked again must be answered with the same bits. */
  async #askVectors(session: Session, checks: readonly Check[]): Promise<Map<string, Outcome>> {
    const replies = new Map<string, Outcome>();
    const ask = ({ id, op, case: c }: Check) => session.ask(op, c, id);
    await this.#each([session], checks, 'vectors', ask, (check, outcome) => {
      const key = `${check.id} ${check.op}`;
      const first = replies.get(key);
      replies.set(key, first ?? outcome);
      let trouble = this.#count('vectors', check, outcome);
      if (first !== undefined) {
        const differs = unlike(first, outcome, check.op, 'in the same process');
        this.#tally.count('repeated', check, differs);
        trouble ??= differs;
      }
      this.#replied.push(repliedOf(check, outcome, trouble !== undefined));
    });
    return replies;
  }

  /** The smoke list once more, of a process without a past. */
  async #askAgain(checks: readonly Check[], replies: ReadonlyMap<string, Outcome>): Promise<void> {
    const session = await this.#open();
    const ask = ({ id, op, case: c }: Check) => session.ask(op, c, id);
    await this.#each([session], checks, 'repeated', ask, (check, outcome) => {
      const first = replies.get(`${check.id} ${check.op}`)!;
      this.#tally.count('repeated', check, unlike(first, outcome, check.op, 'in a second process'));
    });
    await this.#close();
  }

  async #askInvalid(session: Session): Promise<void> {
    const dtypes: readonly string[] = session.announcement.capabilities.dtypes;
    const ask = ({ id, request }: InvalidRequest) => session.askRaw(request, id);
    await this.#each([session], this.#suite.invalid, 'invalid', ask, ({ id, note, request }, outcome) => {
      // Of a dtype that the subject has not, `unsupported` is right too.
      const { dtype, op } = request as { dtype?: string; op?: Op };
      const isRight = 'refused' in outcome || ('unsupported' in outcome && !dtypes.includes(dtype ?? ''));
      const came = 'tensors' in outcome ? 'it was answered' : (Object.entries(outcome)[0] ?? []).join(': ');
      const why = `${note}, but ${came}`;
      this.#tally.count('invalid', { id, note, op: op ?? 'forward' }, isRight ? undefined : { code: 'answered', why });
    });
  }

  async #askAccumulated(session: Session): Promise<void> {
    const { capabilities } = session.announcement;
    // The digest is of answers that no narrower storage has rounded.
    if (storageOf(capabilities.facets) !== undefined) return;
    for (const entry of this.#suite.accumulated) {
      if (entry.cases > mostAccumulated) continue;
      const [first] = accumulatedCases(entry.seed, entry.dtype, 1);
      if ((['forward', 'vjp'] as const).some((op) => lackOf(capabilities, op, first) !== undefined)) continue;
      this.#tally.count('accumulated', { ...entry, op: 'vjp' }, await this.#digest(session, entry));
    }
  }

  async #digest(session: Session, { id, seed, dtype, cases, sha256 }: Accumulated): Promise<Trouble | undefined> {
    const digest = new AnswerDigest(dtype);
    for (const c of accumulatedCases(seed, dtype, cases)) {
      const answer = new Map<string, Float64Array>();
      for (const settled of await Promise.allSettled([session.ask('forward', c, id), session.ask('vjp', c, id)])) {
        if (settled.status === 'rejected') throw settled.reason;
        if (!('tensors' in settled.value)) return troubleOf(settled.value);
        for (const [name, values] of settled.value.tensors) answer.set(name, values);
      }
      digest.add(Object.fromEntries(answer) as unknown as Answer);
    }
    const actual = digest.sha256();
    return actual === sha256 ? undefined : { code: 'digest', expected: sha256, actual };
  }

  /** Fresh Cases, divided among the processes; after as many that fail as are kept no more are drawn. */
  async #challenge(capabilities: Capabilities): Promise<void> {
    const { profile, runs, seed, only } = this.#options;
    const drawn = challengeChecks(capabilities, profile, challengeSeed(this.#suite, this.#announcement!, seed), runs);
    const { challenge } = this.#tally.checks;
    let turn = 0;
    const ask = async ({ id, op, case: c }: Check) => {
      if (challenge.failed >= mostFailures || (only !== undefined && !only.has(id))) return undefined;
      const session = this.#sessions[turn++ % this.#sessions.length];
      return session.ask(op, c, id);
    };
    await this.#each(this.#sessions, drawn, 'challenge', ask, (check, outcome) => {
      if (outcome === undefined) return;
      const isWrong = this.#count('challenge', check, outcome) !== undefined;
      if (isWrong || this.#challenged.length < mostFailures) this.#challenged.push(repliedOf(check, outcome, isWrong));
    });
  }

  /** What is wrong with an outcome, which is judged and counted. */
  #count(group: CheckGroup, check: Check, outcome: Outcome): Trouble | undefined {
    const trouble = this.#answers.count(check, outcome);
    this.#tally.count(group, check, trouble);
    return trouble;
  }

  /** The first failure once more, of a process without a past, and if it fails there too, as small as it gets. */
  async #shrinkFirst(): Promise<void> {
    const { first } = this.#tally;
    if (first === undefined) return;
    const { command, timeout } = this.#options;
    try {
      this.#smallest = await smallestFailure(() => Session.open(command, { timeout }), first, this.#answers);
      this.#isRightAlone = this.#smallest === undefined;
    } catch (error) {
      // Nothing is known of the failure alone where no more process can be started.
      if (!(error instanceof SessionEnded)) throw error;
    }
  }

  /** As many items at once as fill the pipelines; what came is recorded in their order, also if a session ends. */
  async #each<T, R>(
    sessions: readonly Session[],
    items: Iterable<T>,
    group: CheckGroup,
    ask: (item: T) => Promise<R>,
    record: (item: T, came: R) => void,
  ): Promise<void> {
    const concurrency = sessions.reduce((sum, { pipeline }) => sum + pipeline + 1, 0);
    await askInOrder(items, concurrency, ask, (item, came) => {
      record(item, came);
      this.#options.onProgress?.(++this.#done, this.#total, group);
    });
  }
}

function repliedOf(check: Check, outcome: Outcome, isWrong: boolean): Replied {
  return { ...check, ...('tensors' in outcome && { tensors: outcome.tensors }), isWrong };
}

/** What is wrong with the second reply to one request: it must have the bits of the first, but for the payload of NaN. */
function unlike(first: Outcome, second: Outcome, op: Op, where: string): Trouble | undefined {
  if (!('tensors' in second)) return troubleOf(second);
  if (!('tensors' in first)) return troubleOf(first);
  const isSame = [...second.tensors].every(([name, values]) => {
    const before = first.tensors.get(name)!;
    return values.every((value, i) => Object.is(value, before[i]));
  });
  return isSame ? undefined : differing(op, where);
}
