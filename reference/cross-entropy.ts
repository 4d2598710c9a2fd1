import { checkArray, checkInteger, checkTensor, shown } from './arguments.ts';

/**
 * Softmax cross-entropy, mean over the batch:
 * `loss = (1/N) Σᵢ (log Σⱼ exp(zᵢⱼ) - zᵢ,label(i))`
 *
 * z: logits `[N, classes]`, labels: `[N]`, integers in [0, classes); the largest logit is taken out of the
 * exponentials, so that none overflows.
 *
 * @throws TypeError for another kind, RangeError for a wrong length or label
 */
export function crossEntropyForward(z: Float64Array, labels: ArrayLike<number>, classes: number): number {
  check('crossEntropyForward', z, labels, classes);
  let total = 0;
  for (let i = 0; i < labels.length; i++) {
    const { top, sum } = exponentials(z, i * classes, classes);
    total += Math.log(sum) - (z[i * classes + labels[i]] - top);
  }
  return total / labels.length;
}

/**
 * `dz = (softmax(z) - onehot(labels)) / N`
 *
 * z: logits `[N, classes]`, labels: `[N]`, integers in [0, classes); dz: `[N, classes]`, float64.
 *
 * @throws TypeError for another kind, RangeError for a wrong length or label
 */
export function crossEntropyBackward(z: Float64Array, labels: ArrayLike<number>, classes: number): Float64Array {
  check('crossEntropyBackward', z, labels, classes);
  const dz = new Float64Array(z.length);
  for (let i = 0; i < labels.length; i++) {
    const { top, sum } = exponentials(z, i * classes, classes);
    for (let j = 0; j < classes; j++) {
      const softmax = Math.exp(z[i * classes + j] - top) / sum;
      dz[i * classes + j] = (softmax - (j === labels[i] ? 1 : 0)) / labels.length;
    }
  }
  return dz;
}

/** `top = maxⱼ zⱼ` and `sum = Σⱼ exp(zⱼ - top)` of the row that begins at `start`. */
function exponentials(z: Float64Array, start: number, classes: number): { top: number; sum: number } {
  let top = -Infinity;
  for (let j = 0; j < classes; j++) top = Math.max(top, z[start + j]);
  let sum = 0;
  for (let j = 0; j < classes; j++) sum += Math.exp(z[start + j] - top);
  return { top, sum };
}

function check(where: string, z: Float64Array, labels: ArrayLike<number>, classes: number): void {
  checkArray(where, 'labels', labels);
  checkInteger(`${where}: "classes"`, classes, 1);
  if (labels.length === 0) throw new RangeError(`${where}: "labels" expected at least one, got none`);
  checkTensor(where, 'z', z, [labels.length, classes]);
  for (let i = 0; i < labels.length; i++) {
    if (!(Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] < classes)) {
      throw new RangeError(`${where}: "labels" expected integers in [0, ${classes}), got ${shown(labels[i])} at ${i}`);
    }
  }
}
