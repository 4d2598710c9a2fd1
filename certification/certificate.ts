import { createHash } from 'node:crypto';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { packaged } from '../fixtures/load.ts';
import { wrongBySchema } from '../fixtures/schema.ts';
import { profiles } from './plan.ts';
import type { CertificationReport, CheckGroup, Totals } from './report.ts';
import type { Announcement } from './wire.ts';

/**
 * What is certified, without clocks, machines or commands: whoever asks the same implementation the same again gets the
 * same, byte for byte.
 */
export interface CertificateCore {
  readonly format: 'poolproof-certificate/1';
  readonly poolproof: string;
  readonly suite: CertificationReport['suite'];
  readonly announcement: Announcement;
  readonly profile: CertificationReport['profile'];
  readonly seed: number;
  readonly runs: number;
  readonly passed: Readonly<Record<CheckGroup, number>>;
  readonly elements: CertificationReport['elements'];
  readonly lacking: CertificationReport['lacking'];
}

/** An in-toto statement (v1) on an implementation by its name and announcement; the predicate is the core with its id. */
export interface Certificate {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly subject: readonly [{ readonly name: string; readonly digest: { readonly sha256: string } }];
  readonly predicateType: 'urn:poolproof:certificate:1';
  readonly predicate: { readonly id: string; readonly core: CertificateCore };
}

/** A file that is no certificate, or one that was altered. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

/** Fresh Cases below which nothing is certified: ten times fewer than are asked unless told otherwise. */
export const leastRuns = 1000;

/** Why no run with these options can be certified, whatever comes of it; `undefined` if it can. */
export function whyNeverCertified({
  profile,
  runs,
  only,
}: Pick<CertificationReport, 'profile' | 'runs'> & { readonly only?: Iterable<string> }): string | undefined {
  if (only !== undefined) return `no more is asked than ${[...only].join(', ')}`;
  if (!profiles[profile].challenge) return `the profile ${profile} asks no fresh cases`;
  return runs < leastRuns ? `expected --runs of at least ${leastRuns}, got ${runs}` : undefined;
}

/** Why a report can't be made a certificate; `undefined` if it can. */
export function whyUncertified(report: CertificationReport): string | undefined {
  const { outcome, knownFailing } = report;
  if (outcome !== 'conforms') return `the run ended with "${outcome}"`;
  if (knownFailing.length > 0) return `checks are known to fail: ${knownFailing.join(', ')}`;
  return whyNeverCertified(report);
}

/** The certificate of a run that conforms. @throws CertificateError unless it can be certified */
export function certificateOf(report: CertificationReport): Certificate {
  const why = whyUncertified(report);
  if (why !== undefined) throw new CertificateError(`no certificate: ${why}`);
  const { poolproof, suite, profile, seed, runs, checks, elements, lacking } = report;
  const announcement = report.announcement!;
  const passed = Object.fromEntries(
    Object.entries(checks).map(([group, totals]: [string, Totals]) => [group, totals.passed]),
  ) as Record<CheckGroup, number>;
  const core: CertificateCore = {
    format: 'poolproof-certificate/1',
    poolproof,
    suite,
    announcement,
    profile,
    seed,
    runs,
    passed,
    elements,
    lacking,
  };
  const { name, version } = announcement.implementation;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `${name} ${version}`, digest: { sha256: digestOf(announcement) } }],
    predicateType: 'urn:poolproof:certificate:1',
    predicate: { id: digestOf(core), core },
  };
}

/** SHA-256 over the canonical JSON (RFC 8785) of a value. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalize(value)!).digest('hex');
}

/** A certificate from the text of a file. @throws CertificateError if it is none, or its digests are not those of its parts */
export function parseCertificate(text: string): Certificate {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CertificateError('expected a certificate as JSON');
  }
  const wrong = wrongBySchema(join(packaged(), '../schemas'))('certificate', value);
  if (wrong !== undefined) throw new CertificateError(`expected a certificate: ${wrong}`);
  const certificate = value as Certificate;
  const { id, core } = certificate.predicate;
  const actual = digestOf(core);
  if (actual !== id) throw new CertificateError(`altered: its core has the id ${actual}, expected ${id}`);
  const expected = digestOf(core.announcement);
  const stated = certificate.subject[0].digest.sha256;
  if (stated !== expected)
    throw new CertificateError(`altered: its subject has the digest ${stated}, expected ${expected}`);
  return certificate;
}

/** What a second run found otherwise, a line each; none if its certificate is the same, byte for byte as canonical JSON. */
export function differences(certificate: Certificate, again: CertificationReport): string[] {
  const why = whyUncertified(again);
  if (why !== undefined) return [why];
  const [was, is] = [partsOf(certificate), partsOf(certificateOf(again))];
  return Object.keys({ ...was, ...is })
    .filter((key) => canonicalize(was[key]) !== canonicalize(is[key]))
    .map((key) => `${key}: was ${canonicalize(was[key])}, is ${canonicalize(is[key])}`);
}

/** All that a certificate holds but its id, which is that of the core. */
function partsOf({ predicate: { core }, ...statement }: Certificate): Readonly<Record<string, unknown>> {
  return { ...core, ...statement };
}
