import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { sizeOf } from '../../reference/shape.ts';

/** Data that is not there, cannot be had or is not what it should be; the message names the file and says which. */
export class DataError extends Error {
  override readonly name = 'DataError';
}

/** A file of unsigned bytes in IDX format, unpacked: its name, its axes and its digest. */
export interface IdxFile {
  readonly name: string;
  /** `[60000, 28, 28]`, say. */
  readonly shape: readonly number[];
  /** sha256 of the whole file, lower-case hex. */
  readonly sha256: string;
}

/**
 * The elements of an IDX file: after the magic number (two zero bytes, type 8 for unsigned bytes, number of axes) and
 * the axes as 32-bit big-endian numbers, all checked against `file`, then its digest.
 *
 * @throws DataError saying what was expected and what came
 */
export function readIdx(file: IdxFile, bytes: Buffer): Uint8Array {
  const { name, shape, sha256 } = file;
  const header = 4 + 4 * shape.length;
  const expect = (what: string, expected: unknown, got: unknown): void => {
    if (expected !== got) throw new DataError(`${name}: ${what} expected ${expected}, got ${got}`);
  };
  if (bytes.length < header) throw new DataError(`${name}: a header of ${header} bytes expected, got ${bytes.length}`);
  expect('magic number', hex(0x800 + shape.length), hex(bytes.readUInt32BE(0)));
  const axes = shape.map((_, axis) => bytes.readUInt32BE(4 + 4 * axis));
  expect('axes', shape.join(' x '), axes.join(' x '));
  expect('size in bytes', sizeInBytes(file), bytes.length);
  expect('sha256', sha256, createHash('sha256').update(bytes).digest('hex'));
  return new Uint8Array(bytes.buffer, bytes.byteOffset + header, bytes.length - header);
}

/** The size of the unpacked file, header included. */
export function sizeInBytes({ shape }: IdxFile): number {
  return 4 + 4 * shape.length + sizeOf(shape);
}

/**
 * The unpacked bytes: of a gzip file, known by its first two bytes, or as they are.
 *
 * @throws DataError if it is damaged, or has more than `largest` bytes
 */
export function unpack(name: string, bytes: Buffer, largest: number): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    // One byte more than right is enough to see that a file is too long; a gzip bomb stops there.
    return gunzipSync(bytes, { maxOutputLength: largest + 1 });
  } catch (error) {
    throw new DataError(
      `${name}: ${bytes.length} bytes of gzip expected to unpack to ${largest}, got "${message(error)}"`,
    );
  }
}

export function message(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
