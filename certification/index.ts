/** `poolproof/serve`: answers over a pipe for an implementation in JavaScript, so that it can be certified. */
export { type Served, serve } from './serve.ts';
export type { Announcement, Capabilities, ConstraintName, Implementation, Op, SharingName } from './wire.ts';
