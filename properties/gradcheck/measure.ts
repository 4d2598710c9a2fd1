import { permutation, type Random } from '../../reference/random.ts';
import { firstDifference } from './calls.ts';
import type { FloatDtype, Tensors } from './differentiable.ts';
import type { Layout } from './layout.ts';
import { type KinksOf, lineScales, noiseScales, type Stencil, stencilAt, stepScales } from './stencil.ts';

/** Of more sites than this for each state, most of those that are linked are in different classes. */
const fewSites = 4;

/** Outputs that changed although no element of theirs was moved. */
export interface CrossTalk {
  readonly output: number;
  readonly was: number;
  readonly became: number;
}

/** Where derivatives are measured: the function as the numeric side asks it, the inputs, and what it answers there. */
export interface MeasuredAt {
  readonly numeric: (inputs: Tensors) => Promise<Float64Array>;
  readonly dtype: FloatDtype;
  readonly inputs: Tensors;
  readonly y: Float64Array;
}

/** One input as it is moved: where to, and the outputs that came of it. */
export class Moved {
  readonly name: string;
  readonly layout: Layout;
  readonly kinksOf: KinksOf | undefined;
  /** How many elements of the input an output depends on, at most. */
  readonly reach: number;
  readonly #base: MeasuredAt;
  /** Where outputs of resting sites go, and those that measure nothing. */
  readonly #resting: Float64Array;
  readonly #unread: Float64Array;
  /** `[scale][level][colour]`, each of the outputs; levels that were not asked for are empty. */
  readonly values: (readonly Float64Array[])[][] = [];
  readonly stencils: Stencil[] = [];
  crossTalk: CrossTalk | undefined;
  /** The evaluation that showed it. */
  #shownBy: { readonly inputs: Tensors; readonly y: Float64Array } | undefined;

  constructor(
    name: string,
    layout: Layout,
    kinksOf: KinksOf | undefined,
    base: MeasuredAt,
    reach: number = layout.colours,
  ) {
    this.name = name;
    this.layout = layout;
    this.kinksOf = kinksOf;
    this.#base = base;
    this.#resting = new Float64Array(base.y.length);
    this.#unread = new Float64Array(base.y.length);
    this.reach = reach;
  }

  /** The values that it is moved from. */
  get given(): Float64Array {
    return this.#base.inputs[this.name];
  }

  /** The scales at which derivatives are measured, the last within tiny elements. */
  get scales(): number {
    return stepScales[this.#base.dtype].length + 1;
  }

  /** The numbers of the scales at which noise is measured, after those of derivatives. */
  get noiseScales(): readonly number[] {
    return noiseScales[this.#base.dtype].map((_, k) => this.scales + k);
  }

  /** The numbers of the scales at which what lies on a line is measured once more. */
  get lineScales(): readonly number[] {
    const { dtype } = this.#base;
    return lineScales[dtype].map((_, k) => this.scales + noiseScales[dtype].length + k);
  }

  /** The numbers of the scales at which f is asked how large it is elsewhere. */
  get reachScales(): readonly number[] {
    const { dtype } = this.#base;
    const first = this.scales + noiseScales[dtype].length + lineScales[dtype].length;
    return [first, first + 1];
  }

  /**
   * The first two levels of the widest scale for every element. The sites are dealt into as many classes as there are
   * levels and colours, one more for rest, and the classes change places in a Latin square: in each evaluation all levels
   * occur at once, and every site rests in one of them, while all the others move. An output must not change by a bit then.
   */
  async first(random: Random): Promise<void> {
    this.#open(0);
    const { sites, colours } = this.layout;
    const states = 2 * colours + 1;
    const order = permutation(random, sites);
    const stateOf = new Int32Array(sites);
    for (let k = 0; k < sites; k++) stateOf[order[k]] = k % states;
    for (let turn = 0; turn < states; turn++) {
      // A single site has no others to move while it rests.
      if (sites > 1 || turn > 0) await this.#evaluate(0, stateOf, 0);
      if (this.crossTalk !== undefined) return;
      for (let site = 0; site < sites; site++) stateOf[site] = stateOf[site] === states - 1 ? 0 : stateOf[site] + 1;
    }
    if (sites <= fewSites * states) await this.#part();
  }

  /**
   * Among few sites, two may share a class, or rest while only one colour of the other moves. So that every two are parted,
   * the sites with a 1 in each bit of their number are moved in all colours, then those with a 0.
   */
  async #part(): Promise<void> {
    const { sites, colours } = this.layout;
    const everyColour = 2 * colours + 1;
    for (let bit = 1; bit < sites; bit *= 2) {
      for (const moving of [bit, 0]) {
        const stateOf = new Int32Array(sites).map((_, site) => ((site & bit) === moving ? everyColour : 0));
        await this.#evaluate(0, stateOf, 0);
        if (this.crossTalk !== undefined) return;
      }
    }
  }

  /** Two levels, from `level` on, at one scale for the sites and colours that are asked for; the other sites rest. */
  async more(scale: number, level: 0 | 2, wanted: readonly Uint8Array[]): Promise<void> {
    this.#open(scale);
    for (const [colour, sites] of wanted.entries()) {
      if (!sites.some((is, site) => is === 1 && this.#hasPoints(scale, site, colour))) continue;
      for (const step of [1, 2]) {
        const stateOf = new Int32Array(sites);
        for (let site = 0; site < stateOf.length; site++) stateOf[site] *= 2 * colour + step;
        await this.#evaluate(scale, stateOf, level);
      }
    }
  }

  #hasPoints(scale: number, site: number, colour: number): boolean {
    const element = this.layout.element(site, colour);
    return this.stencils[scale].points[0][element] !== this.given[element];
  }

  #open(scale: number): void {
    if (this.stencils[scale] !== undefined) return;
    const { dtype } = this.#base;
    const all = [...stepScales[dtype], 'tiny', ...noiseScales[dtype], ...lineScales[dtype], 'reach', 'inside'] as const;
    this.stencils[scale] = stencilAt(this.given, dtype, all[scale], this.kinksOf);
    this.values[scale] = [[], [], [], []];
  }

  /** Where the outputs of one level go, by colour. */
  #level(scale: number, level: number): readonly Float64Array[] {
    const { colours, siteOf } = this.layout;
    const levels = this.values[scale];
    if (levels[level].length === 0) {
      levels[level] = Array.from({ length: colours }, () => new Float64Array(siteOf.length).fill(Number.NaN));
    }
    return levels[level];
  }

  /**
   * One evaluation; state 0 rests, state `2·colour + 1 + step` is the colour's element at level `level + step`,
   * and in the state after those all colours of a site are moved, which measures nothing.
   */
  async #evaluate(scale: number, stateOf: Int32Array, level: number): Promise<void> {
    const inputs = { ...this.#base.inputs, [this.name]: this.#moveTo(scale, stateOf, level) };
    const y = await this.#base.numeric(inputs);
    this.#read(y, scale, stateOf, level);
    if (this.crossTalk !== undefined) this.#shownBy ??= { inputs, y };
  }

  // Which state a site is in is random: tables by state, since a branch would be foretold wrongly every other time.
  #moveTo(scale: number, stateOf: Int32Array, level: number): Float64Array {
    const { colours, element } = this.layout;
    const { points } = this.stencils[scale];
    const moved = this.given.slice();
    const from: Float64Array[] = [this.given];
    const colourOf = [0];
    for (let colour = 0; colour < colours; colour++) {
      from.push(points[level], points[level + 1]);
      colourOf.push(colour, colour);
    }
    for (let site = 0; site < stateOf.length; site++) {
      const state = stateOf[site];
      if (state < from.length) {
        const j = element(site, colourOf[state]);
        moved[j] = from[state][j];
      } else {
        for (let colour = 0; colour < colours; colour++) {
          const j = element(site, colour);
          moved[j] = points[level][j];
        }
      }
    }
    return moved;
  }

  #read(y: Float64Array, scale: number, stateOf: Int32Array, level: number): void {
    const { colours, siteOf } = this.layout;
    const before = this.#base.y;
    const resting = this.#resting;
    resting.set(before);
    const into: Float64Array[] = [resting];
    const near = this.#level(scale, level);
    const far = this.#level(scale, level + 1);
    for (let colour = 0; colour < colours; colour++) into.push(near[colour], far[colour]);
    into.push(this.#unread);
    for (let i = 0; i < y.length; i++) into[stateOf[siteOf[i]]][i] = y[i];
    const output = firstDifference(resting, before);
    if (output >= 0) this.crossTalk ??= { output, was: before[output], became: resting[output] };
  }

  /**
   * Whether `y`, or the answer that showed cross-talk, comes out another time; a function that is not deterministic seems
   * to have it.
   */
  async again(): Promise<{ element: number; first: number; again: number } | undefined> {
    for (const { inputs, y } of [this.#base, ...(this.#shownBy ? [this.#shownBy] : [])]) {
      const again = await this.#base.numeric(inputs);
      const element = firstDifference(again, y);
      if (element >= 0) return { element, first: y[element], again: again[element] };
    }
    return undefined;
  }
}
