// oauth4webapi (npm): pushed and signed requests, private_key_jwt, DPoP; with FAPI 2.0 and without.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { exportJWK } from 'jose';
import * as oauth from 'oauth4webapi';

import { createClient, dev, notingFetch, remember } from './harness/russet.js';
import { UserAgent } from './harness/user_agent.js';

const redirectUri = 'http://127.0.0.1:49883/callback';
const loopback = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: notingFetch };
const scope = 'openid profile email offline_access';

/** A client that holds a key of its own, and the key. */
async function register(alg, options) {
  const pair = await oauth.generateKeyPair(alg, { extractable: true });
  const kid = `${alg}-of-the-client`;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' };
  const registered = await createClient({
    kind: 'web',
    'client-name': `oauth4webapi, ${options.profile ?? 'oidc'}, ${alg}`,
    'redirect-uri': redirectUri,
    'first-party': true,
    'token-endpoint-auth-method': 'private_key_jwt',
    'id-token-signed-response-alg': alg,
    jwks: JSON.stringify({ keys: [jwk] }),
    ...options,
  });
  const key = { key: pair.privateKey, kid };
  return {
    client: { client_id: registered.client_id, id_token_signed_response_alg: alg },
    key,
    authentication: () => oauth.PrivateKeyJwt(key),
  };
}

/** Once more, when the first answer only handed out a nonce (RFC 9449 §8). */
async function withNonce(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return attempt();
  }
}

const refusal = (promise) =>
  promise.then(
    () => assert.fail('it was not refused'),
    (error) => error.error ?? error.cause?.[0]?.parameters?.error ?? error,
  );

describe('oauth4webapi', () => {
  let server;
  before(async () => {
    const issuer = new URL(dev.issuer);
    const answer = await oauth.discoveryRequest(issuer, loopback);
    server = await oauth.processDiscoveryResponse(issuer, answer);
  });

  /** What an authorization request says, and what its answer is checked against. */
  async function request({ client }, more = {}) {
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const nonce = oauth.generateRandomNonce();
    const parameters = new URLSearchParams({
      client_id: client.client_id,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...more,
    });
    return { parameters, verifier, state, nonce };
  }

  /** Signs the parameters (RFC 9101); only the object and the client_id remain outside. */
  async function sign({ client, key }, parameters) {
    const object = await oauth.issueRequestObject(server, client, parameters, key);
    return new URLSearchParams({ client_id: client.client_id, request: object });
  }

  async function push(party, parameters, DPoP) {
    return withNonce(async () => {
      const answer = await oauth.pushedAuthorizationRequest(
        server,
        party.client,
        party.authentication(),
        parameters,
        { ...loopback, DPoP },
      );
      return oauth.processPushedAuthorizationResponse(server, party.client, answer);
    });
  }

  async function land(party, parameters, agent = new UserAgent()) {
    const url = new URL(server.authorization_endpoint);
    url.search = parameters;
    return agent.signIn(url, { redirectUri });
  }

  const pushed = ({ client }, { request_uri }) =>
    new URLSearchParams({ client_id: client.client_id, request_uri });

  async function redeem(party, landing, { verifier, state, nonce }, DPoP) {
    const answer = oauth.validateAuthResponse(server, party.client, landing.url, state);
    return withNonce(async () => {
      const response = await oauth.authorizationCodeGrantRequest(
        server,
        party.client,
        party.authentication(),
        answer,
        redirectUri,
        verifier,
        { ...loopback, DPoP },
      );
      const tokens = await oauth.processAuthorizationCodeResponse(server, party.client, response, {
        expectedNonce: nonce,
        requireIdToken: true,
      });
      // The signature too, which the library leaves to whoever wants it.
      await oauth.validateApplicationLevelSignature(server, response, loopback);
      return tokens;
    });
  }

  async function refresh(party, token, DPoP) {
    return withNonce(async () => {
      const response = await oauth.refreshTokenGrantRequest(
        server,
        party.client,
        party.authentication(),
        token,
        { ...loopback, DPoP },
      );
      return oauth.processRefreshTokenResponse(server, party.client, response);
    });
  }

  async function userinfo(party, { access_token }, sub, DPoP) {
    return withNonce(async () => {
      const response = await oauth.userInfoRequest(server, party.client, access_token, {
        ...loopback,
        DPoP,
      });
      return oauth.processUserInfoResponse(server, party.client, sub, response);
    });
  }

  const newKey = async (party, alg = 'ES256') => {
    const pair = await oauth.generateKeyPair(alg);
    return oauth.DPoP(party.client, pair);
  };

  for (const alg of ['ES256', 'PS256', 'Ed25519']) {
    it(`goes the whole way as FAPI 2.0 wants it, with ${alg}`, async () => {
      const registered = alg === 'Ed25519' ? 'EdDSA' : alg;
      const party = await register(alg, {
        profile: 'fapi2',
        'dpop-bound-access-tokens': true,
        'id-token-signed-response-alg': registered,
      });
      party.client.id_token_signed_response_alg = registered;
      const key = await newKey(party, alg);
      const asked = await request(party);
      const handle = await push(party, asked.parameters, key);
      assert.ok(handle.expires_in >= 5);
      const landing = await land(party, pushed(party, handle));
      const tokens = await redeem(party, landing, asked, key);
      assert.equal(tokens.token_type, 'dpop');
      const { sub } = oauth.getValidatedIdTokenClaims(tokens);
      assert.match((await userinfo(party, tokens, sub, key)).name, /Ada/);

      // A confidential client may come with another key; the proof alone is demanded.
      const fresh = await newKey(party, alg);
      const later = await refresh(party, tokens.refresh_token, fresh);
      assert.equal(later.token_type, 'dpop');
      assert.match((await userinfo(party, later, sub, fresh)).name, /Ada/);
    });
  }

  it('signs what it pushes, for a client that must', async () => {
    const party = await register('PS256', {
      profile: 'fapi2',
      'dpop-bound-access-tokens': true,
      'require-signed-request-object': true,
    });
    const key = await newKey(party);
    const asked = await request(party);
    assert.equal(await refusal(push(party, asked.parameters, key)), 'invalid_request');
    const handle = await push(party, await sign(party, asked.parameters), key);
    const tokens = await redeem(party, await land(party, pushed(party, handle)), asked, key);
    assert.equal(tokens.token_type, 'dpop');
  });

  it('refuses FAPI 2.0 what is not pushed, not bound, or bound to another key', async () => {
    const party = await register('ES256', { profile: 'fapi2', 'dpop-bound-access-tokens': true });
    const asked = await request(party);
    const direct = await land(party, asked.parameters);
    assert.ok(!direct.parameters?.get('code'), 'a request that was not pushed');

    const key = await newKey(party);
    const handle = await push(party, asked.parameters, key);
    const landing = await land(party, pushed(party, handle));
    const other = await newKey(party);
    assert.match(
      await refusal(redeem(party, landing, asked, other)),
      /invalid_grant|invalid_request|invalid_dpop_proof/,
    );

    const again = await request(party);
    const good = await push(party, again.parameters, key);
    const tokens = await redeem(party, await land(party, pushed(party, good)), again, key);
    const { sub } = oauth.getValidatedIdTokenClaims(tokens);
    await assert.rejects(userinfo(party, tokens, sub, other), 'another key than it is bound to');
    const unbound = await fetch(server.userinfo_endpoint, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    assert.equal(unbound.status, 401, 'as if it were a bearer token');
  });

  it('sends a signed request by value, without a profile', async () => {
    const party = await register('ES256', { 'request-object-signing-alg': 'ES256' });
    const asked = await request(party);
    const signed = await sign(party, asked.parameters);
    // RFC 9101 §5: what OpenID Connect wants to see outside as well.
    signed.set('response_type', 'code');
    signed.set('scope', 'openid');
    const tokens = await redeem(party, await land(party, signed), asked);
    assert.equal(tokens.token_type, 'bearer');
    const { sub } = oauth.getValidatedIdTokenClaims(tokens);
    assert.match((await userinfo(party, tokens, sub)).name, /Ada/);
    assert.ok((await refresh(party, tokens.refresh_token)).access_token);
  });

  it('believes no request object that another key signed', async () => {
    const party = await register('ES256', { 'request-object-signing-alg': 'ES256' });
    const stranger = await register('ES256', {});
    const asked = await request(party);
    const key = { ...stranger.key, kid: party.key.kid };
    const forged = await sign({ ...party, key }, asked.parameters);
    forged.set('redirect_uri', redirectUri);
    const landing = await land(party, forged);
    assert.ok(!landing.parameters?.get('code'));
  });

  it('refuses an assertion that was seen before', async () => {
    const resource = dev.demo_api.identifier;
    const party = await register('ES256', {
      'grant-type': ['authorization_code', 'client_credentials'],
      resource,
    });
    let body;
    const answer = await oauth.clientCredentialsGrantRequest(
      server,
      party.client,
      party.authentication(),
      { resource },
      {
        ...loopback,
        [oauth.customFetch]: (url, options) => {
          body = new URLSearchParams(options.body);
          return notingFetch(url, options);
        },
      },
    );
    const tokens = await oauth.processClientCredentialsResponse(server, party.client, answer);
    assert.ok(tokens.access_token);
    remember(body.get('client_assertion'));
    const replayed = await fetch(server.token_endpoint, { method: 'POST', body });
    assert.equal(replayed.status, 401);
    assert.equal((await replayed.json()).error, 'invalid_client');
  });

  it('binds without a profile too, for a client without a secret', async () => {
    const registered = await createClient({
      kind: 'spa',
      'client-name': 'oauth4webapi in a browser',
      'redirect-uri': redirectUri,
      'first-party': true,
      'dpop-bound-access-tokens': true,
    });
    const party = { client: { client_id: registered.client_id }, authentication: oauth.None };
    const key = await newKey(party);
    const asked = await request(party);
    const tokens = await redeem(party, await land(party, asked.parameters), asked, key);
    assert.equal(tokens.token_type, 'dpop');
    // RFC 9449 §5: a public client's refresh token is bound as well.
    assert.ok(await refusal(refresh(party, tokens.refresh_token, await newKey(party))));
    assert.equal((await refresh(party, tokens.refresh_token, key)).token_type, 'dpop');
  });
});
