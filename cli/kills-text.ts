import { isAgreement, type Kills, soleKillers } from '../properties/kills.ts';
import type { Law } from '../properties/law.ts';
import { type Group, groups, type Mutant } from '../properties/mutants/mutant.ts';
import { wrapped } from '../properties/wrapped.ts';
import { percent, table } from './table.ts';

/** The groups of which every mutant must be found. */
const strict: readonly Group[] = ['kink', 'special', 'state', 'shape'];

/** At least 98 % are found, and all of the strict groups. */
export function isEnough(mutants: readonly Mutant[], kills: Kills): boolean {
  const missed = mutants.filter((_, m) => !kills[m].some(Boolean));
  return missed.length <= 0.02 * mutants.length && !missed.some(({ group }) => strict.includes(group));
}

/** Which law finds which mutant, the shares by group, and what is found by one law alone, in 80 columns. */
export function killsText(mutants: readonly Mutant[], laws: readonly Law[], kills: Kills): string {
  const found = (chosen: readonly Mutant[]) => chosen.filter((one) => kills[mutants.indexOf(one)].some(Boolean));
  const share = (name: string, chosen: readonly Mutant[]) => {
    const n = found(chosen).length;
    return [name, String(chosen.length), String(n), percent(n, chosen.length)];
  };
  const present = groups.filter((group) => mutants.some((one) => one.group === group));
  const shares = table([
    ['group', 'mutants', 'found', 'share'],
    ...present.map((group) =>
      share(
        group,
        mutants.filter((one) => one.group === group),
      ),
    ),
    share('all', mutants),
  ]);
  const others = laws.filter((law) => !isAgreement(law));
  const withoutReference = kills.map((row) => row.filter((_, k) => !isAgreement(laws[k])));
  const sole = soleKillers(others, mutants, withoutReference);
  const missed = mutants.filter((one) => !found([one]).length);
  return `${[
    ...laws.flatMap(({ id }, k) => wrapped(`${letter(k)} ${id}`)),
    '',
    ...mutants.map(({ id }, m) => `${id.padEnd(29)}${laws.map((_, k) => (kills[m][k] ? letter(k) : '')).join('')}`),
    '',
    ...shares,
    '',
    'Found by one law alone, agreement and gradcheck left out:',
    ...others.flatMap(({ id }) =>
      wrapped(
        `${id}: ${
          sole
            .get(id)
            ?.map((one) => one.id)
            .join(', ') ?? '-'
        }`,
      ),
    ),
    ...(missed.length > 0 ? ['', ...wrapped(`NOT FOUND: ${missed.map(({ id }) => id).join(', ')}`)] : []),
  ].join('\n')}\n`;
}

/** A column is headed by one character. */
function letter(k: number): string {
  return 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'[k] ?? '#';
}
