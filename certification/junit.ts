import junit, { type Builder } from 'junit-report-builder';
import { type CertificationReport, checkGroups } from './report.ts';

/** JUnit XML: a suite for each group of checks, whose failures are test cases of their own and whose rest is one. */
export function junitXml(report: CertificationReport): string {
  // Its types are those of an ES module, which Node does not take it for.
  const builder = (junit as unknown as Builder).newBuilder();
  const { announcement, checks, failures, faults, ended, missing, unexpectedlyPassed } = report;
  const name = clean(announcement?.implementation.name ?? report.command[0]);
  for (const group of checkGroups) {
    const { passed, failed } = checks[group];
    if (passed + failed === 0) continue;
    const suite = builder.testSuite().name(group);
    if (passed > 0) suite.testCase().className(name).name(`${passed} passed`);
    const kept = failures.filter((failure) => failure.kind === group);
    for (const { id, op, description, note } of kept) {
      suite.testCase().className(name).name(`${id} ${op}`).failure(clean(description), note);
    }
    if (failed > kept.length) {
      suite
        .testCase()
        .className(name)
        .name(`${failed - kept.length} more`)
        .failure('not kept one by one');
    }
  }
  const session = builder.testSuite().name('session');
  for (const lack of missing) session.testCase().className(name).name(lack).failure(`${lack} is not announced`);
  for (const id of unexpectedlyPassed) session.testCase().className(name).name(id).failure('known to fail, but passed');
  for (const fault of faults) {
    session
      .testCase()
      .className(name)
      .name(clean(fault.request ?? 'protocol'))
      .error(clean(fault.reason))
      .standardError(clean(fault.stderr));
  }
  if (ended !== undefined) session.testCase().className(name).name('end').error(clean(ended));
  if (report.outcome === 'too little was run') session.testCase().className(name).name('count').error(report.outcome);
  if (report.outcome === 'conforms')
    session
      .testCase()
      .className(name)
      .name('protocol')
      .time(report.milliseconds / 1000);
  return builder.build();
}

/** XML 1.0 has no place for control characters, even escaped. */
function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udfff]/gu, '\ufffd');
}
