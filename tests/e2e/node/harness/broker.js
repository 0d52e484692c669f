// A `russet serve` of a suite's own, on a free port, with the configuration that the suite needs.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { freePort, run, serve } from './russet.js';

/**
 * Starts a broker on SQLite. `configure({ folder, issuer })` answers what its file says besides
 * where it listens, where it stores and what it encrypts with. `host` is the issuer's.
 */
export async function startBroker(name, configure = () => '', host = '127.0.0.1') {
  const folder = mkdtempSync(join(run, `${name}-`));
  const issuer = `http://${host}:${await freePort()}`;
  const config = join(folder, 'russet.toml');
  writeFileSync(join(folder, 'master.key'), randomBytes(32).toString('base64'), { mode: 0o600 });
  writeFileSync(
    config,
    `[server]
listen = "127.0.0.1:${new URL(issuer).port}"
issuer = "${issuer}"
[database]
url = "sqlite://${folder}/russet.db"
[secrets]
master_key_file = "${folder}/master.key"
[outbound]
allow_private = ["127.0.0.0/8", "::1/128"]
${await configure({ folder, issuer })}`,
    { mode: 0o600 },
  );
  return { folder, config, ...(await serve({ config, issuer, name })) };
}

/**
 * A certificate and its key, made with openssl. `signer`: another one of these; absent for one that
 * signs itself.
 */
export async function certificate(folder, name, { signer, subjectAltName, authority } = {}) {
  const file = (ending) => join(folder, `${name}.${ending}`);
  const openssl = (...args) => promisify(execFile)('openssl', args);
  const extensions = [
    `basicConstraints=critical,CA:${authority ? 'TRUE' : 'FALSE'}`,
    ...(subjectAltName ? [`subjectAltName=${subjectAltName}`] : []),
  ];
  await openssl(
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-days', '2', '-subj', `/CN=${name}`, '-keyout', file('key'), '-out', file('pem'),
    ...extensions.flatMap((extension) => ['-addext', extension]),
    ...(signer ? ['-CA', signer.certificateFile, '-CAkey', signer.keyFile] : []),
  );
  return { certificateFile: file('pem'), keyFile: file('key') };
}
