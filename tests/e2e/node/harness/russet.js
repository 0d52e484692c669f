// The broker under test: what `russet dev --json` printed, the command line beside it, and further
// brokers of a test's own.

import { spawn } from 'node:child_process';
import { appendFileSync, createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

function fromEnvironment(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the suite with ./test node`);
  return value;
}

/** Folder of this run: logs, databases, the list of secrets. */
export const run = fromEnvironment('RUSSET_E2E_RUN');
/** The object that `russet dev --json` printed (contract: `issuer`, `console`, `clients`, …). */
export const dev = JSON.parse(readFileSync(fromEnvironment('RUSSET_E2E_DEV'), 'utf8'));
const binary = fromEnvironment('RUSSET_BIN');

/** Notes a secret that was handed out, so that the last suite can look for it in logs and databases. */
export function remember(...secrets) {
  const lines = secrets.filter((secret) => typeof secret === 'string' && secret.length >= 16);
  if (lines.length) appendFileSync(join(run, 'secrets.txt'), `${lines.join('\n')}\n`);
}
remember(dev.console.password, ...Object.values(dev.clients).map((client) => client.client_secret));

/** A `fetch` that notes the tokens in every JSON answer. For libraries that take a custom one. */
export async function notingFetch(...args) {
  const response = await fetch(...args);
  if (/json/.test(response.headers.get('content-type') ?? '')) {
    const body = await response.clone().json().catch(() => ({}));
    remember(body.access_token, body.refresh_token, body.id_token, body.client_secret);
  }
  return response;
}

/** A port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Runs `russet --config FILE …`; answers what it printed, parsed when `--json` was asked for. */
export async function cli(args, { config = dev.config_file, input } = {}) {
  const child = spawn(binary, ['--config', config, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input ?? '');
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once('close', resolve)),
  ]);
  if (code !== 0) throw new Error(`russet ${args.join(' ')} ended with ${code}\n${stderr}`);
  if (!args.includes('--json')) return stdout;
  const answer = JSON.parse(stdout);
  remember(answer.client_secret);
  return answer;
}

/** Registers a client beside the running broker; `options` are flags by name, lists repeat. */
export function createClient(options, where) {
  const flags = Object.entries(options).flatMap(([name, value]) =>
    [value].flat().flatMap((one) => [`--${name}`, String(one)]),
  );
  return cli(['client', 'create', ...flags, '--json'], where);
}

async function text(stream) {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += chunk;
  return all;
}

/** Starts `russet serve` on `config` and waits until `/readyz` answers 200. */
export async function serve({ config, issuer, name, env = {} }) {
  mkdirSync(join(run, 'logs'), { recursive: true });
  const log = createWriteStream(join(run, 'logs', `${name}.log`), { flags: 'a' });
  const child = spawn(binary, ['--config', config, 'serve'], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([
    untilReady(`${issuer}/readyz`),
    ended.then((code) => {
      throw new Error(`russet serve ended with ${code}; see ${name}.log`);
    }),
  ]);
  return {
    issuer,
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

async function untilReady(url) {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${url} did not answer 200 within 30 s`);
}
