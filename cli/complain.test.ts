import { expect, it } from 'vitest';
import { complaint } from './complain.ts';

it('a message is wrapped at 80 columns, its lines after the first indented; words stay whole', () => {
  const word = 'a'.repeat(90);
  expect(complaint('error: short\n')).toBe('error: short\n');
  expect(
    complaint(`error: ${'abc '.repeat(30)}`)
      .split('\n')
      .map((line) => line.length),
  ).toEqual([78, 49, 0]);
  expect(complaint(`error: ${'abc '.repeat(30)}`)).toMatch(/^error: abc[^\n]*\n {2}abc/);
  expect(complaint(`error: ${word} b`)).toBe(`error:\n  ${word} b\n`);
});

it('a long message is cut, with how many lines are left out', () => {
  const lines = complaint('error: '.padEnd(1000, 'no ')).trimEnd().split('\n');
  expect(lines).toHaveLength(11);
  expect(lines[10]).toMatch(/^… and \d+ more lines$/);
});
