/** How errors about arguments show what came: they must never fail themselves, whatever it was. */

/** The kind of a value: `null`, `a Float32Array`, `an object`, `string`. */
export function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  if (Array.isArray(value)) return 'an array';
  const name = value.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? `a ${name}` : 'an object';
}

/** A value in a few characters: `"relu"`, `[1, undefined]`, `Symbol(a)`, `an object`. */
export function shown(value: unknown): string {
  const text = Array.isArray(value)
    ? `[${Array.from(value.slice(0, 20), shown).join(', ')}]`
    : typeof value === 'string'
      ? JSON.stringify(value)
      : typeof value === 'object' && value !== null
        ? kindOf(value)
        : String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
