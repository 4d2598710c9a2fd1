import * as tf from '@tensorflow/tfjs';

/** What f makes; the engine has one tape, which a gradient that is taken inside of another would end. */
export function withOwnTape<T>(f: () => T): T {
  const { state } = tf.engine();
  const { activeTape } = state;
  try {
    return f();
  } finally {
    state.activeTape = activeTape;
  }
}

/** Frees all that is saved for the gradient under way, which an error is about to end: the engine then never does. */
export function freeTape(): void {
  for (const { saved } of tf.engine().state.activeTape ?? []) tf.dispose(saved);
}
