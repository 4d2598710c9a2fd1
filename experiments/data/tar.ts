import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { createGunzip } from 'node:zlib';
import { type TarHeader, unpackTar } from 'modern-tar';
import { DataError, message } from './idx.ts';

/**
 * The members of a `.tar.gz` file that `sizes` names, each of its size in bytes. Nothing is written, whatever paths the
 * archive has in it, and no more than `largest` bytes are unpacked.
 *
 * @throws DataError naming the archive: damaged, too large, a member missing or of another size
 */
export async function readMembers(
  path: string,
  sizes: ReadonlyMap<string, number>,
  largest: number,
): Promise<Map<string, Uint8Array>> {
  const members = new Map<string, Uint8Array>();
  const wanted = ({ name, size }: TarHeader): boolean => {
    const right = sizes.get(name);
    // Said before its bytes are taken in.
    if (right !== undefined && size !== right) throw new Error(`${name}: ${right} bytes expected, got ${size}`);
    return right !== undefined;
  };
  try {
    const tar = ReadableStream.from(gunzip(path, largest)) as globalThis.ReadableStream<Uint8Array>;
    for (const { header, data } of await unpackTar(tar, { filter: wanted })) if (data) members.set(header.name, data);
    for (const name of sizes.keys()) if (!members.has(name)) throw new Error(`${name} expected, got no such file`);
  } catch (error) {
    throw new DataError(`${path}: could not be unpacked: ${message(error)}`, { cause: error });
  }
  return members;
}

async function* gunzip(path: string, largest: number): AsyncGenerator<Uint8Array> {
  const chunks = createGunzip();
  // Its failure is the one that reading `chunks` throws.
  pipeline(createReadStream(path), chunks).catch(() => {});
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > largest) throw new Error(`at most ${largest} bytes expected, got more`);
    yield chunk;
  }
}
