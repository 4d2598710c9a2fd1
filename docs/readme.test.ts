import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, describe, expect, it } from 'vitest';
import { functionNames } from '../properties/expressions/parse.ts';
import { laws } from '../properties/laws.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = (file: string) => readFileSync(join(root, file), 'utf8');
const snippetsOf = (text: string) => [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, snippet]) => snippet);
const readme = page('README.md');
const snippets = snippetsOf(readme);

// Inside the project, so that `poolproof` names this package and is resolved to what was built.
const folder = mkdtempSync(join(root, 'dist', 'readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Type-checks a snippet against the built package, then runs it; its output. */
function run(name: string, text: string): string {
  return runNode(emit(name, text));
}

function runNode(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: folder });
  expect(status, stdout + stderr).toBe(0);
  return stdout;
}

/** Type-checks a snippet against the built package; the file of its JavaScript. */
function emit(name: string, text: string): string {
  const source = join(folder, `${name}.ts`);
  writeFileSync(source, `${text}\nexport {};\n`);
  const program = ts.createProgram([source], {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    skipLibCheck: true,
    types: ['node'],
  });
  const errors = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  expect(errors).toEqual([]);
  program.emit();
  return join(folder, `${name}.js`);
}

describe('README.md', () => {
  it('has a Subject whose bug is found', () => {
    const out = run('subject', `${snippets[0]}\n${snippets[1]}`);
    expect(out).toContain('kinks/one-sided failed');
    expect(out).toContain('y(0)[0]');
  });

  it('has a reference snippet that gives what its comments say', () => {
    const out = run(
      'reference',
      `${snippets[2]}\nconsole.log(...mreluForward(Float64Array.of(-1, 0, 2), 0.8), dx.length, dalpha.length);`,
    );
    expect(out.trim()).toBe('0 0 1.8 4 4');
  });

  it('has a TensorFlow.js snippet that runs', () => {
    const out = run('tfjs', `${snippets[3]}\nconsole.log(y.shape.join(), model.outputShape.join());`);
    expect(out).toContain('1,2');
    expect(out).toContain(',8');
  });

  it('says how many laws there are', () => {
    expect(readme).toContain(`checks ${laws.length} laws`);
    expect(snippets).toHaveLength(4);
  });
});

describe('docs/expressions.md', () => {
  const text = page('docs/expressions.md');

  it('has a snippet that gives what its comment says, and finds what is wrong', () => {
    const found = snippetsOf(text);
    expect(found).toHaveLength(1);
    const out = run('expressions', found[0]);
    expect(out).toContain('-0.5 4 0.25 2\n');
    expect(out).toContain('kinks/one-sided');
    expect(out).toContain('leaky');
  });

  it('names every function that may be written', () => {
    for (const name of functionNames) expect(text).toContain(`\`${name}\``);
  });
});

describe('docs/gradcheck.md', () => {
  const gradcheckPage = page('docs/gradcheck.md');
  const [layer, vitest, property] = snippetsOf(gradcheckPage);

  it('has a layer that passes', () => {
    expect(run('layer', layer)).toContain('gradcheck MReLU: passed');
  });

  it('has a Vitest test that passes', () => {
    emit('layer.test', vitest);
    writeFileSync(join(folder, 'vitest.config.js'), 'export default {};\n');
    const out = runNode(join(root, 'node_modules/vitest/vitest.mjs'), 'run', 'layer.test.js');
    expect(out).toContain('1 passed');
  });

  it('has a fast-check property that holds', () => {
    run('property', property);
  });

  it('has a command that passes', () => {
    const [, args] = /^npx poolproof (gradcheck .*)$/m.exec(gradcheckPage)!;
    const out = runNode(join(root, 'dist/cli/main.js'), ...args.split(' '));
    expect(out).toContain('gradcheck MReLU: passed');
  });
});
