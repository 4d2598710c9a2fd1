import { describe, expect, it } from 'vitest';
import { type Comparison, judge, verdictOf } from './claim.ts';
import { saidOf } from './measure-for-tests.ts';
import { verdictText } from './words.ts';

describe('a verdict', () => {
  const comparison = (part: string, outcome: Comparison['outcome'], protocol = 'p'): Comparison => ({
    protocol,
    part,
    what: '',
    n: [9],
    value: 1,
    interval: [0, 2],
    claimed: {},
    tests: [],
    outcome,
  });
  it('an interval holds within the region, fails outside, and is open across its end or of few values', () => {
    expect(judge([1, 2], { from: 1, to: 2 }, [5])).toBe('holds');
    expect(judge([1, 2], { to: 0.9 }, [5])).toBe('does not hold');
    expect(judge([1, 2], { from: 2.1 }, [5])).toBe('does not hold');
    expect(judge([1, 2], { from: 1.5 }, [5])).toBe('open');
    expect(judge([1, 2], { from: 1, to: 2 }, [5, 4])).toBe('open');
    expect(judge(undefined, {}, [5])).toBe('open');
  });

  it('a part holds only if all of its figures do', () => {
    const mixed = [comparison('a', 'holds'), comparison('a', 'does not hold'), comparison('b', 'holds')];
    expect(verdictOf(mixed, 'p', '')).toMatchObject({ kind: 'holds only where', where: ['b'] });
    expect(verdictOf([comparison('a', 'holds'), comparison('a', 'open')], 'p', '').kind).toBe('not decided yet');
  });

  it('is of the claim only if every part is decided', () => {
    const [holds, fails, open] = [comparison('a', 'holds'), comparison('b', 'does not hold'), comparison('c', 'open')];
    expect(verdictOf([holds, open], 'p', '')).toMatchObject({ kind: 'decided in part', holds: ['a'], open: ['c'] });
    expect(verdictOf([fails, open], 'p', '')).toMatchObject({ kind: 'decided in part', fails: ['b'], open: ['c'] });
    expect(verdictText(verdictOf([holds, fails, open], 'p', ''))).toBe(
      'decided in part on p: holds for a; does not hold for b; open: c',
    );
    const needed = () => ['a', 'd'];
    expect(verdictOf([holds], 'p', '', { needed })).toMatchObject({ kind: 'decided in part', open: ['d'] });
    expect(verdictOf([open], 'p', '', { needed }).kind).toBe('not decided yet');
    expect(verdictOf([], 'p', '', { needed }).kind).toBe('not measured yet');
    const elsewhere = [comparison('a', 'holds', 'q'), comparison('b', 'open', 'q'), holds];
    expect(saidOf(verdictOf(elsewhere, 'p', ''))).toEqual(['holds on p', 'decided in part: q']);
  });

  it('is that of the protocol that decides, whatever others give', () => {
    const others = [comparison('a', 'does not hold', 'q'), comparison('a', 'holds', 'r')];
    expect(verdictOf([...others, comparison('a', 'open')], 'p', '')).toMatchObject({
      kind: 'not decided yet',
      elsewhere: { holds: ['r'], 'does not hold': ['q'] },
    });
    expect(verdictOf(others, 'p', 'rows')).toMatchObject({ kind: 'not measured yet', missing: 'rows' });
  });
});
