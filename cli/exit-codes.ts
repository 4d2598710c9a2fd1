/** What the process says by its exit code; where several apply, the first of 1, 3, 5. */
export const exitCodes = {
  /** All held. */
  held: 0,
  /** A law, or the lockstep check of a training, failed: provably wrong; or a network did not learn. */
  failed: 1,
  /** An argument was wrong; nothing was run. */
  usage: 2,
  /** A backend threw, died, or was asked for by name and is not there. */
  broke: 3,
  /** poolproof itself failed, or could not write its report: no verdict on anybody. */
  internal: 4,
  /** No Case was checked, or the training could not be run and was not left out by `--no-mnist`. */
  notRun: 5,
} as const;

/** The line of `internal`, for the help of every command. */
export const internalHelp = '  4  poolproof itself failed, or could not write its report\n';

/** For the end of `--help`. */
export const exitCodesHelp: string = `
Exit codes (where several apply, the first of 1, 3, 5):
  0  all held
  1  a law failed, or the lockstep check of a training, or a network did not
     reach the test accuracy that is required
  2  an argument was wrong; nothing was run
  3  a backend threw or died, or was asked for by name and is missing
${internalHelp}  5  no case was checked, or MNIST could not be obtained (--no-mnist skips it)
`;
