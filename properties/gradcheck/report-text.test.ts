import { expect, it } from 'vitest';
import type { Differentiable, Shapes } from './differentiable.ts';
import { gradcheck } from './gradcheck.ts';
import { elementwise, elementwiseLayer } from './layers-for-tests.ts';
import type { GradcheckReport, InputReport } from './report.ts';
import { describeGradcheckFailure, gradcheckText } from './report-text.ts';

const spread = (size: number) => Float64Array.from({ length: size }, (_, k) => Math.sin(k + 1));

it('a report has at most 40 lines of 80 columns, whatever failed', async () => {
  const wrong = elementwiseLayer('a name that is not short', { f: Math.tanh, df: () => 0.123456789 });
  const report = await gradcheck(wrong, { x: spread(40) }, { structure: { x: 'elementwise' } });
  expect(report.failures.length).toBeGreaterThan(1);
  const input = report.inputs[0];
  const many: GradcheckReport = {
    ...report,
    inputs: new Array<InputReport>(10).fill(input),
    failures: new Array(20).fill(report.failures[0]),
  };
  for (const of of [report, many]) {
    const lines = gradcheckText(of).split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80);
  }
  expect(gradcheckText(many)).toMatch(/\n… and 12 more\n/);
  expect(gradcheckText(many)).toMatch(/… and \d+ more lines$/);
  // Nothing is lost where it is wrapped.
  const text = gradcheckText(report).replaceAll(/\n +/g, ' ');
  // An input is said to be wrong once, whatever the dy, and before all else.
  const ofGradient = report.failures.filter(({ code }) => code === 'gradient');
  expect(ofGradient).toMatchObject([{ what: 'vjp' }, { what: expect.stringMatching(/^vjp of another dy/) }]);
  expect(text).toContain(`FAIL ${describeGradcheckFailure(report.failures[0])}; of another dy too`);
  expect(text.match(/FAIL /g)).toHaveLength(report.failures.length - 1);
  expect(text.indexOf('FAIL ')).toBeLessThan(text.indexOf('dx [40]'));
});

it('a word that is too long is left whole', async () => {
  const name = 'x'.repeat(100);
  const report = await gradcheck(elementwiseLayer(name, elementwise.relu), { x: spread(3) });
  expect(gradcheckText(report)).toContain(name);
});

it('says that all is vacuous, where it is', async () => {
  const relu = elementwiseLayer('relu', elementwise.relu);
  expect(gradcheckText(await gradcheck(relu, { x: new Float64Array(3) }))).toContain('\nVACUOUS: ');
  expect(gradcheckText(await gradcheck(relu, { x: Float64Array.of(0, 1) }))).not.toContain('VACUOUS');
});

it('tells directions from elements, and errors that are absolute from relative ones', async () => {
  const n = 100;
  const sum = (slope: number) => ({
    forward: ({ x }: Readonly<Record<string, Float64Array>>) => Float64Array.of(x.reduce((a, v) => a + v * v, 0)),
    vjp: ({ x }: Readonly<Record<string, Float64Array>>, dy: Float64Array) => ({
      x: x.map((v) => slope * v * dy[0]),
    }),
  });
  const right = gradcheckText(await gradcheck(sum(2), { x: spread(n) }));
  expect(right).toMatch(/dx \[100\]: 100 elements along 4 random directions, 0 about kinks alone;/);
  expect(right).toMatch(/worst direction [1-4]: analytic/);
  expect(right).toMatch(/sees an error in one element alone from \S+ \(half of them\), \S+ \(all\)/);
  expect(right).toContain('checked: gradient of x along directions;');
  const wrong = gradcheckText(await gradcheck(sum(2.1), { x: spread(n) }));
  expect(wrong).toMatch(/FAIL <dx, direction [1-4]> of vjp is /);
  expect(wrong).toMatch(/4 of 4\s+products\s+wrong/);
});

it('warns where more than 5 % of the elements are left open', async () => {
  const cbrt = elementwiseLayer('cbrt', { f: Math.cbrt, df: (x) => 1 / (3 * Math.cbrt(x) ** 2) });
  const { jvp: _, ...f } = cbrt;
  const text = async (size: number) => gradcheckText(await gradcheck(f, { x: spread(size).with(0, 0) }));
  expect(await text(10)).toContain('\nWARNING: 1 of 10 elements were left open, and may be wrong\n');
  expect(await text(20)).not.toContain('WARNING');
});

it('says to declare a structure by which 0 was measured, where it was only found', async () => {
  const wrong = elementwiseLayer('flat', { f: () => 3, df: () => 1 });
  const x = spread(4);
  const hint = 'measured by the structure that was found, which may be another: declare the structure';
  const flat = (report: GradcheckReport) => gradcheckText(report).replaceAll(/\n +/g, ' ');
  expect(flat(await gradcheck(wrong, { x }))).toContain(hint);
  expect(flat(await gradcheck(wrong, { x }, { structure: { x: 'elementwise' } }))).not.toContain(hint);
  const doubled = elementwiseLayer('doubled', { f: (v) => v, df: () => 2 });
  expect(flat(await gradcheck(doubled, { x }))).not.toContain(hint);
});

it('says where it is wrong, and the derivative without dy', async () => {
  const scaled = (factor: number) => elementwiseLayer('scaled', { f: (v) => v, df: () => factor });
  const x = Float64Array.of(-0, 3);
  const text = async (factor: number, dy: Float64Array, shapes: Shapes = { x: [1, 2], y: [1, 2] }) =>
    gradcheckText(await gradcheck(scaled(factor), { x }, { dy, shapes })).replaceAll(/\n +/g, ' ');
  const dy = Float64Array.of(0, -0.625);
  const wrong = await text(1.001, dy);
  expect(wrong).toContain('(1 of 2 elements wrong); x[0, 1] = 3, dy -0.625: derivative 1.001, measured 1');
  expect(wrong).toContain('worst [0, 1] = 3, dy -0.625: analytic -0.62562');
  expect(await text(1 + 2e-8, dy)).toContain('dy -0.625: derivative 1.00000002, measured 1');
  const none = await text(Number.NaN, Float64Array.of(0, 0));
  expect(none).toContain('; x[0, 0] = -0, dy 0');
  expect(none).not.toContain('derivative NaN');
  // Of several outputs there is no one dy.
  const sums: Differentiable = {
    forward: ({ x: v }) => Float64Array.of(v[0] + v[1], v[0] - v[1]),
    vjp: ({ x: v }, d) => ({ x: v.map(() => 3 * d[0]) }),
  };
  const both = await gradcheck(sums, { x }, { structure: { x: 'dense' } });
  expect(both.failures[0]).toMatchObject({ at: expect.any(Number) });
  expect(both.failures[0]).not.toHaveProperty('dy');
  expect(gradcheckText(both).replaceAll(/\n +/g, ' ')).toMatch(/wrong\); x\[\d\] = (-0|3)(; of another dy too)?\n/);
});
