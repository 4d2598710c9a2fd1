import fc from 'fast-check';
import { expect, it } from 'vitest';
import { failedReportOf, nasty, reportOf, texts } from '../certification/report-for-tests.ts';
import { certificationText } from './certification-text.ts';

it('what a subject says gives no order to a terminal', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const lines = certificationText(failedReportOf(text)).split('\n');
      expect(lines.filter((line) => /[\p{Cc}\p{Bidi_Control}]/u.test(line))).toEqual([]);
    }),
    { examples: nasty.map((text) => [text]) },
  );
});

it('fits into 80 columns, but for the line to paste, which is whole', () => {
  for (const report of [reportOf('x'.repeat(30)), failedReportOf('a sentence of some words '.repeat(8))]) {
    expect(
      certificationText(report)
        .split('\n')
        .filter((line) => line.length > 80 && !line.startsWith('again: ')),
    ).toEqual([]);
  }
  const report = { ...failedReportOf('x'), command: ['node', 'a'.repeat(50), 'b'.repeat(50)] };
  expect(certificationText(report)).toMatch(/^again: npx poolproof certify .* a{50} b{50}$/m);
});

it('ends with the verdict and its exit code', () => {
  expect(certificationText(reportOf('x'))).toMatch(/\nCONFORMS: 0\.0 s, exit code 0\n$/);
  expect(certificationText(failedReportOf('x'))).toMatch(/\nBROKE THE PROTOCOL: 0\.0 s, exit code 3\n$/);
});
