import * as tf from '@tensorflow/tfjs';

/**
 * Makes an install function of kernels that stand in for those registered under their names, or for none. They stay until
 * what it returned has been called as often as itself; then everything is as it was.
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
      const shipped = replaced[i];
      tf.unregisterKernel(kernelName, backendName);
      if (shipped) tf.registerKernel(shipped);
    }
  };
}
