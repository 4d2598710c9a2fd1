/** `poolproof/serve`: answers over a pipe for an implementation in JavaScript, so that it can be certified. */

export type { ConstraintName, SharingName } from '../properties/within.ts';
export { type Served, serve } from './serve.ts';
export type { Announcement, Capabilities, Implementation, Op } from './wire.ts';
