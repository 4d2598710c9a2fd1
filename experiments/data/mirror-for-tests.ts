import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';
import { archive } from './cifar10-for-tests.ts';

let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
  hangUp.clear();
});

/** The address of a server that lives as long as a test. */
export async function listen(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What breaks a connection, by the number of bytes of the file that must have come before. */
export const hangUp: Map<number, () => void> = new Map<number, () => void>();

/** A mirror of the archive; the first answers are cut after so many bytes, or refused. */
export interface Mirror {
  readonly url: string;
  readonly asked: string[];
  body: Buffer;
  /** The headers that say which version it is. */
  version: Record<string, string>;
  /** Answers of part of the file: if the version is the one that is asked for, never, or whatever it is. */
  ranges: 'if right' | 'never' | 'always';
  cuts: (number | 'refuse')[];
}

export async function serve(change: Partial<Mirror> = {}): Promise<Mirror> {
  const mirror = {
    asked: [] as string[],
    body: archive,
    version: { etag: '"1"' },
    ranges: 'if right' as const,
    cuts: [],
    url: '',
    ...change,
  };
  const answer: RequestListener = ({ headers, url }, response) => {
    const right = Object.values(mirror.version).includes(`${headers['if-range']}`);
    const range = mirror.ranges === 'always' || (mirror.ranges === 'if right' && right) ? headers.range : undefined;
    mirror.asked.push(`${url} ${headers.range ?? 'all'}`);
    const cut = mirror.cuts.shift();
    if (cut === 'refuse') return response.writeHead(503).end();
    const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    const rest = mirror.body.subarray(from);
    response.writeHead(from ? 206 : 200, {
      'content-length': rest.length,
      ...mirror.version,
      ...(from ? { 'content-range': `bytes ${from}-${mirror.body.length - 1}/${mirror.body.length}` } : {}),
    });
    if (cut === undefined) return response.end(rest);
    hangUp.set(from + cut, () => response.destroy());
    return response.write(rest.subarray(0, cut));
  };
  mirror.url = await listen(answer);
  return mirror;
}
