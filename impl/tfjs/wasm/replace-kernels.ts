import * as tf from '@tensorflow/tfjs';

/**
 * Makes an install function of kernels that stand in for those registered under their names, or for none. They stay until
 * what it returned has been called as often as itself; then everything is as it was, but for kernels that somebody else has
 * registered since, which stay.
 */
export function replacement(kernels: () => readonly tf.KernelConfig[]): () => () => void {
  let users = 0;
  let restore = (): void => {};
  return () => {
    if (users === 0) restore = replace(kernels());
    users++;
    let installed = true;
    return () => {
      if (!installed) return;
      installed = false;
      users--;
      if (users === 0) restore();
    };
  };
}

function replace(kernels: readonly tf.KernelConfig[]): () => void {
  const replaced = kernels.map(({ kernelName, backendName }) => {
    const shipped: tf.KernelConfig | undefined = tf.getKernel(kernelName, backendName);
    if (shipped) tf.unregisterKernel(kernelName, backendName);
    return shipped;
  });
  for (const kernel of kernels) tf.registerKernel(kernel);
  return () => {
    for (const [i, { kernelName, backendName }] of kernels.entries()) {
      const [shipped, now] = [replaced[i], tf.getKernel(kernelName, backendName)];
      if (now !== undefined && now !== kernels[i]) continue;
      if (now) tf.unregisterKernel(kernelName, backendName);
      if (shipped) tf.registerKernel(shipped);
    }
  };
}
