// openid-client (npm) as relying party, through the simulated Apple.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import * as client from 'openid-client';

import { authorizationRequest, relyingParty, signIn } from './harness/relying_party.js';
import { createClient, dev } from './harness/russet.js';
import { Landing, UserAgent } from './harness/user_agent.js';

const web = dev.clients.web;
const redirectUri = web.redirect_uris[0];
const api = dev.demo_api.identifier;

/** The OAuth error code a promise is rejected with. */
const refusal = (promise) =>
  promise.then(
    () => assert.fail('it was not refused'),
    (error) => error.error ?? error.cause?.error ?? error,
  );

/** The ID token's own idea of how it is checked is the library's; this is an API's. */
async function checkAccessToken(token, config) {
  const keys = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const { payload } = await jwtVerify(token, keys, {
    issuer: dev.issuer,
    audience: api,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'client_id', 'jti', 'iat', 'exp'],
  });
  return payload;
}

describe('a web application with openid-client', () => {
  let config;
  before(async () => {
    config = await relyingParty(web);
  });

  it('turns a code into an ID token, an access token and a refresh token', async () => {
    const tokens = await signIn(config, new UserAgent(), redirectUri);
    const claims = tokens.claims();
    assert.equal(claims.iss, dev.issuer);
    assert.equal(claims.aud, web.client_id);
    assert.ok(tokens.refresh_token);
    assert.equal(tokens.token_type.toLowerCase(), 'bearer');
    const access = await checkAccessToken(tokens.access_token, config);
    assert.equal(access.sub, claims.sub);
    assert.equal(access.client_id, web.client_id);
  });

  it("hands out nothing of Apple's", async () => {
    const tokens = await signIn(config, new UserAgent(), redirectUri);
    for (const token of [tokens.access_token, tokens.id_token]) {
      const payload = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
      assert.equal(payload.iss, dev.issuer);
      assert.ok(!JSON.stringify(payload).includes(new URL(dev.apple.url).host));
    }
  });

  it('answers userinfo with the name and e-mail address that Apple gave', async () => {
    const tokens = await signIn(config, new UserAgent(), redirectUri, { person: 'Ada' });
    const { sub } = tokens.claims();
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub);
    assert.equal(userinfo.sub, sub);
    assert.match(userinfo.name, /Ada/);
    assert.match(userinfo.email, /@/);
    assert.equal(userinfo.email_verified, true);
  });

  it('knows the same person again', async () => {
    const first = await signIn(config, new UserAgent(), redirectUri);
    const second = await signIn(config, new UserAgent(), redirectUri);
    assert.equal(first.claims().sub, second.claims().sub);
  });

  it('accepts the answer by form_post', async () => {
    const tokens = await signIn(config, new UserAgent(), redirectUri, {
      parameters: { response_mode: 'form_post' },
    });
    assert.ok(tokens.claims().sub);
  });

  it('signs in silently while the session lasts, and only then', async () => {
    const agent = new UserAgent();
    const silent = { prompt: 'none' };
    const { url } = await authorizationRequest(config, redirectUri, silent);
    const refused = await agent.open(url, { redirectUri });
    assert.equal(refused.parameters.get('error'), 'login_required');
    assert.equal(refused.parameters.get('iss'), dev.issuer);

    const first = await signIn(config, agent, redirectUri);
    const second = await signIn(config, agent, redirectUri, { parameters: silent });
    assert.equal(second.claims().sub, first.claims().sub);
  });

  it('introspects its tokens', async () => {
    const tokens = await signIn(config, new UserAgent(), redirectUri);
    const access = await client.tokenIntrospection(config, tokens.access_token);
    assert.equal(access.active, true);
    assert.equal(access.sub, tokens.claims().sub);
    assert.equal(access.client_id, web.client_id);
    const unknown = await client.tokenIntrospection(config, 'no-token-of-ours');
    assert.deepEqual(unknown, { active: false });
  });

  it('rotates refresh tokens, and forgives a lost answer', async () => {
    const tokens = await signIn(config, new UserAgent(), redirectUri);
    const lost = await client.refreshTokenGrant(config, tokens.refresh_token);
    const again = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.notEqual(lost.refresh_token, tokens.refresh_token);
    assert.notEqual(again.refresh_token, tokens.refresh_token);
    assert.ok((await client.refreshTokenGrant(config, again.refresh_token)).refresh_token);
  });

  it('loses the whole family when a refresh token is used after its successor was', async () => {
    const tokens = await signIn(config, new UserAgent(), redirectUri);
    const second = await client.refreshTokenGrant(config, tokens.refresh_token);
    const third = await client.refreshTokenGrant(config, second.refresh_token);
    assert.equal(
      await refusal(client.refreshTokenGrant(config, tokens.refresh_token)),
      'invalid_grant',
    );
    assert.equal(
      await refusal(client.refreshTokenGrant(config, third.refresh_token)),
      'invalid_grant',
    );
    const access = await client.tokenIntrospection(config, third.access_token);
    assert.equal(access.active, false);
  });

  it('revokes: the refresh token and the access that hangs on it end', async () => {
    const tokens = await signIn(config, new UserAgent(), redirectUri);
    await client.tokenRevocation(config, tokens.refresh_token);
    assert.equal(
      await refusal(client.refreshTokenGrant(config, tokens.refresh_token)),
      'invalid_grant',
    );
    const access = await client.tokenIntrospection(config, tokens.access_token);
    assert.equal(access.active, false);
  });

  it('signs out at the broker and comes back with its state', async () => {
    const agent = new UserAgent();
    const tokens = await signIn(config, agent, redirectUri);
    const postLogout = dev.demo_app.url.replace(/\/?$/, '/');
    const url = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: postLogout,
      state: 'after-sign-out',
    });
    const landing = await agent.open(url, { redirectUri: postLogout });
    assert.ok(landing instanceof Landing, 'no question is asked when the hint is right');
    assert.equal(landing.parameters.get('state'), 'after-sign-out');

    const silent = await authorizationRequest(config, redirectUri, { prompt: 'none' });
    const refused = await agent.open(silent.url, { redirectUri });
    assert.equal(refused.parameters.get('error'), 'login_required');
  });

  it('reports a person who cancelled at Apple', async () => {
    const { url, checks } = await authorizationRequest(config, redirectUri);
    const landing = await new UserAgent().signIn(url, { redirectUri, person: 'cancel' });
    assert.equal(landing.parameters.get('error'), 'access_denied');
    assert.equal(landing.parameters.get('state'), checks.expectedState);
    assert.equal(landing.parameters.get('iss'), dev.issuer);
  });
});

describe('what the broker refuses', () => {
  let config;
  before(async () => {
    config = await relyingParty(web);
  });

  it('refuses a wrong code_verifier', async () => {
    const { url, checks } = await authorizationRequest(config, redirectUri);
    const landing = await new UserAgent().signIn(url, { redirectUri });
    const wrong = { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() };
    assert.equal(
      await refusal(client.authorizationCodeGrant(config, landing.url, wrong)),
      'invalid_grant',
    );
  });

  it('refuses a code the second time, and ends what it gave', async () => {
    const { url, checks } = await authorizationRequest(config, redirectUri);
    const landing = await new UserAgent().signIn(url, { redirectUri });
    const tokens = await client.authorizationCodeGrant(config, landing.url, checks);
    assert.equal(
      await refusal(client.authorizationCodeGrant(config, landing.url, checks)),
      'invalid_grant',
    );
    const access = await client.tokenIntrospection(config, tokens.access_token);
    assert.equal(access.active, false);
    assert.equal(
      await refusal(client.refreshTokenGrant(config, tokens.refresh_token)),
      'invalid_grant',
    );
  });

  it("refuses another client's code", async () => {
    const other = await createClient({
      kind: 'web',
      'client-name': 'Another application',
      'redirect-uri': redirectUri,
      'first-party': true,
    });
    const { url, checks } = await authorizationRequest(config, redirectUri);
    const landing = await new UserAgent().signIn(url, { redirectUri });
    const stranger = await relyingParty(other);
    assert.equal(
      await refusal(client.authorizationCodeGrant(stranger, landing.url, checks)),
      'invalid_grant',
    );
  });

  it('refuses a wrong secret', async () => {
    const wrong = await relyingParty({ ...web, client_secret: 'not-the-secret-of-this-client' });
    // RFC 6749 §5.2: 401 with the challenge of the scheme that was used.
    await assert.rejects(client.refreshTokenGrant(wrong, 'whatever'), { status: 401 });
  });

  it('never redirects to an unregistered redirect_uri', async () => {
    const elsewhere = 'http://127.0.0.1:9/elsewhere';
    const { url } = await authorizationRequest(config, elsewhere);
    const page = await new UserAgent().open(url, { redirectUri: elsewhere });
    assert.equal(page.status, 400);
    assert.match(page.headers.get('content-type'), /text\/html/);
  });

  it('refuses a public client without PKCE, by redirect', async () => {
    const spa = dev.clients.spa;
    const publicConfig = await relyingParty(spa);
    const [spaRedirect] = spa.redirect_uris;
    const { url, checks } = await authorizationRequest(publicConfig, spaRedirect);
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    const landing = await new UserAgent().open(url, { redirectUri: spaRedirect });
    assert.equal(landing.parameters.get('error'), 'invalid_request');
    assert.equal(landing.parameters.get('state'), checks.expectedState);
  });

  it('refuses a response_type it does not speak, by redirect', async () => {
    const { url } = await authorizationRequest(config, redirectUri, { response_type: 'token' });
    const landing = await new UserAgent().open(url, { redirectUri });
    assert.equal(landing.parameters.get('error'), 'unsupported_response_type');
  });

  it('refuses a callback whose state belongs to another browser', async () => {
    const { url } = await authorizationRequest(config, redirectUri);
    const victim = new UserAgent();
    const attacker = new UserAgent();
    // The attacker stops at Apple's answer and has the victim's browser deliver it.
    let page = await attacker.open(url);
    while (page.forms.length === 1 && page.url.origin !== new URL(dev.apple.url).origin) {
      page = await attacker.press(page);
    }
    const answer = await attacker.press(page, {
      choose: (button) => /continue as/i.test(button.text) && button.text.includes('Ada'),
    });
    let delivered = await victim.press(answer);
    if (delivered.forms.length === 1 && delivered.status === 200) {
      delivered = await victim.press(delivered, { redirectUri });
    }
    assert.ok(!(delivered instanceof Landing), 'the victim must not be signed in as the attacker');
    assert.ok(delivered.status >= 400);
  });
});

describe('a client of each kind', () => {
  it('gives a machine a token of its own, for its API', async () => {
    const config = await relyingParty(dev.clients.machine);
    const tokens = await client.clientCredentialsGrant(config, {
      scope: 'orders:read',
      resource: api,
    });
    const claims = await checkAccessToken(tokens.access_token, config);
    assert.equal(claims.sub, dev.clients.machine.client_id);
    assert.equal(claims.scope, 'orders:read');
    assert.equal(tokens.refresh_token, undefined);
    const answer = await fetch(new URL('/orders', dev.demo_api.url), {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    });
    assert.equal(answer.status, 200);
  });

  it('refuses a machine a resource that is not registered', async () => {
    const config = await relyingParty(dev.clients.machine);
    const resource = 'https://nowhere.example/api';
    assert.equal(
      await refusal(client.clientCredentialsGrant(config, { resource })),
      'invalid_target',
    );
  });

  it('lets a native app choose its loopback port (RFC 8252 §7.3)', async () => {
    const native = await createClient({
      kind: 'native',
      'client-name': 'A desktop app',
      'redirect-uri': 'http://127.0.0.1/callback',
      'first-party': true,
    });
    const config = await relyingParty(native);
    const tokens = await signIn(config, new UserAgent(), 'http://127.0.0.1:49877/callback');
    assert.ok(tokens.claims().sub);
  });

  for (const alg of ['RS256', 'ES256', 'PS256', 'EdDSA']) {
    it(`signs ID tokens with ${alg} when the client asks for it`, async () => {
      const registered = await createClient({
        kind: 'web',
        'client-name': `Reads ${alg}`,
        'redirect-uri': redirectUri,
        'id-token-signed-response-alg': alg,
        'first-party': true,
      });
      const config = await relyingParty(registered, {
        metadata: { id_token_signed_response_alg: alg },
      });
      const tokens = await signIn(config, new UserAgent(), redirectUri);
      assert.equal(decodeProtectedHeader(tokens.id_token).alg, alg);
      const keys = createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
      await jwtVerify(tokens.id_token, keys, {
        issuer: dev.issuer,
        audience: registered.client_id,
        algorithms: [alg],
      });
    });
  }

  it('asks a third-party client’s users for consent once, and remembers it', async () => {
    const registered = await createClient({
      kind: 'web',
      'client-name': 'A stranger',
      'redirect-uri': redirectUri,
      'first-party': false,
    });
    const config = await relyingParty(registered);
    const agent = new UserAgent();
    const denied = await authorizationRequest(config, redirectUri);
    const landing = await agent.signIn(denied.url, { redirectUri, consent: 'deny' });
    assert.equal(landing.parameters.get('error'), 'access_denied');

    await signIn(config, agent, redirectUri);
    const silent = await signIn(config, agent, redirectUri, { parameters: { prompt: 'none' } });
    assert.ok(silent.claims().sub);
  });
});
