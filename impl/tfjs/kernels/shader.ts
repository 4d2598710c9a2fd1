import type { Constraint } from '../../../reference/case.ts';
import { evaluator, type Formula, formulas, one, type Target, zero } from './formula.ts';
import type { PoolAttributes } from './kernel.ts';

/** Where GLSL ES 3.00 and WGSL differ. */
export interface Dialect {
  readonly float: string;
  readonly int: string;
  constant(type: string, name: string, value: string): string;
  variable(type: string, name: string, value: string): string;
  /** An array of zeros. */
  array(name: string, length: number): string;
  fn(
    result: string,
    name: string,
    parameters: readonly (readonly [type: string, name: string])[],
    body: string,
  ): string;
  select(condition: string, then: string, otherwise: string): string;
  powerOfTwo(k: string): string;
  /** A number that is given to the program beside its tensors. */
  uniform(name: string): string;
  /** An element of a flat input. */
  element(tensor: string, index: string): string;
}

export const glsl: Dialect = {
  float: 'float',
  int: 'int',
  constant: (type, name, value) => `${type} ${name} = ${value};`,
  variable: (type, name, value) => `${type} ${name} = ${value};`,
  array: (name, length) => `float ${name}[${length}];`,
  fn: (result, name, parameters, body) =>
    `${result} ${name}(${parameters.map((p) => p.join(' ')).join(', ')}) {\n${body}\n}`,
  select: (condition, then, otherwise) => `(${condition} ? ${then} : ${otherwise})`,
  powerOfTwo: (k) => `uintBitsToFloat(uint(int(${k}) + 127) << 23)`,
  uniform: (name) => name,
  element: (tensor, index) => `get${tensor}(${index})`,
};

export const wgsl: Dialect = {
  float: 'f32',
  int: 'i32',
  constant: (type, name, value) => `let ${name} : ${type} = ${value};`,
  variable: (type, name, value) => `var ${name} : ${type} = ${value};`,
  array: (name, length) => `var ${name} : array<f32, ${length}>;`,
  fn: (result, name, parameters, body) =>
    `fn ${name}(${parameters.map(([type, p]) => `${p} : ${type}`).join(', ')}) -> ${result} {\n${body}\n}`,
  select: (condition, then, otherwise) => `select(${otherwise}, ${then}, ${condition})`,
  powerOfTwo: (k) => `bitcast<f32>(u32(i32(${k}) + 127) << 23u)`,
  uniform: (name) => `uniforms.${name}`,
  element: (tensor, index) => `${tensor}[${index}]`,
};

/** A float literal of both languages. */
function literal(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Lines that compute formulas at the variable `x`, and the names of what they compute. */
class Lines {
  readonly lines: string[] = [];
  readonly dialect: Dialect;
  readonly of: (formula: Formula) => string;

  constructor(dialect: Dialect) {
    this.dialect = dialect;
    const keep = (value: string) => this.keep(value);
    const target: Target<string> = {
      x: 'x',
      constant: literal,
      negate: (a) => keep(`-${a}`),
      absolute: (a) => keep(`abs(${a})`),
      // Where k + 1/2 is an integer either neighbour serves.
      nearest: (a) => keep(`floor(${a} + 0.5)`),
      powerOfTwo: (a) => keep(dialect.powerOfTwo(a)),
      add: (a, b) => keep(`${a} + ${b}`),
      subtract: (a, b) => keep(`${a} - ${b}`),
      multiply: (a, b) => keep(`${a} * ${b}`),
      divide: (a, b) => keep(`${a} / ${b}`),
      maximum: (a, b) => keep(`max(${a}, ${b})`),
      ifPositive: (a, b, c) => keep(dialect.select(`${a} > 0.0`, b, c)),
    };
    this.of = evaluator(target);
  }

  keep(value: string): string {
    const name = `t${this.lines.length}`;
    this.lines.push(this.dialect.constant(this.dialect.float, name, value));
    return name;
  }
}

/**
 * Code of the kernels of a pool, in terms of functions that `gpu.ts` supplies: `alphaAt(row, b)`, `xAt(a, b, c)` and
 * `dyAt(a, b, c)`, or `termAt(k, i, b)` in place of the last two where sums go on from partial ones.
 */
export class PoolShader {
  readonly #pool: Pick<PoolAttributes, 'branches' | 'constraint'>;
  readonly #dialect: Dialect;
  readonly #rows: number;

  constructor(dialect: Dialect, pool: Pick<PoolAttributes, 'branches' | 'constraint'>) {
    this.#dialect = dialect;
    this.#pool = pool;
    this.#rows = pool.branches.length - (pool.constraint.kind === 'sumToOne' ? 1 : 0);
  }

  /** `float poolValue(float x, int b)`: `y = Σ cᵢ fᵢ(x)`. */
  value(): string {
    const lines = new Lines(this.#dialect);
    const c = this.#coefficients(lines);
    const terms = this.#pool.branches.map((name, i) => `${c[i]} * ${lines.of(formulas[name].value)}`);
    return this.#function('poolValue', [...lines.lines, this.#returnUnlessNaN(terms.join(' + '))]);
  }

  /** `float poolSlope(float x, int b)`: `Σ cᵢ fᵢ′(x)`. */
  slope(): string {
    const lines = new Lines(this.#dialect);
    const c = this.#coefficients(lines);
    const terms = this.#pool.branches.flatMap((name, i) => {
      const { derivative } = formulas[name];
      if (derivative === zero) return [];
      return [derivative === one ? c[i]! : `${c[i]} * ${lines.of(derivative)}`];
    });
    return this.#function('poolSlope', [...lines.lines, `return ${terms.join(' + ') || '0.0'};`]);
  }

  /** `float termAt(int k, int i, int b)`: `fᵢ(x)·dy` of the k-th element that uses coefficient b. */
  terms(): string {
    const { int, float, constant, uniform, fn } = this.#dialect;
    const cases = this.#pool.branches.map((name, i) => {
      const lines = new Lines(this.#dialect);
      const f = lines.of(formulas[name].value);
      return `if (i == ${i}) {\n${[...lines.lines, this.#returnUnlessNaN(`${f} * dy`)].join('\n')}\n}`;
    });
    const body = [
      constant(int, 'a', `k / ${uniform('sizeC')}`),
      constant(int, 'c', `k - a * ${uniform('sizeC')}`),
      constant(float, 'x', 'xAt(a, b, c)'),
      constant(float, 'dy', 'dyAt(a, b, c)'),
      ...cases,
      'return 0.0;',
    ];
    return fn(
      float,
      'termAt',
      [
        [int, 'k'],
        [int, 'i'],
        [int, 'b'],
      ],
      body.join('\n'),
    );
  }

  /**
   * `float total(int first, int end, int i, int b)`: `Σ termAt(k, i, b)` over `first ≤ k < end` as a binary tree, by a
   * counter of which each digit holds a finished subtree: no term passes more than ⌈log₂ count⌉ additions.
   */
  total(): string {
    const { int, float, variable, array, fn, select } = this.#dialect;
    const leaf = (from: number, count: number): string => {
      if (count > 1) return `(${leaf(from, count / 2)} + ${leaf(from + count / 2, count / 2)})`;
      return `leaf(k + ${from}, end, i, b)`;
    };
    const term = fn(
      float,
      'leaf',
      [
        [int, 'k'],
        [int, 'end'],
        [int, 'i'],
        [int, 'b'],
      ],
      'if (k < end) { return termAt(k, i, b); }\nreturn 0.0;',
    );
    const body = [
      array('partial', 28),
      variable(int, 'count', '0'),
      `for (${variable(int, 'k', 'first')} k < end; k = k + 8) {`,
      variable(float, 'sum', leaf(0, 8)),
      variable(int, 'carry', 'count'),
      variable(int, 'level', '0'),
      'while (carry % 2 == 1) {',
      'sum = partial[level] + sum;',
      'carry = carry / 2;',
      'level = level + 1;',
      '}',
      'partial[level] = sum;',
      'count = count + 1;',
      '}',
      variable(float, 'rest', '0.0'),
      `for (${variable(int, 'level', '0')} count > 0; level = level + 1) {`,
      `rest = ${select('count % 2 == 1', 'partial[level] + rest', 'rest')};`,
      'count = count / 2;',
      '}',
      'return rest;',
    ];
    return `${term}\n${fn(
      float,
      'total',
      [
        [int, 'first'],
        [int, 'end'],
        [int, 'i'],
        [int, 'b'],
      ],
      body.join('\n'),
    )}`;
  }

  /** Whether `pullBack` reads alpha: a program must not be given what it does not read. */
  get pullsBackByAlpha(): boolean {
    const { constraint } = this.#pool;
    return constraint.kind === 'softmax' || (constraint.kind === 'clip' && constraint.bounds.some(Number.isFinite));
  }

  /** `float pullBack(int row, int b, int count)`: `dalpha = κ′ᵀ dc`, `dcᵢ` the total of so many terms. */
  pullBack(): string {
    const { int, float, constant, fn, select } = this.#dialect;
    const lines = new Lines(this.#dialect);
    const own = constant(float, 'own', 'total(0, count, row, b)');
    const body = ((constraint: Constraint): string[] => {
      switch (constraint.kind) {
        case 'free':
          return [own, 'return own;'];
        case 'fixed':
          return ['return 0.0;'];
        case 'sumToOne':
          return [own, `return own - total(0, count, ${this.#rows}, b);`];
        case 'clip': {
          const masks = constraint.bounds.flatMap((bound, row) =>
            Number.isFinite(bound)
              ? [`if (row == ${row} && abs(alphaAt(row, b)) > ${literal(bound)}) { return 0.0; }`]
              : [],
          );
          return [...masks, own, 'return own;'];
        }
        case 'softmax': {
          const c = this.#coefficients(lines);
          const mean = c.map((ci, i) => `${ci} * total(0, count, ${i}, b)`).join(' + ');
          const mine = c.reduce((rest, ci, i) => (i === 0 ? ci : select(`row == ${i}`, ci, rest)));
          return [...lines.lines, own, `return (${mine}) * (own - (${mean}));`];
        }
      }
    })(this.#pool.constraint);
    return fn(
      float,
      'pullBack',
      [
        [int, 'row'],
        [int, 'b'],
        [int, 'count'],
      ],
      body.join('\n'),
    );
  }

  /** The names of `c = κ(alpha)` at b. */
  #coefficients(lines: Lines): readonly string[] {
    const { constraint } = this.#pool;
    const alpha = Array.from({ length: this.#rows }, (_, row) => lines.keep(`alphaAt(${row}, b)`));
    switch (constraint.kind) {
      case 'free':
      case 'fixed':
        return alpha;
      case 'sumToOne': {
        // Chosen, so that no optimizer sees `a·f + (1 - a)·f`, of which it makes f also where a is NaN (SwiftShader).
        const last = this.#dialect.select('isnan(x)', 'x', `(${['1.0', ...alpha].join(' - ')})`);
        return [...alpha, lines.keep(last)];
      }
      case 'clip':
        return alpha.map((a, i) => this.#clipped(lines, a, constraint.bounds[i]!));
      case 'softmax': {
        const top = alpha.reduce((larger, a) => lines.keep(`max(${larger}, ${a})`));
        const e = alpha.map((a) => lines.keep(`exp(${a} - ${top})`));
        const sum = lines.keep(e.join(' + '));
        return e.map((value) => lines.keep(`${value} / ${sum}`));
      }
    }
  }

  /** By comparison, not by `min` and `max`, which may make a bound of NaN. */
  #clipped(lines: Lines, a: string, bound: number): string {
    if (!Number.isFinite(bound)) return a;
    const { select } = this.#dialect;
    const b = literal(bound);
    return lines.keep(select(`${a} > ${b}`, b, select(`${a} < -${b}`, `-${b}`, a)));
  }

  #returnUnlessNaN(value: string): string {
    return `if (isnan(x)) { return x; }\nreturn ${value};`;
  }

  #function(name: string, lines: readonly string[]): string {
    const { int, float, fn } = this.#dialect;
    return fn(
      float,
      name,
      [
        [float, 'x'],
        [int, 'b'],
      ],
      lines.join('\n'),
    );
  }
}
