// openid-client and undici (npm) with client certificates: RFC 8705, both methods, and bound tokens.

import assert from 'node:assert/strict';
import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import * as client from 'openid-client';
import { Agent, fetch as undiciFetch } from 'undici';

import { certificate, startBroker } from './harness/broker.js';
import { authorizationRequest } from './harness/relying_party.js';
import { cli, createClient, freePort, remember } from './harness/russet.js';
import { UserAgent } from './harness/user_agent.js';

const redirectUri = 'http://127.0.0.1:49884/callback';
const ada = { username: 'ada', password: 'a long enough password' };

const thumbprint = ({ certificateFile }) =>
  createHash('sha256')
    .update(new X509Certificate(readFileSync(certificateFile)).raw)
    .digest('base64url');

describe('mutual TLS', () => {
  let broker;
  let server;
  let authority;
  let folder;
  const agents = [];

  before(async () => {
    broker = await startBroker('mutual-tls', async (place) => {
      folder = place.folder;
      server = await certificate(folder, 'server', { subjectAltName: 'IP:127.0.0.1' });
      authority = await certificate(folder, 'authority', { authority: true });
      const port = await freePort();
      return `[local_accounts]
enabled = true
[mtls]
listen = "127.0.0.1:${port}"
base_url = "https://127.0.0.1:${port}"
certificate_file = "${server.certificateFile}"
private_key_file = "${server.keyFile}"
ca_file = "${authority.certificateFile}"
`;
    });
    remember(ada.password);
    const account = ['--username', ada.username, '--password-stdin', '--name', 'Ada'];
    await cli(['user', 'create', ...account], { config: broker.config, input: ada.password });
  });

  after(async () => {
    await Promise.all(agents.map((agent) => agent.close()));
    assert.equal(await broker?.stop(), 0, 'SIGTERM ends with 0');
  });

  /** A `fetch` that shows this certificate to whoever asks. */
  function showing(shown) {
    const ca = readFileSync(server.certificateFile);
    const own = shown && {
      cert: readFileSync(shown.certificateFile),
      key: readFileSync(shown.keyFile),
    };
    const agent = new Agent({ connect: { ca, ...own } });
    agents.push(agent);
    return async (url, options) => {
      const response = await undiciFetch(url, { ...options, dispatcher: agent });
      if (/json/.test(response.headers.get('content-type') ?? '')) {
        const body = await response.clone().json().catch(() => ({}));
        remember(body.access_token, body.refresh_token, body.id_token);
      }
      return response;
    };
  }

  async function relying(registered, shown) {
    const method = registered.token_endpoint_auth_method;
    return client.discovery(
      new URL(broker.issuer),
      registered.client_id,
      { use_mtls_endpoint_aliases: true },
      method === 'none' ? client.None() : client.TlsClientAuth(),
      { execute: [client.allowInsecureRequests], [client.customFetch]: showing(shown) },
    );
  }

  const register = (options) =>
    createClient(
      {
        kind: 'web',
        'client-name': 'Known by a certificate',
        'redirect-uri': redirectUri,
        'first-party': true,
        'tls-client-certificate-bound-access-tokens': true,
        ...options,
      },
      broker,
    );

  async function signIn(config) {
    const { url, checks } = await authorizationRequest(config, redirectUri);
    const landing = await new UserAgent().signIn(url, { redirectUri, fill: ada });
    return client.authorizationCodeGrant(config, landing.url, checks);
  }

  const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

  it('knows a client by an authority and a name (tls_client_auth)', async () => {
    const shown = await certificate(folder, 'bank', { signer: authority });
    const registered = await register({
      'token-endpoint-auth-method': 'tls_client_auth',
      'tls-client-auth-subject-dn': 'CN=bank',
    });
    const config = await relying(registered, shown);
    const tokens = await signIn(config);
    assert.equal(claimsOf(tokens.access_token).cnf['x5t#S256'], thumbprint(shown));
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    assert.equal(userinfo.name, 'Ada');
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.equal(claimsOf(refreshed.access_token).cnf['x5t#S256'], thumbprint(shown));
  });

  it('refuses another name, another authority, and no certificate', async () => {
    const registered = await register({
      'token-endpoint-auth-method': 'tls_client_auth',
      'tls-client-auth-subject-dn': 'CN=shop',
    });
    const strangers = [
      await certificate(folder, 'other', { signer: authority }),
      await certificate(folder, 'shop'),
      undefined,
    ];
    for (const shown of strangers) {
      const config = await relying(registered, shown);
      await assert.rejects(client.refreshTokenGrant(config, 'whatever'), (error) => {
        assert.equal(error.error ?? error.cause?.error, 'invalid_client');
        return true;
      });
    }
  });

  it('knows a client by the key of its own certificate (self_signed_tls_client_auth)', async () => {
    const shown = await certificate(folder, 'self');
    const x509 = new X509Certificate(readFileSync(shown.certificateFile));
    const jwk = x509.publicKey.export({ format: 'jwk' });
    const keys = [{ ...jwk, kid: 'self', use: 'sig', x5c: [x509.raw.toString('base64')] }];
    const registered = await register({
      'token-endpoint-auth-method': 'self_signed_tls_client_auth',
      jwks: JSON.stringify({ keys }),
    });
    const tokens = await signIn(await relying(registered, shown));
    assert.equal(claimsOf(tokens.access_token).cnf['x5t#S256'], thumbprint(shown));

    const other = await certificate(folder, 'self-again');
    const config = await relying(registered, other);
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token));
  });

  it('takes a bound token from nobody else', async () => {
    const shown = await certificate(folder, 'app');
    const registered = await register({ kind: 'spa', 'token-endpoint-auth-method': 'none' });
    const config = await relying(registered, shown);
    const tokens = await signIn(config);
    const { sub } = tokens.claims();
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, sub)).sub, sub);
    for (const stranger of [await certificate(folder, 'thief'), undefined]) {
      const theirs = await relying(registered, stranger);
      await assert.rejects(client.fetchUserInfo(theirs, tokens.access_token, sub));
      await assert.rejects(client.refreshTokenGrant(theirs, tokens.refresh_token));
    }
  });

  it('goes the whole way as FAPI 2.0 wants it: a certificate and a pushed request', async () => {
    const shown = await certificate(folder, 'fapi', { signer: authority });
    const registered = await register({
      'token-endpoint-auth-method': 'tls_client_auth',
      'tls-client-auth-subject-dn': 'CN=fapi',
      'id-token-signed-response-alg': 'PS256',
      profile: 'fapi2',
    });
    const config = await relying(registered, shown);
    config.clientMetadata().id_token_signed_response_alg = 'PS256';
    const { url, checks } = await authorizationRequest(config, redirectUri);
    const pushed = await client.buildAuthorizationUrlWithPAR(config, url.searchParams);
    const landing = await new UserAgent().signIn(pushed, { redirectUri, fill: ada });
    const tokens = await client.authorizationCodeGrant(config, landing.url, checks);
    assert.equal(claimsOf(tokens.access_token).cnf['x5t#S256'], thumbprint(shown));
  });
});
