// oidc-client-ts (npm) as a single-page application in Chromium, on an origin of its own.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { launch, screenshot } from './harness/chromium.js';
import { createClient, dev, freePort, remember } from './harness/russet.js';

const library = join(
  dirname(createRequire(import.meta.url).resolve('oidc-client-ts/package.json')),
  'dist/browser/oidc-client-ts.min.js',
);

const page = `<!doctype html><html lang="en"><head><title>SPA</title>
<link rel="icon" href="data:,"></head><body><h1>SPA</h1>
<script src="/oidc.js"></script></body></html>`;

describe('a single-page application with oidc-client-ts', () => {
  let server;
  let browser;
  let tab;
  let origin;
  let settings;
  const complaints = [];

  before(async () => {
    const port = await freePort();
    // `localhost` beside the broker's 127.0.0.1: another origin and another site.
    origin = `http://localhost:${port}`;
    server = createServer((request, response) => {
      const script = request.url === '/oidc.js';
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
      response.end(script ? readFileSync(library) : page);
    }).listen(port, 'localhost');
    const registered = await createClient({
      kind: 'spa',
      'client-name': 'A single-page application',
      'redirect-uri': `${origin}/callback`,
      'post-logout-redirect-uri': `${origin}/`,
      'first-party': true,
    });
    settings = {
      authority: dev.issuer,
      client_id: registered.client_id,
      redirect_uri: `${origin}/callback`,
      post_logout_redirect_uri: `${origin}/`,
      scope: 'openid profile email offline_access',
      loadUserInfo: true,
    };
    browser = await launch();
    tab = await browser.newPage();
    tab.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await tab.goto(`${origin}/`);
  });

  after(async () => {
    await browser?.close();
    server?.close();
  });

  /** Runs `act(manager, argument)` in the page. */
  const inPage = (act, argument) =>
    tab.evaluate(
      ({ source, options, value }) => {
        const manager = new globalThis.oidc.UserManager(options);
        return new Function(`return (${source})`)()(manager, value);
      },
      { source: act.toString(), options: settings, value: argument },
    );

  it('signs in', async () => {
    inPage((manager) => manager.signinRedirect()).catch(() => undefined);
    await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
    await tab.waitForURL(`${origin}/callback?**`);
    const user = await inPage(async (manager) => {
      const signedIn = await manager.signinCallback();
      return { ...signedIn, profile: signedIn.profile };
    });
    remember(user.access_token, user.refresh_token, user.id_token);
    assert.equal(user.profile.iss, dev.issuer);
    assert.match(user.profile.name, /Ada/);
    assert.ok(user.refresh_token);
    await screenshot(tab, 'spa-signed-in');
  });

  it('renews with its refresh token, without leaving the page', async () => {
    const [before, renewed] = await inPage(async (manager) => {
      const old = await manager.getUser();
      const fresh = await manager.signinSilent();
      return [old.refresh_token, fresh.refresh_token];
    });
    remember(before, renewed);
    assert.ok(renewed);
    assert.notEqual(renewed, before);
  });

  it('revokes its tokens', async () => {
    const refreshToken = await inPage(async (manager) => {
      const { refresh_token: token } = await manager.getUser();
      await manager.revokeTokens(['refresh_token']);
      return token;
    });
    const answer = await tab.evaluate(
      async ({ issuer, clientId, token }) => {
        const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
        const response = await fetch(metadata.token_endpoint, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'refresh_token',
            client_id: clientId,
            refresh_token: token,
          }),
        });
        return [response.status, (await response.json()).error];
      },
      { issuer: dev.issuer, clientId: settings.client_id, token: refreshToken },
    );
    assert.deepEqual(answer, [400, 'invalid_grant']);
  });

  it('signs out and comes back', async () => {
    inPage((manager) => manager.signoutRedirect()).catch(() => undefined);
    await tab.waitForURL((url) => url.href.startsWith(`${origin}/`) && url.pathname === '/');
    const silent = await inPage((manager) =>
      manager.signinSilent({ silentRequestTimeoutInSeconds: 5 }).then(
        () => 'signed in',
        () => 'not signed in',
      ),
    );
    assert.equal(silent, 'not signed in');
  });

  it('was never stopped by CORS or a Content-Security-Policy', () => {
    const stopped = complaints.filter((text) => /CORS|Content.Security.Policy/i.test(text));
    // The silent sign-in after sign-out loads the broker in a frame, which is to be refused.
    assert.deepEqual(stopped.filter((text) => !/frame/i.test(text)), []);
  });

  it('is not readable from an origin nobody registered', async () => {
    const discovery = await fetch(`${dev.issuer}/.well-known/openid-configuration`);
    const metadata = await discovery.json();
    const answer = await fetch(metadata.token_endpoint, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://stranger.example',
        'access-control-request-method': 'POST',
      },
    });
    assert.notEqual(answer.headers.get('access-control-allow-origin'), 'https://stranger.example');
    const authorize = await fetch(metadata.authorization_endpoint, {
      redirect: 'manual',
      headers: { origin },
    });
    assert.equal(authorize.headers.get('access-control-allow-origin'), null);
  });
});
