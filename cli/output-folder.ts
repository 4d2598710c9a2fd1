import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { makeFolder } from './output-file.ts';

/** The name of a folder to be made, for commander: nothing may be there but an empty folder. */
export function parseFolder(text: string): string {
  const existing = text === '' ? undefined : statSync(text, { throwIfNoEntry: false });
  if (text === '' || (existing && !existing.isDirectory())) {
    throw new InvalidArgumentError(`Expected the name of a folder, got ${text === '' ? 'nothing' : 'a file'}.`);
  }
  const count = existing ? readdirSync(text).length : 0;
  if (count === 0) return text;
  throw new InvalidArgumentError(
    `Expected a new or an empty folder, got one with ${count} entries; it is left as it is.`,
  );
}

/** Writes files by their paths into a folder that `parseFolder` accepted: the whole folder or nothing. */
export function writeFolder(path: string, files: ReadonlyMap<string, string | Uint8Array>): void {
  const folder = resolve(path);
  const part = `${folder}.${randomUUID()}.part`;
  try {
    for (const [name, content] of files) {
      makeFolder(dirname(join(part, name)));
      writeFileSync(join(part, name), content);
    }
    // Takes the place of an empty folder, and fails for one that is no longer empty.
    renameSync(part, folder);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
