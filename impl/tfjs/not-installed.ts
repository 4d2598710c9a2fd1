/** Thrown where there is nothing to load: no package, or no driver. */
export class NotInstalled extends Error {}

/** Whether the package itself is missing; a file missing inside of an installed one means that it is broken. */
export function isMissing(name: string, error: unknown): boolean {
  const { code, message = '' } = error as { code?: unknown; message?: string };
  if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') return false;
  return message.startsWith(`Cannot find module '${name}'`) || message.startsWith(`Cannot find package '${name}'`);
}
