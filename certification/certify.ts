import pMap from 'p-map';
import { type Accumulated, AnswerDigest, accumulatedCases } from '../fixtures/accumulated.ts';
import { encodeCase } from '../fixtures/case.ts';
import type { Suite } from '../fixtures/load.ts';
import { judge } from '../properties/judge.ts';
import { shrinkCase } from '../properties/shrink.ts';
import type { Answer, Case } from '../reference/case.ts';
import { type Check, challengeChecks, challengeSeed, type Profile, vectorChecks } from './plan.ts';
import type { CertificationReport, CheckFailure, Trouble } from './report.ts';
import { lackOf } from './serve.ts';
import { type Outcome, Session, SessionEnded } from './session.ts';
import type { Op } from './wire.ts';

export interface CertifyOptions {
  readonly command: readonly [string, ...string[]];
  readonly profile: Profile;
  /** Fresh Cases. */
  readonly runs: number;
  /** A number of the caller's choice, from which with the suite and the subject's name the fresh Cases are drawn. */
  readonly number: number;
  /** Milliseconds that a reply may take. */
  readonly timeout: number;
  readonly minCases: number;
  /** Ids of checks that are known to fail. */
  readonly known: ReadonlySet<string>;
  readonly version: string;
  readonly onProgress?: (done: number, what: string) => void;
}

/** Failures that are kept of each kind, and failing fresh Cases after which no more are drawn. */
const mostFailures = 20;
/** Requests that shrinking one Case may take. */
const shrinkingRequests = 300;

/** Asks a subject everything that a profile holds and judges its replies. Throws nothing for what the subject does. */
export async function certify(suite: Suite, options: CertifyOptions): Promise<CertificationReport> {
  const start = performance.now();
  const run = new Certification(suite, options);
  await run.all();
  return run.report(performance.now() - start);
}

type Kind = 'vectors' | 'invalid' | 'accumulated' | 'challenge' | 'repeated';

class Certification {
  readonly #suite: Suite;
  readonly #options: CertifyOptions;
  readonly #faults: { reason: string; stderr: string }[] = [];
  readonly #failures: CheckFailure[] = [];
  readonly #totals: Record<Kind, { passed: number; failed: number }> = {
    vectors: { passed: 0, failed: 0 },
    invalid: { passed: 0, failed: 0 },
    accumulated: { passed: 0, failed: 0 },
    challenge: { passed: 0, failed: 0 },
    repeated: { passed: 0, failed: 0 },
  };
  readonly #elements = { checked: 0, unchecked: 0, vacuous: 0 };
  readonly #knownFailing = new Set<string>();
  readonly #passedThough = new Set<string>();
  #lacking: ReadonlyMap<string, number> = new Map();
  #session: Session | undefined;
  #ended: string | undefined;
  #seed = 0;
  #done = 0;

  constructor(suite: Suite, options: CertifyOptions) {
    this.#suite = suite;
    this.#options = options;
  }

  async all(): Promise<void> {
    const { profile, runs, number } = this.#options;
    try {
      this.#session = await this.#open();
      const { announcement } = this.#session;
      const { capabilities } = announcement;
      this.#seed = challengeSeed(this.#suite, announcement, number);
      const { checks, lacking } = vectorChecks(this.#suite, profile, capabilities);
      this.#lacking = lacking;
      const replies = await this.#askVectors(checks);
      if (profile !== 'challenge') await this.#askInvalid(this.#session);
      if (profile === 'training') await this.#askAccumulated(this.#session);
      if (profile !== 'smoke') await this.#challenge(challengeChecks(capabilities, profile, this.#seed, runs));
      await this.#stop(this.#session);
      await this.#askAgain(replies);
    } catch (error) {
      this.#session?.kill();
      if (!(error instanceof SessionEnded)) throw error;
      this.#ended = error.message;
      if (error.stderr !== '' && this.#faults.length === 0)
        this.#faults.push({ reason: error.message, stderr: error.stderr });
    }
  }

  report(milliseconds: number): CertificationReport {
    const { command, profile, minCases, version, known } = this.#options;
    const announcement = this.#session?.announcement;
    return {
      format: 'poolproof-certification/1',
      poolproof: version,
      suite: { version: this.#suite.version, digest: this.#suite.digest },
      command,
      ...(announcement && { announcement }),
      profile,
      seed: this.#seed,
      ...this.#totals,
      lacking: Object.fromEntries(this.#lacking),
      elements: this.#elements,
      failures: this.#failures,
      faults: this.#faults,
      ...(this.#ended !== undefined && { ended: this.#ended }),
      unexpectedlyPassed: [...this.#passedThough].filter((id) => known.has(id) && !this.#knownFailing.has(id)),
      knownFailing: [...this.#knownFailing],
      minCases,
      milliseconds,
    };
  }

  #open(): Promise<Session> {
    const { command, timeout } = this.#options;
    return Session.open(command, { timeout, onFault: (fault) => this.#faults.push(fault) });
  }

  /** A subject that does not end when it is told to breaks the protocol. */
  async #stop(session: Session): Promise<void> {
    const fault = await session.close();
    if (fault !== undefined) this.#faults.push(fault);
  }

  /** The replies by request; one that is asked again must be answered with the same bits. */
  async #askVectors(checks: readonly Check[]): Promise<Map<string, string>> {
    const replies = new Map<string, string>();
    await this.#each(checks, async (check) => {
      for (const [op, outcome] of await this.#ask(this.#session!, check)) {
        const trouble = this.#judge(check.case, outcome);
        this.#count('vectors', check, op, trouble);
        const text = bitsOf(outcome);
        const key = `${check.id} ${op}`;
        const first = replies.get(key);
        if (first === undefined) replies.set(key, text);
        else this.#count('repeated', check, op, first === text ? undefined : differs(op, 'in the same process'));
      }
    });
    return replies;
  }

  /** The first requests once more, of a process without a past. */
  async #askAgain(replies: ReadonlyMap<string, string>): Promise<void> {
    const { profile } = this.#options;
    if (profile === 'challenge') return;
    const session = await this.#open();
    this.#session = session;
    const { checks } = vectorChecks(this.#suite, 'smoke', session.announcement.capabilities);
    const asked = checks.filter(({ ops }) => profile !== 'forward' || ops[0] === 'forward');
    await this.#each(asked, async (check) => {
      for (const [op, outcome] of await this.#ask(session, check)) {
        const same = replies.get(`${check.id} ${op}`) === bitsOf(outcome);
        this.#count('repeated', check, op, same ? undefined : differs(op, 'in a second process'));
      }
    });
    await this.#stop(session);
  }

  async #askInvalid(session: Session): Promise<void> {
    const { facets: _, ...capabilities } = session.announcement.capabilities;
    const dtypes: readonly string[] = capabilities.dtypes;
    await this.#each(this.#suite.invalid, async ({ id, note, request }) => {
      // Of a dtype that the subject has not, `unsupported` is right too.
      const { dtype } = request as { dtype?: string };
      const outcome = await session.askRaw(request);
      const isRight = 'refused' in outcome || ('unsupported' in outcome && !dtypes.includes(dtype ?? ''));
      const came = 'tensors' in outcome ? 'it was answered' : (Object.entries(outcome)[0] ?? []).join(': ');
      const trouble: Trouble | undefined = isRight ? undefined : { code: 'answered', why: `${note}, but ${came}` };
      this.#count('invalid', { id, note }, 'forward', trouble);
    });
  }

  async #askAccumulated(session: Session): Promise<void> {
    const { capabilities } = session.announcement;
    for (const entry of this.#suite.accumulated) {
      if (entry.cases > 10_000) continue;
      const [first] = accumulatedCases(entry.seed, entry.dtype, 1);
      if (lackOf(capabilities, 'vjp', first!) !== undefined || !capabilities.ops.includes('forward')) continue;
      this.#count('accumulated', entry, 'vjp', await this.#digest(session, entry));
    }
  }

  async #digest(session: Session, { seed, dtype, cases, sha256 }: Accumulated): Promise<Trouble | undefined> {
    const digest = new AnswerDigest(dtype);
    for (const c of accumulatedCases(seed, dtype, cases)) {
      const [y, gradients] = await Promise.all([session.ask('forward', c), session.ask('vjp', c)]);
      if (!('tensors' in y)) return troubleOf(y);
      if (!('tensors' in gradients)) return troubleOf(gradients);
      digest.add(Object.fromEntries([...y.tensors, ...gradients.tensors]) as unknown as Answer);
    }
    const actual = digest.sha256();
    return actual === sha256 ? undefined : { code: 'digest', expected: sha256, actual };
  }

  async #challenge(checks: Iterable<Check>): Promise<void> {
    const failed: { check: Check; op: Op }[] = [];
    await this.#each(checks, async (check) => {
      if (failed.length >= mostFailures) return;
      for (const [op, outcome] of await this.#ask(this.#session!, check)) {
        const trouble = this.#judge(check.case, outcome);
        // A request at fault is not sent again: there is nothing to shrink.
        if (trouble === undefined || trouble.code === 'fault') this.#count('challenge', check, op, trouble);
        else failed.push({ check, op });
      }
    });
    // The first is shrunk, once nothing else is asked.
    for (const [k, { check, op }] of failed.entries()) {
      const smallest = k === 0 ? await this.#shrink(check.case, op) : check.case;
      const again = await this.#session!.ask(op, smallest);
      const trouble = this.#judge(smallest, again) ?? differs(op, 'when it was asked again');
      this.#count('challenge', { ...check, case: smallest }, op, trouble);
    }
  }

  async #shrink(failing: Case, op: Op): Promise<Case> {
    let smallest = failing;
    let left = shrinkingRequests;
    for (let isSmaller = true; isSmaller && left > 0; ) {
      isSmaller = false;
      for (const candidate of shrinkCase(smallest)) {
        if (left-- <= 0) break;
        if (lackOf(this.#session!.announcement.capabilities, op, candidate) !== undefined) continue;
        if (this.#judge(candidate, await this.#session!.ask(op, candidate)) === undefined) continue;
        smallest = candidate;
        isSmaller = true;
        break;
      }
    }
    return smallest;
  }

  /** Asks in order, as many at once as fill the pipeline. */
  async #each<T>(items: Iterable<T>, one: (item: T) => Promise<void>): Promise<void> {
    await pMap(items, one, { concurrency: this.#session!.pipeline + 1 });
  }

  async #ask(session: Session, { ops, case: c }: Check): Promise<(readonly [Op, Outcome])[]> {
    return Promise.all(ops.map(async (op) => [op, await session.ask(op, c)] as const));
  }

  #judge(input: Case, outcome: Outcome): Trouble | undefined {
    if (!('tensors' in outcome)) return troubleOf(outcome);
    const { finding, counts } = judge(input, this.#session!.announcement.capabilities.facets, outcome.tensors);
    for (const name of ['checked', 'unchecked', 'vacuous'] as const) this.#elements[name] += counts[name];
    return finding;
  }

  #count(
    kind: Kind,
    { id, note, case: c }: { id: string; note: string; case?: Case },
    op: Op,
    trouble: Trouble | undefined,
  ): void {
    this.#options.onProgress?.(++this.#done, id);
    if (trouble === undefined) {
      this.#totals[kind].passed++;
      this.#passedThough.add(id);
      return;
    }
    if (this.#options.known.has(id)) {
      this.#knownFailing.add(id);
      return;
    }
    this.#totals[kind].failed++;
    const ofKind = this.#totals[kind].failed;
    if (ofKind <= mostFailures) this.#failures.push({ id, note, op, trouble, ...(c && { case: encodeCase(c) }) });
  }
}

function troubleOf(outcome: Exclude<Outcome, { readonly tensors: unknown }>): Trouble {
  if ('fault' in outcome) return { code: 'fault', why: outcome.fault };
  if ('refused' in outcome) return { code: 'refused', why: outcome.refused };
  return 'error' in outcome
    ? { code: 'error', why: outcome.error }
    : { code: 'unsupported', why: (outcome as { unsupported: string }).unsupported };
}

function differs(op: Op, why: string): Trouble {
  return { code: 'differs', quantity: op === 'forward' ? 'y' : 'dx, dalpha', why };
}

/** What came, bit for bit but for the payload of NaN. */
function bitsOf(outcome: Outcome): string {
  if (!('tensors' in outcome)) return JSON.stringify(outcome);
  return [...outcome.tensors]
    .map(([name, values]) => `${name} ${Array.from(values, (v) => (Object.is(v, -0) ? '-0' : v))}`)
    .join();
}
