// openid-client set up as an application would: discovery, code with PKCE, state and nonce.

import * as client from 'openid-client';

import { dev, notingFetch } from './russet.js';

/** openid-client's configuration for a registered client of the broker at `issuer`. */
export async function relyingParty(registered, { issuer = dev.issuer, metadata = {} } = {}) {
  const { client_id, client_secret, token_endpoint_auth_method: method } = registered;
  const authentication = !client_secret
    ? client.None()
    : method === 'client_secret_post'
      ? client.ClientSecretPost(client_secret)
      : client.ClientSecretBasic(client_secret);
  return client.discovery(new URL(issuer), client_id, metadata, authentication, {
    execute: [client.allowInsecureRequests],
    [client.customFetch]: notingFetch,
  });
}

/** An authorization request and the checks its answer must pass. */
export async function authorizationRequest(config, redirectUri, parameters = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid profile email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...parameters,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true } };
}

/** A whole sign-in; answers the token response. */
export async function signIn(config, agent, redirectUri, { parameters, ...person } = {}) {
  const { url, checks } = await authorizationRequest(config, redirectUri, parameters);
  const landing = await agent.signIn(url, { redirectUri, ...person });
  const callback = landing.form
    ? new Request(landing.url, { method: 'POST', body: landing.form })
    : landing.url;
  return client.authorizationCodeGrant(config, callback, checks);
}
