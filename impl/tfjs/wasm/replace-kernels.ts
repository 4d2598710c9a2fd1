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

/**
 * The engine sets up the kernels that are registered when their backend becomes the current one. Ours pass that on to those
 * that they stand in for, which they may call, and which may come back.
 */
function replace(kernels: readonly tf.KernelConfig[]): () => void {
  const replaced = kernels.map((kernel) => {
    const { kernelName, backendName } = kernel;
    const shipped: tf.KernelConfig | undefined = tf.getKernel(kernelName, backendName);
    if (shipped) tf.unregisterKernel(kernelName, backendName);
    const own = shipped?.setupFunc ? { ...kernel, setupFunc: shipped.setupFunc } : kernel;
    tf.registerKernel(own);
    return { shipped, own };
  });
  return () => {
    for (const { shipped, own } of replaced) {
      const { kernelName, backendName } = own;
      const registered: tf.KernelConfig | undefined = tf.getKernel(kernelName, backendName);
      if (registered !== undefined && registered !== own) continue;
      if (registered) tf.unregisterKernel(kernelName, backendName);
      if (shipped) tf.registerKernel(shipped);
    }
  };
}
