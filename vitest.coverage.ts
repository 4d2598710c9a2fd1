import { takeCoverage } from 'node:v8';
import { afterAll } from 'vitest';

// c8 reads what V8 has counted when a process ends, but Vitest ends its workers in a way that leaves nothing behind.
afterAll(() => {
  if (process.env.NODE_V8_COVERAGE) takeCoverage();
});
