import { expect, it } from 'vitest';
import { complaint } from './complain.ts';

it('on a terminal a message is wrapped at 80 columns, its lines after the first indented; words stay whole', () => {
  const word = 'a'.repeat(90);
  expect(complaint('error: short\n', true)).toBe('error: short\n');
  expect(
    complaint(`error: ${'abc '.repeat(30)}`, true)
      .split('\n')
      .map((line) => line.length),
  ).toEqual([78, 49, 0]);
  expect(complaint(`error: ${'abc '.repeat(30)}`, true)).toMatch(/^error: abc[^\n]*\n {2}abc/);
  expect(complaint(`error: ${word} b`, true)).toBe(`error:\n  ${word} b\n`);
});

it('elsewhere its lines stay as they are', () => {
  const message = `error: ${'abc '.repeat(30)}\nline two`;
  expect(complaint(message, false)).toBe(`${message}\n`);
});

it('a long message is cut, with how much is left out', () => {
  const words = complaint('error: '.padEnd(1000, 'no '), true).trimEnd().split('\n');
  expect(words).toHaveLength(11);
  expect(words[10]).toMatch(/^… and \d+ more lines$/);
  const lines = complaint('line\n'.repeat(30), false).trimEnd().split('\n');
  expect(lines).toEqual([...new Array(10).fill('line'), '… and 20 more lines']);
  expect(complaint('a'.repeat(1000), false)).toBe(`${'a'.repeat(800)}… and 200 more characters\n`);
});
