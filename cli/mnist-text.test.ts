import { expect, it } from 'vitest';
import { mnistText } from './mnist-text.ts';

it('keeps the lines of the reason for which MNIST was not run, each within 80 columns', () => {
  const reason = `train: not to be had from 2 sources; ${'a word '.repeat(9)}\n  https://one.example: failed\n  https://two.example: failed`;
  const lines = mnistText({ state: 'not run', reason }).split('\n');
  expect(lines.slice(-2)).toEqual(['  https://one.example: failed', '  https://two.example: failed']);
  expect(lines[0]).toMatch(/^MNIST: not run: train: not to be had/);
  for (const line of lines) expect([line, line.length <= 80 && line.trim() !== '']).toEqual([line, true]);
});
