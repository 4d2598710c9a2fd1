import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

/** The built command; `npm test` builds it first. */
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const vectors = fileURLToPath(new URL('../fixtures/v1', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'poolproof-fixtures-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string, args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  // Messages are wrapped.
  return { code: status, out: stdout, err: stderr };
}
const fixtures = (...args: string[]) => run(process.execPath, [main, 'fixtures', ...args]);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** How many vectors the groups hold. */
function vectorsOf(...groups: string[]): number {
  const { files } = JSON.parse(readFileSync(join(vectors, 'manifest.json'), 'utf8'));
  const entriesOf = (path: string): number => files.find((file: { path: string }) => file.path === path).entries;
  return groups.reduce((sum, group) => sum + entriesOf(`${group}.json`), 0);
}
const groups = ['core', 'edge', 'sharing', 'broadcast', 'constraints', 'contraction'];

/** A copy of the vectors with one text replaced by another and a manifest that has its new SHA-256. */
function forged(name: string, file: string, from: string, to: string): string {
  const path = join(folder, name);
  cpSync(vectors, path, { recursive: true });
  const text = readFileSync(join(path, file), 'utf8');
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  writeFileSync(join(path, file), changed);
  const manifest = readFileSync(join(path, 'manifest.json'), 'utf8');
  writeFileSync(join(path, 'manifest.json'), manifest.replace(sha256(text), sha256(changed)));
  return path;
}

describe('poolproof fixtures list', () => {
  it('prints all groups in 80 columns', () => {
    const { code, out } = fixtures('list');
    expect(code).toBe(0);
    for (const group of groups) {
      expect(out).toMatch(new RegExp(`^${group}: \\d+$`, 'm'));
    }
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('chooses by group, dtype and all of the flags', () => {
    const { out } = fixtures('list', '--group', 'edge', '--dtype', 'f32,f16', '--flag', 'nan,unit');
    expect(out).toContain('  nan                            f32 f16           nan unit free\n');
    expect(out).not.toContain('nan-alone');
    expect(out).toContain('in all: 6');
  });

  it.each([
    [['list', '--flag', 'nans'], 2, 'got "nans"'],
    [['list', '--group', 'smoke'], 2, 'got "smoke"'],
    [['list', '--group', 'sharing', '--flag', 'nan'], 5, 'got none'],
    [['list', '--fixtures', 'absent'], 4, 'can not be trusted'],
    [['lists'], 2, "unknown command 'lists'"],
    [['export', '--format', 'csv', '--out', 'csv'], 2, 'Expected onnx, npy, c'],
    [['export', '--format', 'c'], 2, "required option '--out <folder>'"],
    [['copy', '--out', '/proc/vectors'], 4, 'could not be written'],
  ] as const)('%j ends with %d', (args, code, message) => {
    expect(fixtures(...args)).toEqual({ code, out: '', err: expect.stringContaining(message) });
  });
});

describe('poolproof fixtures validate', () => {
  it('finds every byte as it is made', { timeout: 300_000 }, () => {
    expect(fixtures('validate')).toEqual({
      code: 0,
      out: expect.stringContaining('every byte is as it is made'),
      err: '',
    });
  });

  it('finds an expectation that is altered together with its manifest', () => {
    const path = forged(
      'altered',
      'edge.json',
      '"dx":{"value":{"dtype":"f64","shape":[5],"hex":"0',
      '"dx":{"value":{"dtype":"f64","shape":[5],"hex":"8',
    );
    const { code, err } = fixtures('validate', '--fixtures', path);
    expect(code).toBe(4);
    expect(err).toContain('edge/kink/f64: "dx" is not what exact arithmetic expects');
  });

  it('finds an altered byte', () => {
    const path = join(folder, 'byte');
    cpSync(vectors, path, { recursive: true });
    writeFileSync(join(path, 'smoke.json'), readFileSync(join(path, 'smoke.json'), 'utf8').replace('vjp', 'vpj'));
    expect(fixtures('validate', '--fixtures', path).err).toContain('smoke.json: expected sha256');
  });
});

it('poolproof fixtures copy copies all that the manifest has, once', () => {
  const out = join(folder, 'copy');
  expect(fixtures('copy', '--out', out).code).toBe(0);
  expect(readdirSync(out)).toEqual(readdirSync(vectors));
  for (const file of readdirSync(out)) expect(readFileSync(join(out, file))).toEqual(readFileSync(join(vectors, file)));
  const again = fixtures('copy', '--out', out);
  expect(again.code).toBe(2);
  expect(again.err).toContain(`got one with ${readdirSync(vectors).length} entries; it is left as it is`);
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
});

it('poolproof fixtures export npy writes what NumPy reads', () => {
  const out = join(folder, 'npy');
  const { code, out: said } = fixtures('export', '--format', 'npy', '--out', out, '--group', 'constraints');
  const count = vectorsOf('constraints');
  expect([code, said]).toEqual([0, expect.stringContaining(`${count} of ${count} vectors as npy in `)]);
  const array = (path: string) => {
    const bytes = readFileSync(join(out, 'constraints', path));
    const end = 10 + bytes.readUInt16LE(8);
    expect([bytes.toString('latin1', 0, 8), end % 64]).toEqual(['\x93NUMPY\x01\x00', 0]);
    return { header: bytes.toString('latin1', 10, end).trimEnd(), elements: bytes.subarray(end) };
  };
  const x = array('sum-to-one/f32/x.npy');
  expect(x.header).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }");
  expect([...new Float32Array(Uint8Array.from(x.elements).buffer)]).toEqual([3, -1]);
  expect(array('sum-to-one-of-one/bf16/alpha.npy').header).toContain("'<u2', 'fortran_order': False, 'shape': (0,)");
  expect(existsSync(join(out, 'constraints/fixed/f64/dalpha.npy'))).toBe(false);
  expect([...new Float64Array(Uint8Array.from(array('clip-inside/f64/bounds.npy').elements).buffer)]).toEqual([1, 2]);
  const described = JSON.parse(readFileSync(join(out, 'constraints/sum-to-one/bf16/case.json'), 'utf8'));
  expect(described).toMatchObject({ id: 'constraints/sum-to-one/bf16', elements: 'bfloat16 as uint16' });
});

/** Forward only, float64, by layer; `-DWRONG` has the bug step(0) = 1. */
const runner = `#include <stdio.h>
#include <string.h>
#include "poolproof_vectors.h"

static double at(const poolproof_tensor *t, size_t i) {
  double v;
  memcpy(&v, (const uint64_t *)t->bits + i, sizeof v);
  return v;
}

static int right(const poolproof_expected *e, size_t i, double v) {
  double lo = at(&e->lo, i), hi = at(&e->hi, i);
  for (size_t k = 0; k < e->open_size; k++) if (e->open[k] == i) return 1;
  for (size_t k = 0; k < e->or_non_finite_size; k++) if (e->or_non_finite[k] == i && v - v != 0) return 1;
  return lo != lo ? v != v : lo <= v && v <= hi;
}

static double f(poolproof_branch branch, double x) {
#ifdef WRONG
  if (branch == POOLPROOF_STEP && x == 0) return 1;
#endif
  if (x != x) return x;
  if (branch == POOLPROOF_RELU) return x > 0 ? x : 0;
  return x > 0;
}

int main(void) {
  int checked = 0, wrong = 0;
  for (size_t k = 0; k < POOLPROOF_VECTORS; k++) {
    const poolproof_vector *v = &poolproof_vectors[k];
    int simple = v->dtype == POOLPROOF_F64 && v->sharing == POOLPROOF_LAYER && v->constraint == POOLPROOF_FREE;
    for (size_t b = 0; b < v->n; b++) simple &= v->branches[b] <= POOLPROOF_STEP;
    for (size_t i = 0; simple && i < v->x.size; i++) {
      double y = 0;
      for (size_t b = 0; b < v->n; b++) y += at(&v->alpha, b) * f(v->branches[b], at(&v->x, i));
      wrong += !right(&v->y, i, y);
      checked++;
    }
  }
  printf("%d elements checked\\n", checked);
  return wrong > 0;
}
`;

const hasGcc = run('gcc', ['--version']).code === 0;
it.skipIf(!hasGcc)('poolproof fixtures export c compiles, passes a right pool and fails a wrong one', () => {
  const out = join(folder, 'c');
  const count = vectorsOf(...groups);
  expect(fixtures('export', '--format', 'c', '--out', out).out).toContain(`${count} of ${count} vectors as c in `);
  writeFileSync(join(out, 'runner.c'), runner);
  for (const [flags, code] of [
    [[], 0],
    [['-DWRONG'], 1],
  ] as const) {
    const strict = ['-std=c99', '-Wall', '-Wextra', '-pedantic', '-Werror'];
    expect(run('gcc', [...strict, ...flags, '-o', join(out, 'runner'), join(out, 'runner.c')])).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    const { code: got, out: said } = run(join(out, 'runner'), []);
    expect(got).toBe(code);
    expect(Number.parseInt(said, 10)).toBeGreaterThan(500);
  }
});

/** ONNX's own runner on its own evaluator; `wrong` has the bug step(0) = 1. */
const onnxRunner = `
import os, sys, unittest
import onnx
from onnx.backend.base import Backend, BackendRep
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner
from onnx.reference import ReferenceEvaluator

folder, which = sys.argv[1:]

class Evaluator(BackendRep):
    def __init__(self, model):
        self.evaluator = ReferenceEvaluator(model)

    def run(self, inputs, **_):
        return self.evaluator.run(None, dict(zip(self.evaluator.input_names, inputs)))

class Evaluators(Backend):
    @classmethod
    def prepare(cls, model, device='CPU', **_):
        onnx.checker.check_model(model, full_check=True)
        for node in model.graph.node:
            if which == 'wrong' and node.op_type == 'Greater':
                node.op_type = 'GreaterOrEqual'
        return Evaluator(model)

    @classmethod
    def supports_device(cls, device):
        return device == 'CPU'

runner = Runner(Evaluators)
runner._test_items.clear()
for test in load_model_tests(os.path.dirname(folder), os.path.basename(folder)):
    runner._add_model_test(test, 'Pool')
result = unittest.TextTestRunner(stream=open(os.devnull, 'w')).run(runner.test_suite)
print(result.testsRun - len(result.skipped), len(result.failures), len(result.errors))
`;

describe('poolproof fixtures export onnx', () => {
  const out = join(folder, 'onnx');

  it("has ONNX's layout, and says what it left out", () => {
    const { code, out: said } = fixtures(
      'export',
      '--format',
      'onnx',
      '--out',
      out,
      '--group',
      'edge,contraction,constraints',
    );
    expect(code).toBe(0);
    expect(said).toContain(` of ${vectorsOf('edge', 'contraction', 'constraints')} vectors as onnx in `);
    const leftOut: Record<string, string[]> = JSON.parse(readFileSync(join(out, 'left-out.json'), 'utf8'));
    for (const [reason, what] of Object.entries(leftOut)) {
      expect(said.replace(/\n */g, ' ')).toContain(`left out ${what.length} (left-out.json): ${reason}`);
    }
    expect(Object.values(leftOut).flat()).toContain('contraction/order/f64 dalpha');
    expect(readdirSync(join(out, 'test_edge_kink_f64')).sort()).toEqual(['data.json', 'model.onnx', 'test_data_set_0']);
    expect(readdirSync(join(out, 'test_edge_kink_f64/test_data_set_0')).sort()).toEqual(
      [...['x', 'alpha', 'dy'].keys()].flatMap((i) => [`input_${i}.pb`, `output_${i}.pb`]).sort(),
    );
    expect(JSON.parse(readFileSync(join(out, 'test_edge_kink_f64/data.json'), 'utf8'))).toEqual({ rtol: 0, atol: 0 });
  });

  const python = process.env.POOLPROOF_PYTHON ?? 'python3';
  const hasOnnx = run(python, ['-c', 'import onnx.reference, ml_dtypes']).code === 0;
  it.skipIf(!hasOnnx)("passes in ONNX's backend tests, and a wrong pool fails", { timeout: 180_000 }, () => {
    const [count] = fixtures('list', '--group', 'edge', '--dtype', 'f32').out.match(/\d+$/m)!;
    const few = join(folder, 'few');
    fixtures('export', '--format', 'onnx', '--out', few, '--group', 'edge,constraints', '--dtype', 'f32');
    const tests = (which: string) =>
      run(python, ['-W', 'ignore', '-c', onnxRunner, few, which]).out.trim().split(' ').map(Number);
    const [ran, ...wrong] = tests('right');
    expect(ran).toBeGreaterThan(Number(count));
    expect(wrong).toEqual([0, 0]);
    expect(tests('wrong')[1]).toBeGreaterThan(3);
  });
});
