import type { Lockstep } from '../experiments/lockstep/lockstep-run.ts';
import type { MnistRow } from '../experiments/mnist-run.ts';
import { wrapped } from '../properties/wrapped.ts';
import { hasLearned, type MnistReport } from './report.ts';
import { table } from './table.ts';

/** The training for people: a row an epoch, then what the lockstep check found; or why there is none. */
export function mnistText(mnist: MnistReport): string {
  if (mnist.state === 'left out') return 'MNIST: left out by --no-mnist';
  if (mnist.state !== 'run') {
    const word = mnist.state === 'broke' ? 'BROKE' : 'not run';
    return `MNIST: ${word}: ${mnist.reason}`.split('\n').flatMap(wrapped).join('\n');
  }
  const { protocol, backend, version, passedOver, rows } = mnist;
  const head = ['activation', 'epoch', 'test loss', 'test accuracy', 'ms/step'];
  const epochs = rows.flatMap(({ activation, epochs }) =>
    epochs.map(({ epoch, testLoss, testAccuracy, stepMs }) => [
      activation,
      String(epoch),
      testLoss.toFixed(4),
      testAccuracy.toFixed(4),
      stepMs.toFixed(1),
    ]),
  );
  return [
    ...wrapped(`MNIST, 784-512-512-10, protocol "${protocol}", on ${backend} (${version})`),
    ...passedOver.flatMap(({ reason }) => wrapped(`passed over: ${reason}`)),
    ...table([head, ...epochs]),
    ...rows.map(
      (row) =>
        `${row.activation}: test accuracy above ${mnist.requiredAccuracy} in the end: ${hasLearned(row, mnist) ? 'held' : 'FAIL'}`,
    ),
    ...rows.flatMap((row) => wrapped(lockstepText(row))),
  ].join('\n');
}

function lockstepText({ activation, lockstep }: MnistRow): string {
  if (lockstep === null) return `lockstep ${activation}: not asked for`;
  const { steps, elements, worst, worstSum, lossDifference, lossBound, settled, settledBy, held } = lockstep;
  const difference = `loss curve off by ${lossDifference.toExponential(1)} (relative), bound ${lossBound.toExponential(1)}`;
  const at = ({ what, ratio }: Lockstep['worst']) => `${what} at ${ratio.toPrecision(3)} of its bound`;
  const values = `${elements} values of ${steps} steps against float64, the worst sum ${at(worstSum)}, the worst value ${at(worst)} (one rounding may come near)`;
  const moved =
    settled === 0 ? '' : `; ${settled} pre-activations within ${settledBy.toExponential(1)} of 0 taken over`;
  return `lockstep ${activation}: ${held ? 'held' : 'FAIL'}: ${values}; ${difference}${moved}`;
}
