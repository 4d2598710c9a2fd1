// A subject that misbehaves as its argument says, in JSON (`Behaviour` of fake-for-tests.ts); else its answers have the
// right form: y = x, dx = dy, dalpha = alpha. With `honest` they are right.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const { at = '"cmd":"run"', end = '\n', ...options } = JSON.parse(process.argv[2] ?? '{}');
const announcement = {
  implementation: { name: 'fake', version: '1', language: 'JavaScript' },
  capabilities: {
    ops: ['forward', 'vjp'],
    dtypes: ['f64', 'f32', 'f16', 'bf16'],
    branches: ['relu', 'step', 'halfSquare', 'negative', 'identity', 'tanh', 'sigmoid', 'softplus'],
    sharing: ['layer', 'channel', 'unit', 'sharedAxes'],
    constraints: ['free', 'fixed', 'sumToOne', 'clip'],
    encodings: ['hex'],
    facets: [],
    pipeline: 1,
    ...options.capabilities,
  },
};
announcement.implementation.name = (options.name ?? 'fake').replaceAll('PID', process.pid);

const forever = () => new Promise(() => setInterval(() => {}, 1e6));
const say = (text) => process.stdout.write(text);

async function flood(stream, text) {
  const line = text.repeat(2 ** 12);
  for (;;) if (!stream.write(line)) await new Promise((resolve) => stream.once('drain', resolve));
}

const seen = new Set();

/** Each is given the request, its right reply, and what the argument has for it. */
const misdeeds = {
  exit: (_request, _right, code) => process.exit(code),
  kill: () => process.kill(process.pid, 'SIGKILL'),
  hang: forever,
  /** ID stands for that of the request. */
  say: ({ id }, _right, text) => say(text.replaceAll('ID', id)),
  bytes: (_request, _right, hex) => say(Buffer.from(hex, 'hex')),
  async long(_request, _right, megabytes) {
    for (let k = 0; k < megabytes; k++) {
      if (!say('x'.repeat(2 ** 20))) await new Promise((resolve) => process.stdout.once('drain', resolve));
    }
    say('\n');
  },
  /** Breaks if another request comes before a moment has passed. */
  together(_request, right, code) {
    if (together++ > 0) process.exit(code);
    setTimeout(() => {
      together = 0;
      say(right);
    }, 100);
  },
  /** Right on what it is asked until a file is there, wrong on all else from then on. */
  remember({ id, ...request }, right, file) {
    const key = JSON.stringify(request);
    if (!existsSync(`${file}.closed`)) appendFileSync(file, `${key}\n`);
    else if (seen.size === 0) for (const line of readFileSync(file, 'utf8').split('\n')) seen.add(line);
    say(seen.size === 0 || seen.has(key) || right.includes('"refused"') ? right : `{"id":${id},"error":"not seen"}\n`);
  },
  nest: (_request, _right, depth) => say(`{"id":${'['.repeat(depth)}${']'.repeat(depth)}}\n`),
  flood: (_request, _right, text) => flood(process.stdout, text),
  floodStderr: (_request, _right, text) => flood(process.stderr, text),
  stderr(_request, right, { text, count = 1, code }) {
    process.stderr.write(`${text.repeat(count)} end`, () => (code === undefined ? say(right) : process.exit(code)));
  },
  /** A process that goes on, in the same group or not, whose id is its last words. */
  child(_request, right, { detached, code }) {
    const child = spawn('sleep', ['60'], { stdio: 'inherit', detached });
    child.unref();
    process.stderr.write(`${child.pid}\n`, () => (code === undefined ? say(right) : process.exit(code)));
  },
};

/** Of requests that come together. */
let together = 0;
const misdeed = misdeeds[options.does];

if (options.does === 'deaf') {
  say(`${JSON.stringify({ id: 0, ok: announcement })}\n`);
  // Answers that nobody has read the request of.
  const { with: answers = 0 } = options;
  for (let id = 1; id <= answers; id++) say(`{"id":${id},"error":"deaf"}\n`);
  await forever();
}

const held = [];
const answer = options.honest ? await honest() : echo;
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const reply = await answer(request, line);
  const right = reply === undefined ? '' : `${JSON.stringify(reply)}${end}`;
  if (misdeed !== undefined && line.includes(at)) {
    await misdeed(request, right, options.with);
    if (request.cmd === 'stop') break;
  } else if (request.cmd === 'stop') break;
  else if (request.cmd === 'run' && options.order !== undefined) {
    held.push(right);
    if (held.length === options.order.length) for (const k of options.order) say(held[k]);
    held.length %= options.order.length;
  } else for (const piece of options.pieces ? right : [right]) say(piece);
}
process.stdin.destroy();

function echo({ id, cmd, op, inputs }) {
  if (cmd === 'start') return { id, ok: announcement };
  if (cmd === 'stop') return undefined;
  if (cmd !== 'run') return { id, refused: 'expected run' };
  const { x, alpha, dy } = inputs;
  return { id, outputs: op === 'forward' ? { y: x } : { dx: dy, dalpha: alpha } };
}

async function honest() {
  const { replyTo } = await import('../dist/certification/serve.js');
  const { referenceSubject } = await import('../dist/properties/reference-subject.js');
  const served = { ...announcement, subject: () => referenceSubject };
  return (_request, line) => replyTo(served, line);
}
