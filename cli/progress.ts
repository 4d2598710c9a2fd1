import { MultiBar, type SingleBar } from 'cli-progress';

/** How far each of several named pieces of work is. */
export interface Progress {
  /** Announces a piece of work of `total` units, or corrects its total; 0 if not known. */
  begin(name: string, total: number): void;
  update(name: string, done: number, note: string): void;
  end(name: string, note: string): void;
  /** Gives the terminal back. */
  stop(): void;
}

/** Bars on a terminal; elsewhere, and under CI, a line now and then. */
export function progressOn(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Progress {
  return stream.isTTY && !env.CI ? bars(stream) : lines((line) => stream.write(`${line}\n`));
}

/** A signal gives the terminal back, and ends the process with its code. */
export function endWithSignals(progress: Progress, last = 'interrupted: nothing is reported'): void {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const) {
    process.once(signal, () => {
      progress.stop();
      console.error(last);
      process.exit(128 + number);
    });
  }
}

/** 78 columns: name 10, bar 22, percentage 4, note 36. */
const format = '{name} {bar} {percentage}% {note}';

function bars(stream: NodeJS.WriteStream): Progress {
  const multi = new MultiBar({
    stream,
    format,
    barsize: 22,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    fps: 5,
    gracefulExit: false,
    emptyOnZero: true,
    autopadding: true,
    formatValue: (value, _options, type) => (type === 'percentage' ? String(value).padStart(3) : String(value)),
  });
  const all = new Map<string, SingleBar>();
  return {
    begin(name, total) {
      const bar = all.get(name);
      if (bar) bar.setTotal(total);
      else all.set(name, multi.create(total, 0, { name: name.padEnd(10), note: 'waiting' }));
    },
    update: (name, done, note) => all.get(name)?.update(done, { note: note.slice(0, 36) }),
    end(name, note) {
      const bar = all.get(name);
      bar?.update(bar.getTotal(), { note: note.slice(0, 36) });
    },
    stop: () => multi.stop(),
  };
}

/** One line for each piece of work every `interval` milliseconds at most, and one when it ends. */
export function lines(write: (line: string) => void, interval = 10_000): Progress {
  const all = new Map<string, { total: number; start: number; told: number }>();
  const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(0)} s`;
  return {
    begin(name, total) {
      const work = all.get(name);
      if (work) work.total = total;
      else all.set(name, { total, start: Number.NaN, told: Number.NEGATIVE_INFINITY });
    },
    update(name, done, note) {
      const work = all.get(name);
      if (!work) return;
      const now = performance.now();
      if (Number.isNaN(work.start)) work.start = now;
      if (now - work.told < interval) return;
      work.told = now;
      const share = work.total > 0 ? `${Math.floor((100 * done) / work.total)} %` : `${done}`;
      write(`${name}: ${share}, ${note}, ${seconds(work.start)}`);
    },
    end(name, note) {
      const start = all.get(name)?.start;
      write(`${name}: ${note}${start === undefined || Number.isNaN(start) ? '' : `, ${seconds(start)}`}`);
    },
    stop() {},
  };
}
