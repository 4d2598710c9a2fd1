import type { Claim } from './claim.ts';
import { highLr } from './high-lr.ts';
import { pathways } from './pathways.ts';
import { consistency, meanLoss, mnistTable } from './relu-and-pap.ts';
import { sharing } from './sharing.ts';
import { slope } from './slope.ts';
import { trainingTime } from './training-time.ts';
import { trench } from './trench.ts';

/** The published claims, in the order of the report. */
export const claims: readonly Claim[] = [
  mnistTable,
  meanLoss,
  consistency,
  trainingTime,
  highLr,
  slope,
  trench,
  pathways,
  sharing,
];
