import { mreluPool } from '../reference/mrelu.ts';
import { forward, vjp } from '../reference/pool.ts';

/** A curve of an MReLU: its coefficients, and how it is drawn. */
interface Curve {
  readonly P: number;
  readonly D: number;
  readonly label: string;
  readonly color: string;
  readonly dash?: string;
}

const curves: readonly Curve[] = [
  { P: 1, D: 0, label: 'ReLU: P = 1, D = 0', color: '#57606a', dash: '6 4' },
  { P: 0.8, D: 0.2, label: 'MReLU 0.8/0.2', color: '#0969da' },
  { P: 0.5, D: 0.5, label: 'MReLU 0.5/0.5', color: '#bc4c00' },
  { P: 0, D: 1, label: 'step: P = 0, D = 1', color: '#8250df', dash: '2 4' },
];

const width = 720;
const height = 330;
const [left, right, top, bottom] = [-1.5, 2, 2.1, -0.4];
const panel = { width: 320, height: 240, top: 40 };

/** docs/curves.svg: y and dy/dx of MReLUs side by side, every point computed by the reference. */
export function curvesSvg(): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="MReLU and its derivative for four settings of P and D">
<rect width="${width}" height="${height}" fill="#ffffff"/>
${panelSvg(20, 'y = P · relu(x) + D · step(x)', valueAt)}
${panelSvg(380, 'dy/dx = P on x &gt; 0: the step adds nothing', slopeAt)}
${curves.map(legend).join('\n')}
</svg>
`;
}

function valueAt({ P, D }: Curve, x: number): number {
  return forward(inputOf(P, D, x))[0];
}

function slopeAt({ P, D }: Curve, x: number): number {
  return vjp({ ...inputOf(P, D, x), dy: Float64Array.of(1) }).dx[0];
}

function inputOf(P: number, D: number, x: number) {
  return { pool: mreluPool, shape: [1], x: Float64Array.of(x), alpha: Float64Array.of(P, D) };
}

function panelSvg(x0: number, title: string, f: (curve: Curve, x: number) => number): string {
  const px = (x: number) => round(x0 + ((x - left) / (right - left)) * panel.width);
  const py = (y: number) => round(panel.top + ((top - y) / (top - bottom)) * panel.height);
  const axis = 'stroke="#d0d7de" stroke-width="1"';
  const ticks = [1, 2].map(
    (v) => `<text x="${px(0) - 8}" y="${py(v) + 4}" text-anchor="end" fill="#57606a">${v}</text>`,
  );
  const lines = curves.map((curve) => {
    // Both sides of the jump at 0 apart, so that no line is drawn through it; straight between the ends of each.
    const side = (from: number, to: number) => `M${px(from)} ${py(f(curve, from))}L${px(to)} ${py(f(curve, to))}`;
    const dash = curve.dash ? ` stroke-dasharray="${curve.dash}"` : '';
    return `<path d="${side(left, 0)}${side(Number.MIN_VALUE, right)}" fill="none" stroke="${curve.color}" stroke-width="2.5"${dash}/>`;
  });
  return [
    `<text x="${x0 + panel.width / 2}" y="24" text-anchor="middle" font-weight="600" fill="#1f2328">${title}</text>`,
    `<path d="M${px(left)} ${py(0)}H${px(right)}M${px(0)} ${py(top)}V${py(bottom)}" ${axis}/>`,
    ...ticks,
    ...lines,
  ].join('\n');
}

function legend({ label, color, dash }: Curve, k: number): string {
  const x = 30 + k * 172;
  const y = height - 22;
  const pattern = dash ? ` stroke-dasharray="${dash}"` : '';
  return `<path d="M${x} ${y}h28" stroke="${color}" stroke-width="2.5"${pattern}/><text x="${x + 36}" y="${y + 4}" fill="#1f2328">${label}</text>`;
}

function round(v: number): number {
  return Math.round(v * 10) / 10;
}
