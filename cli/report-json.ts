import { decodeCase, type EncodedCase, encodeCase } from '../fixtures/case.ts';
import { decodeFinding, type EncodedFinding, encodeFinding } from '../fixtures/finding.ts';
import { decodeTensor, encodeTensor, type Tensor } from '../fixtures/tensor.ts';
import { describeFinding, type Failure } from '../properties/failure.ts';
import type { Breakage, LawResult } from '../properties/verify.ts';
import { replayLine } from './replay-line.ts';
import { exitCodeOf, type MnistReport, type Report, type SubjectReport } from './report.ts';

/** The version of this format; a number that a reader doesn't know it must refuse. */
export const reportSchema = 'poolproof-report/1';

/** A report as JSON. Tensors and the numbers of findings are hex (spec §7), since JSON loses -0, NaN and ±∞. */
export interface EncodedReport extends Omit<Report, 'subjects'> {
  readonly schema: typeof reportSchema;
  readonly exitCode: number;
  readonly subjects: readonly EncodedSubject[];
}

interface EncodedSubject extends Omit<SubjectReport, 'results'> {
  readonly results: readonly EncodedResult[];
}

interface EncodedResult extends Omit<LawResult, 'failures' | 'breakage'> {
  readonly failures: readonly EncodedFailure[];
  readonly breakage?: Omit<Breakage, 'case'> & { readonly case: EncodedCase; readonly replay: string };
}

export interface EncodedFailure extends Omit<Failure, 'case' | 'history' | 'directions' | 'finding'> {
  /** The finding in words. */
  readonly description: string;
  readonly replay: string;
  readonly case: EncodedCase;
  readonly history?: readonly EncodedCase[];
  readonly directions?: readonly { readonly name: string; readonly tensor: Tensor }[];
  readonly finding: EncodedFinding;
}

export function encodeReport(report: Report): EncodedReport {
  return {
    schema: reportSchema,
    exitCode: exitCodeOf(report),
    ...report,
    mnist: encodeMnist(report.mnist),
    subjects: report.subjects.map((subject) => ({
      ...subject,
      results: subject.results.map(({ failures, breakage, ...result }) => ({
        ...result,
        failures: failures.map((failure) => encodeFailure(subject.name, failure)),
        ...(breakage && {
          breakage: {
            ...breakage,
            case: encodeCase(breakage.case),
            replay: replayLine(subject.name, { law: result.law, ...breakage }),
          },
        }),
      })),
    })),
  };
}

/** @throws RangeError for another schema. */
export function decodeReport(encoded: EncodedReport): Report {
  if (encoded.schema !== reportSchema) {
    throw new RangeError(`decodeReport: "schema" expected ${reportSchema}, got ${JSON.stringify(encoded.schema)}`);
  }
  const { schema: _, exitCode: __, ...report } = encoded;
  return {
    ...report,
    mnist: decodeMnist(report.mnist),
    subjects: report.subjects.map((subject) => ({
      ...subject,
      results: subject.results.map(({ failures, breakage, ...result }) => {
        const decoded = { ...result, failures: failures.map(decodeFailure) };
        if (!breakage) return decoded;
        const { replay: _, ...rest } = breakage;
        return { ...decoded, breakage: { ...rest, case: decodeCase(rest.case) } };
      }),
    })),
  };
}

export function encodeFailure(backend: string, { history, directions, ...failure }: Failure): EncodedFailure {
  return {
    ...failure,
    description: describeFinding(failure.finding),
    replay: replayLine(backend, failure),
    case: encodeCase(failure.case),
    ...(history && { history: history.map((c) => encodeCase(c)) }),
    ...(directions && {
      directions: directions.map(({ name, ...elements }) => ({
        name,
        tensor: encodeTensor(name, { dtype: failure.case.dtype, ...elements }),
      })),
    }),
    finding: encodeFinding(failure.finding),
  };
}

export function decodeFailure({
  description: _,
  replay: __,
  history,
  directions,
  ...failure
}: EncodedFailure): Failure {
  return {
    ...failure,
    case: decodeCase(failure.case),
    ...(history && { history: history.map(decodeCase) }),
    ...(directions && {
      directions: directions.map(({ name, tensor }) => ({ name, ...decodeTensor(name, tensor) })),
    }),
    finding: decodeFinding(failure.finding),
  };
}

/** Losses and worst elements may be NaN or ±∞, which JSON has only as text. */
function encodeMnist(mnist: MnistReport): MnistReport {
  return JSON.parse(
    JSON.stringify(mnist, (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value)),
  );
}

function decodeMnist(mnist: MnistReport): MnistReport {
  const isNumber = (value: unknown) => value === 'NaN' || value === 'Infinity' || value === '-Infinity';
  return JSON.parse(JSON.stringify(mnist), (_, value) => (isNumber(value) ? Number(value) : value));
}
