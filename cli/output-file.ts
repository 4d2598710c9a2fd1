import { randomUUID } from 'node:crypto';
import { mkdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { writeWhole } from '../experiments/data/download.ts';

/**
 * The name of a file to be written, for commander. Its folder is made and tried at once: an hour of checking must not
 * end in a report that can't be kept. What was made is taken away again, since the other arguments may be wrong.
 */
export function parseFile(text: string): string {
  const made: string[] = [];
  try {
    const existing = statSync(text, { throwIfNoEntry: false });
    if (text === '' || existing?.isDirectory()) throw new Error('a folder');
    if (existing && !existing.isFile()) return text;
    makeFolder(dirname(resolve(text)), made);
    const trial = `${text}.${randomUUID()}.part`;
    writeFileSync(trial, '');
    rmSync(trial);
  } catch (error) {
    throw new InvalidArgumentError(`Expected the name of a file that can be written: ${(error as Error).message}`);
  } finally {
    for (const folder of made.reverse()) removeEmpty(folder);
  }
  return text;
}

/**
 * Adds to `made` what it makes; step by step, because Node's recursive one never returns from folders that can't be made,
 * such as those in /proc.
 */
export function makeFolder(path: string, made: string[] = []): void {
  if (statSync(path, { throwIfNoEntry: false })) return;
  makeFolder(dirname(path), made);
  mkdirSync(path);
  made.push(path);
}

/** Leaves a folder that another process has put a file into. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

/** Writes a file that `parseFile` accepted: whole or not at all, but to a device or a pipe as it comes. */
export async function writeOutput(path: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing && !existing.isFile()) await writeFile(path, bytes);
  else await writeWhole(path, bytes);
}
