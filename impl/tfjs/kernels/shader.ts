import type { Dialect, Place } from './dialect.ts';
import { evaluator, type Formula, formulas, one, type Target, zero } from './formula.ts';
import type { PoolAttributes } from './kernel.ts';
import type { Tiles } from './tiles.ts';

/** A float literal of both languages. */
function literal(value: number): string {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** The terms of the smallest trees, which are written out: with four a program took twice as long to compile, and ran no faster. */
const leaves = 2;

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
 * Code of the kernels of a pool: what they make of numbers, and of tiles that `gpu.ts` supplies, `termAt(k, i, p)` or the
 * inputs X, DY and ALPHA.
 */
export class PoolShader {
  readonly #pool: Pick<PoolAttributes, 'branches' | 'constraint'>;
  readonly #dialect: Dialect;
  readonly #tiles: Tiles;
  readonly #rows: number;

  constructor(dialect: Dialect, pool: Pick<PoolAttributes, 'branches' | 'constraint'>, tiles: Tiles) {
    this.#dialect = dialect;
    this.#pool = pool;
    this.#tiles = tiles;
    this.#rows = pool.branches.length - (pool.constraint.kind === 'sumToOne' ? 1 : 0);
  }

  /** `T tileAt(int t)`: `y = Σ cᵢ fᵢ(x)`. */
  value(): string {
    const lines = new Lines(this.#dialect);
    const c = this.#coefficients(lines);
    const terms = this.#pool.branches.map((name, i) => `${c[i]} * ${lines.of(formulas[name].value)}`);
    const value = this.#function(
      'poolValue',
      ['x', ...this.#alphas],
      [...lines.lines, this.#unlessNaN(terms.join(' + '))],
    );
    const { each } = this.#dialect;
    return `${value}\n${this.#elementwise(each((lane) => `poolValue(${this.#arguments(lane)})`))}`;
  }

  /** `T tileAt(int t)`: `dx = dy·Σ cᵢ fᵢ′(x)`. */
  slope(): string {
    const lines = new Lines(this.#dialect);
    const c = this.#coefficients(lines);
    const terms = this.#pool.branches.flatMap((name, i) => {
      const { derivative } = formulas[name];
      if (derivative === zero) return [];
      return [derivative === one ? c[i] : `${c[i]} * ${lines.of(derivative)}`];
    });
    const slope = this.#function(
      'poolSlope',
      ['x', ...this.#alphas],
      [...lines.lines, `return ${terms.join(' + ') || '0.0'};`],
    );
    const { each, tileHere } = this.#dialect;
    const slopes = each((lane) => `poolSlope(${this.#arguments(lane)})`);
    return `${slope}\n${this.#elementwise(`${tileHere('DY')} * ${slopes}`)}`;
  }

  /** `T termAt(int k, int i, int p)`: `fᵢ(x)·dy` of the k-th tile of those at place p along B. */
  terms(): string {
    const { tile, constant, uniform, tileAt, each, inside } = this.#dialect;
    const products = this.#pool.branches.map((name, i) => {
      const lines = new Lines(this.#dialect);
      const f = lines.of(formulas[name].value);
      return this.#function(`product${i}`, ['x', 'dy'], [...lines.lines, this.#unlessNaN(`${f} * dy`)]);
    });
    const [B, C] = [uniform('sizeB'), uniform('sizeC')];
    // Without a division where there is nothing to divide.
    const place: Place = this.#tiles.view[2] === 1 ? ['k', 'p', B] : [`k / ${C} * ${B} + p`, `k % ${C}`, C];
    const cases = products.map((_, i) => {
      const terms = each((lane) => `product${i}(x${lane}, dy${lane})`);
      return `if (i == ${i}) { return ${inside(terms, place, this.#tiles)}; }`;
    });
    const body = [
      constant(tile, 'x', tileAt('X', ...place)),
      constant(tile, 'dy', tileAt('DY', ...place)),
      ...cases,
      `return ${this.#dialect.zeroTile};`,
    ];
    return [...products, this.#tileFunction('termAt', ['k', 'i', 'p'], body)].join('\n');
  }

  /**
   * `T total(int first, int end, int i, int p)`: `Σ termAt(k, i, p)` over `first ≤ k < end` as a binary tree: no term
   * passes more than ⌈log₂ count⌉ additions. Of more terms than a block has, trees of blocks are counted in binary, each
   * digit holding a finished one.
   */
  total(block: number, isLong: boolean): string {
    const { int, tile, variable, array, select, zeroTile } = this.#dialect;
    const leaf = (from: number, count: number): string => {
      if (count > 1) return `(${leaf(from, count / 2)} + ${leaf(from + count / 2, count / 2)})`;
      return `leaf(k${leaves} + ${from}, end, i, p)`;
    };
    /** Declares `sum` of `span` terms from `k` on, both named by the span. */
    const tree = (span: number): string[] => {
      if (span === leaves) return [variable(tile, `sum${span}`, leaf(0, leaves))];
      const half = span / 2;
      return [
        variable(tile, `sum${span}`, zeroTile),
        `for (${variable(int, `k${half}`, `k${span}`)} k${half} < min(k${span} + ${span}, end); k${half} = k${half} + ${half}) {`,
        ...tree(half),
        `sum${span} = sum${span} + sum${half};`,
        '}',
      ];
    };
    const parameters = ['first', 'end', 'i', 'p'];
    const ofBlock = [variable(int, `k${block}`, 'first'), ...tree(block), `return sum${block};`];
    const ofBlocks = [
      array('partial', 28),
      variable(int, 'count', '0'),
      `for (${variable(int, 'k', 'first')} k < end; k = k + ${block}) {`,
      variable(tile, 'sum', 'totalOfBlock(k, end, i, p)'),
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
      variable(tile, 'rest', zeroTile),
      `for (${variable(int, 'level', '0')} count > 0; level = level + 1) {`,
      `rest = ${select('count % 2 == 1', 'partial[level] + rest', 'rest')};`,
      'count = count / 2;',
      '}',
      'return rest;',
    ];
    return [
      this.#tileFunction(
        'leaf',
        ['k', 'end', 'i', 'p'],
        [`if (k < end) { return termAt(k, i, p); }`, `return ${zeroTile};`],
      ),
      this.#tileFunction(isLong ? 'totalOfBlock' : 'total', parameters, ofBlock),
      ...(isLong ? [this.#tileFunction('total', parameters, ofBlocks)] : []),
    ].join('\n');
  }

  /** Whether `pullBack` reads alpha: a program must not be given what it does not read. */
  get pullsBackByAlpha(): boolean {
    const { constraint } = this.#pool;
    return constraint.kind === 'softmax' || (constraint.kind === 'clip' && constraint.bounds.some(Number.isFinite));
  }

  /**
   * `T tileAt(int t)`: `dalpha = κ′ᵀ dc`, `dcᵢ` the total of `count` terms. Loops call for each total at one place in the
   * code: a driver inlines it, terms and branches and all, and once for each of five branches took 4 s (SwiftShader).
   */
  pullBack(): string {
    const { constant, variable, array, select, tile, int, uniform, each, shared, dalpha } = this.#dialect;
    const { constraint, branches } = this.#pool;
    const lines = new Lines(this.#dialect);
    const others = { softmax: branches.map((_, i) => i), sumToOne: [this.#rows] }[constraint.kind as string] ?? [];
    const body = ((): string[] => {
      switch (constraint.kind) {
        case 'free':
          return ['return own;'];
        case 'fixed':
          return ['return 0.0;'];
        case 'sumToOne':
          return [`return own - dc${this.#rows};`];
        case 'clip': {
          const masks = constraint.bounds.flatMap((bound, row) =>
            Number.isFinite(bound)
              ? [`if (row == ${row} && abs(alpha${row}) > ${literal(bound)}) { return 0.0; }`]
              : [],
          );
          return [...masks, 'return own;'];
        }
        case 'softmax': {
          const c = this.#coefficients(lines);
          const mean = c.map((ci, i) => `${ci} * dc${i}`).join(' + ');
          const mine = c.reduce((rest, ci, i) => (i === 0 ? ci : select(`row == ${i}`, ci, rest)));
          return [...lines.lines, `return (${mine}) * (own - (${mean}));`];
        }
      }
    })();
    const given = ['own', ...others.map((i) => `dc${i}`), ...(this.pullsBackByAlpha ? this.#alphas : [])];
    const { float, fn } = this.#dialect;
    const own = fn(float, 'pullBack', [[int, 'row'], ...given.map((name) => [float, name] as const)], body.join('\n'));
    const total = this.#tileFunction(
      'dc',
      ['i', 'p'],
      [`return ${shared(`total(0, ${uniform('count')}, i, p)`, this.#tiles)};`],
    );
    const rows = this.#tileFunction(
      'rowOfDalpha',
      ['row', 'p'],
      [
        array('dcs', 1 + others.length),
        `for (${variable(int, 'j', '0')} j < ${1 + others.length}; j = j + 1) {`,
        `dcs[j] = dc(${select('j == 0', 'row', `j + ${(others[0] ?? 0) - 1}`)}, p);`,
        '}',
        constant(tile, 'own', 'dcs[0]'),
        ...others.map((i, j) => constant(tile, `dc${i}`, `dcs[${1 + j}]`)),
        ...(this.pullsBackByAlpha ? this.#readAlpha() : []),
        `return ${each((lane) => `pullBack(row, ${given.map((name) => `${name}${lane}`).join(', ')})`)};`,
      ],
    );
    const result = this.#tileFunction('tileAt', ['t'], dalpha('rowOfDalpha', this.#tiles));
    return [own, total, rows, result].join('\n');
  }

  get #alphas(): readonly string[] {
    return Array.from({ length: this.#rows }, (_, row) => `alpha${row}`);
  }

  #arguments(lane: string): string {
    return ['x', ...this.#alphas].map((name) => `${name}${lane}`).join(', ');
  }

  /** Declares the tiles `alpha0` … that belong to place p, each tile of alpha read once. */
  #readAlpha(): readonly string[] {
    const { tile, constant, uniform, tileAt, alpha } = this.#dialect;
    const read = new Map<number, string>();
    const lines: string[] = [];
    for (const [row, name] of this.#alphas.entries()) {
      const [tileRow, lanes] = alpha(row, this.#tiles);
      if (!read.has(tileRow)) {
        read.set(tileRow, `rows${tileRow}`);
        lines.push(constant(tile, `rows${tileRow}`, tileAt('ALPHA', `${tileRow}`, 'p', uniform('sizeB'))));
      }
      lines.push(constant(tile, name, `${read.get(tileRow)}${lanes}`));
    }
    return lines;
  }

  /** `T tileAt(int t)`: a result that is made of x and the coefficients at one place. */
  #elementwise(result: string): string {
    const { int, tile, constant, uniform, tileHere } = this.#dialect;
    const place = this.#tiles.view[2] === 1 ? 't' : `t / ${uniform('sizeC')}`;
    return this.#tileFunction(
      'tileAt',
      ['t'],
      [
        constant(int, 'p', `${place} % ${uniform('sizeB')}`),
        constant(tile, 'x', tileHere('X')),
        ...this.#readAlpha(),
        `return ${result};`,
      ],
    );
  }

  /** The names of `c = κ(alpha)`. */
  #coefficients(lines: Lines): readonly string[] {
    const { constraint } = this.#pool;
    const alpha = this.#alphas;
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
        return alpha.map((a, i) => this.#clipped(lines, a, constraint.bounds[i]));
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

  #unlessNaN(value: string): string {
    return `if (isnan(x)) { return x; }\nreturn ${value};`;
  }

  #function(name: string, parameters: readonly string[], lines: readonly string[]): string {
    const { float, fn } = this.#dialect;
    return fn(
      float,
      name,
      parameters.map((parameter) => [float, parameter] as const),
      lines.join('\n'),
    );
  }

  #tileFunction(name: string, parameters: readonly string[], lines: readonly string[]): string {
    const { int, tile, fn } = this.#dialect;
    return fn(
      tile,
      name,
      parameters.map((parameter) => [int, parameter] as const),
      lines.join('\n'),
    );
  }
}
