import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { againLine } from './again.ts';
import { badgeOf } from './badge.ts';
import { certificateOf, differences, digestOf, parseCertificate } from './certificate.ts';
import { junitXml } from './junit.ts';
import { certificationPage } from './page.ts';
import { failedReportOf, nasty, reportOf, texts } from './report-for-tests.ts';

describe('what a subject says', () => {
  it('is text on the page, never markup', () => {
    const tags = (html: string) => [...parseHTML(html).document.querySelectorAll('*')].map(({ tagName }) => tagName);
    const plain = tags(certificationPage(failedReportOf('x')));
    expect(plain).not.toContain('SCRIPT');
    const check = (text: string) => {
      const page = certificationPage(failedReportOf(text));
      expect(tags(page)).toEqual(plain);
    };
    fc.assert(fc.property(texts, check), { numRuns: 60, examples: nasty.map((text) => [text]) });
  });

  it('can be asked again by a line of the page', () => {
    expect(certificationPage(failedReportOf('x'))).toMatch(/<pre>npx poolproof certify --profile .* --only .* -- /);
    expect(certificationPage(reportOf('x'))).not.toContain('npx poolproof certify');
    expect(againLine({ ...failedReportOf('x'), fixtures: 'my vectors' })).toContain(" --fixtures 'my vectors' --only ");
    expect(againLine({ ...failedReportOf('x'), timeout: 500 })).toContain(' --timeout 500 --only ');
  });

  it('is well-formed XML with as many failures as the report', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const xml = junitXml(failedReportOf(text));
        expect(xml.match(/<failure /g)?.length).toBe(2);
        expect(xml.match(/<error /g)?.length).toBe(2);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in XML
        expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
        expect(
          xml.replace(/<\?xml[^?]*\?>|<\/?[a-z-]+(?: [a-z]+="[^"<]*")*\/?>|<!\[CDATA\[[\s\S]*?\]\]>/g, ''),
        ).not.toMatch(/[<]/);
      }),
      { examples: nasty.map((text) => [text]) },
    );
  });
});

it('a badge is green for what can be certified only, and says how much was asked', () => {
  const whole = reportOf('x');
  expect(badgeOf(whole)).toMatchObject({
    schemaVersion: 1,
    message: expect.stringMatching(/^training \d+\.\d+\.\d+, 1,000 fresh cases$/),
    color: 'brightgreen',
  });
  const own = { ...whole.suite, own: true };
  expect(badgeOf(reportOf('x', { suite: own })).message).toBe('training, own vectors, 1,000 fresh cases');
  for (const [more, message] of [
    [{ runs: 0 }, /, 0 fresh cases$/],
    [{ profile: 'challenge', runs: 1 }, /^challenge .*, 1 fresh case$/],
    [{ profile: 'smoke', runs: 0 }, /^smoke /],
    [{ knownFailing: ['core/tail/f64'] }, /, 1 known to fail$/],
  ] as const) {
    expect(badgeOf(reportOf('x', more))).toMatchObject({
      message: expect.stringMatching(message),
      color: 'lightgrey',
    });
  }
  expect(badgeOf(failedReportOf('x'))).toMatchObject({ message: 'broke the protocol', color: 'red' });
});

describe('a certificate', () => {
  it('is canonical: neither clock, nor command, nor order of keys changes it', () => {
    const certificate = certificateOf(reportOf('x'));
    const later = certificateOf(
      reportOf('x', { milliseconds: 2, command: ['y'], errors: { histogram: [], worst: [] } }),
    );
    expect(later).toEqual(certificate);
    const { core, id } = certificate.predicate;
    expect(digestOf(Object.fromEntries(Object.entries(core).reverse()))).toBe(id);
  });

  it('of which any part is altered is refused', () => {
    const certificate = certificateOf(reportOf('x'));
    const text = JSON.stringify(certificate);
    expect(parseCertificate(text)).toEqual(certificate);
    for (const [from, to] of [
      ['"runs":1000', '"runs":2000'],
      ['"f64"', '"f16"'],
      [certificate.predicate.id, '0'.repeat(64)],
      [certificate.subject[0].digest.sha256, '0'.repeat(64)],
    ] as const) {
      expect(text).toContain(from);
      expect(() => parseCertificate(text.replace(from, to))).toThrow(/altered: its (core|subject) has the/);
    }
    expect(() => parseCertificate('{}')).toThrow("expected a certificate: must have required property '_type'");
    expect(() => parseCertificate('null')).toThrow('expected a certificate: must be object');
    expect(() => parseCertificate('{')).toThrow('expected a certificate as JSON');
  });

  it('outside of its core is compared too, and its form before anything is run', () => {
    const certificate = certificateOf(reportOf('x'));
    const { subject, predicate } = certificate;
    const renamed = { ...certificate, subject: [{ ...subject[0], name: 'other 2' }] as const };
    expect(parseCertificate(JSON.stringify(renamed))).toEqual(renamed);
    expect(differences(renamed, reportOf('x'))).toEqual([expect.stringMatching(/^subject: was .*other 2.*, is /)]);
    /** With an id that is right. */
    const withCore = (more: object) => {
      const core = { ...predicate.core, ...more };
      return { ...certificate, predicate: { id: digestOf(core), core } };
    };
    const { announcement: _, ...silent } = predicate.core;
    for (const [altered, message] of [
      [{ ...certificate, predicateType: 'urn:other' }, '/predicateType must be equal to constant'],
      [{ ...certificate, predicate: { ...predicate, note: '' } }, '/predicate must NOT have additional properties'],
      [{ ...certificate, subject: [...subject, ...subject] }, '/subject must NOT have more than 1 items'],
      [withCore({ profile: '__proto__' }), '/predicate/core/profile must be equal to one of the allowed values'],
      [withCore({ runs: -5 }), '/predicate/core/runs must be >= 1000'],
      [withCore({ runs: 'x' }), '/predicate/core/runs must be integer'],
      [
        { ...certificate, predicate: { id: digestOf(silent), core: silent } },
        "/predicate/core must have required property 'announcement'",
      ],
    ] as const) {
      expect(() => parseCertificate(JSON.stringify(altered))).toThrow(`expected a certificate: ${message}`);
    }
  });

  it('is not given for a part, nor is a green badge', () => {
    const part = reportOf('x', { only: ['challenge/f64/1'] });
    expect(() => certificateOf(part)).toThrow('no more is asked than challenge/f64/1');
    expect(certificationPage(part)).toContain('Asked alone: challenge/f64/1.');
    expect(badgeOf(part)).toMatchObject({ message: 'a part of it alone', color: 'lightgrey' });
  });

  it('is not given for fewer fresh Cases than are needed', () => {
    expect(() => certificateOf(reportOf('x', { runs: 999 }))).toThrow('--runs of at least 1000, got 999');
    expect(() => certificateOf(reportOf('x', { profile: 'smoke' }))).toThrow('the profile smoke asks no fresh cases');
  });

  it('of own vectors says so', () => {
    const own = { ...reportOf('x').suite, own: true };
    expect(certificateOf(reportOf('x', { suite: own })).predicate.core.suite.own).toBe(true);
  });

  it('is not given where something is known to fail', () => {
    expect(() => certificateOf(reportOf('x', { knownFailing: ['core/tail/f64'] }))).toThrow(
      'known to fail: core/tail/f64',
    );
  });
});
