// The generic OIDC connector, against oidc-provider (npm): another provider, another code base.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import * as client from 'openid-client';
import Provider from 'oidc-provider';

import { startBroker } from './harness/broker.js';
import { authorizationRequest, relyingParty, signIn } from './harness/relying_party.js';
import { createClient, freePort } from './harness/russet.js';
import { UserAgent } from './harness/user_agent.js';

const redirectUri = 'http://127.0.0.1:49878/callback';

/** oidc-provider on `localhost`, another site than the broker on `127.0.0.1`. */
async function neighbour(callback) {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const upstreamSecret = randomBytes(24).toString('base64url');
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'russet',
        client_secret: upstreamSecret,
        redirect_uris: [callback],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: `Person ${id}`,
        email: `${id}@neighbour.example`,
        email_verified: true,
      }),
    }),
  });
  const server = provider.listen(port, 'localhost');
  await new Promise((resolve) => server.once('listening', resolve));
  return { issuer, upstreamSecret, stop: () => server.close() };
}

describe('the generic OIDC connector', () => {
  let upstream;
  let broker;
  let config;

  before(async () => {
    broker = await startBroker('generic', async ({ issuer }) => {
      upstream = await neighbour(`${issuer}/upstream/neighbour/callback`);
      return `[[connections]]
id = "neighbour"
name = "The neighbour"
issuer = "${upstream.issuer}"
client_id = "russet"
client_secret = "${upstream.upstreamSecret}"
scopes = ["openid", "profile", "email"]
`;
    });
    const registered = await createClient(
      {
        kind: 'web',
        'client-name': 'Neighbourly',
        'redirect-uri': redirectUri,
        'first-party': true,
      },
      broker,
    );
    config = await relyingParty(registered, broker);
  });

  after(async () => {
    upstream?.stop();
    assert.equal(await broker?.stop(), 0, 'SIGTERM ends with 0');
  });

  it('signs a person in and answers with tokens of its own', async () => {
    const fill = { login: 'grace', password: 'anything' };
    const tokens = await signIn(config, new UserAgent(), redirectUri, { fill });
    const { iss, sub } = tokens.claims();
    assert.equal(iss, broker.issuer);
    assert.notEqual(sub, 'grace', 'the upstream subject is not the sub that clients see');
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub);
    assert.equal(userinfo.name, 'Person grace');
    assert.equal(userinfo.email, 'grace@neighbour.example');
  });

  it('knows the person again, and tells two people apart', async () => {
    const subjectOf = async (login) => {
      const fill = { login, password: 'anything' };
      const tokens = await signIn(config, new UserAgent(), redirectUri, { fill });
      return tokens.claims().sub;
    };
    const grace = await subjectOf('grace');
    assert.equal(await subjectOf('grace'), grace);
    assert.notEqual(await subjectOf('edsger'), grace);
  });

  it('refuses an answer whose state it never gave', async () => {
    const { url } = await authorizationRequest(config, redirectUri);
    const agent = new UserAgent();
    await agent.open(url);
    const forged = new URL(`${broker.issuer}/upstream/neighbour/callback`);
    forged.search = new URLSearchParams({ code: 'x', state: 'y', iss: upstream.issuer });
    const page = await agent.open(forged, { redirectUri });
    assert.ok(page.status >= 400 && page.status < 500);
  });
});
