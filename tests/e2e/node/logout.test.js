// Logout as apps see it: express-openid-connect over the back channel, a page of an app's own in a
// frame, and the check session iframe, in Chromium.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';

import express from 'express';
import expressOpenidConnect from 'express-openid-connect';

import { launch, screenshot, violations } from './harness/chromium.js';
import { createClient, dev, freePort } from './harness/russet.js';

/** Polls until `outcome` answers something true. */
async function eventually(outcome, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await outcome();
    if (value) return value;
    if (Date.now() > end) throw new Error('it never came about');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A store as express-openid-connect wants one for back-channel logout. */
class Memory {
  #kept = new Map();
  get(key, answer) {
    answer(null, this.#kept.get(key));
  }
  set(key, value, answer) {
    this.#kept.set(key, value);
    answer(null);
  }
  destroy(key, answer) {
    this.#kept.delete(key);
    answer(null);
  }
}

/** An app written with express-openid-connect, registered at the broker; `/` says who is signed in. */
async function expressApp(name, metadata = () => ({})) {
  const port = await freePort();
  const baseURL = `http://127.0.0.1:${port}`;
  const registered = await createClient({
    kind: 'web',
    'client-name': name,
    'redirect-uri': `${baseURL}/callback`,
    'post-logout-redirect-uri': baseURL,
    'first-party': true,
    'backchannel-logout-uri': `${baseURL}/backchannel-logout`,
    ...metadata(baseURL),
  });
  const app = express();
  app.use(
    expressOpenidConnect.auth({
      issuerBaseURL: dev.issuer,
      baseURL,
      clientID: registered.client_id,
      clientSecret: registered.client_secret,
      secret: randomBytes(32).toString('hex'),
      authRequired: false,
      idpLogout: true,
      idTokenSigningAlg: registered.id_token_signed_response_alg,
      authorizationParams: { response_type: 'code', scope: 'openid profile' },
      backchannelLogout: { store: new Memory() },
      session: { name: `session${port}` },
    }),
  );
  app.get('/', (request, response) => {
    response.json({ sub: request.oidc.idTokenClaims?.sub ?? null });
  });
  const server = createServer(app);
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { baseURL, registered, server };
}

describe('logout', () => {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  async function visit(act) {
    const context = await browser.newContext();
    try {
      await act(await context.newPage());
    } finally {
      await context.close();
    }
  }

  const signedIn = async (tab, app) => {
    await tab.goto(app.baseURL);
    return JSON.parse(await tab.locator('pre').innerText()).sub;
  };

  it('over the back channel ends the sessions of express-openid-connect', async () => {
    const apps = [
      await expressApp('First'),
      await expressApp('Second'),
    ];
    try {
      await visit(async (tab) => {
        const [first, second] = apps;
        await tab.goto(`${first.baseURL}/login`);
        await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
        await tab.waitForURL((url) => url.origin === first.baseURL);
        // The broker knows the person by now.
        await tab.goto(`${second.baseURL}/login`);
        await tab.waitForURL((url) => url.origin === second.baseURL);
        const sub = await signedIn(tab, first);
        assert.ok(sub);
        assert.equal(await signedIn(tab, second), sub);
        await tab.goto(`${second.baseURL}/logout`);
        await tab.waitForURL((url) => url.origin === second.baseURL);
        await eventually(async () => (await signedIn(tab, first)) === null);
        assert.equal(await signedIn(tab, second), null);
      });
    } finally {
      for (const app of apps) app.server.close();
    }
  });

  it('loads the page of each app in a frame, then goes back', async () => {
    const app = await expressApp('Framed', (baseURL) => ({
      'frontchannel-logout-uri': `${baseURL}/front?tenant=1`,
      'frontchannel-logout-session-required': true,
    }));
    try {
      await visit(async (tab) => {
        await tab.goto(`${app.baseURL}/login`);
        await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
        await tab.waitForURL((url) => url.origin === app.baseURL);
        const refused = [];
        tab.on('console', (message) => {
          if (/Content.Security.Policy/i.test(message.text())) refused.push(message.text());
        });
        const frames = [];
        await tab.route(`${app.baseURL}/front**`, (route) => {
          frames.push(new URL(route.request().url()));
          return route.fulfill({ contentType: 'text/html', body: 'bye' });
        });
        // Without its script the page stays, to be looked at.
        await tab.route('**/frontchannel.js', (route) => route.abort());
        await tab.goto(`${app.baseURL}/logout`);
        await tab.locator('h1', { hasText: 'You are signed out' }).waitFor();
        assert.deepEqual(await violations(tab), []);
        await screenshot(tab, 'signing-out');
        await tab.locator('#logout-continue').click();
        await tab.waitForURL((url) => url.origin === app.baseURL && url.pathname === '/');
        assert.equal(frames.length, 1);
        assert.equal(frames[0].searchParams.get('tenant'), '1');
        assert.equal(frames[0].searchParams.get('iss'), dev.issuer);
        assert.ok(frames[0].searchParams.get('sid'));

        await tab.unroute('**/frontchannel.js');
        await tab.goto(`${app.baseURL}/login`);
        await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
        await tab.waitForURL((url) => url.origin === app.baseURL);
        await tab.goto(`${app.baseURL}/logout`).catch(() => null);
        await tab.waitForURL((url) => url.origin === app.baseURL && url.pathname === '/');
        assert.equal(frames.length, 2);
        assert.deepEqual(refused, []);
      });
    } finally {
      app.server.close();
    }
  });

  it('is noticed by the check session iframe', async () => {
    const app = await expressApp('Watching');
    try {
      await visit(async (tab) => {
        let state;
        tab.on('request', (request) => {
          const url = new URL(request.url());
          if (url.origin === app.baseURL && url.pathname === '/callback') {
            state = url.searchParams.get('session_state');
          }
        });
        await tab.goto(`${app.baseURL}/login`);
        await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
        await tab.waitForURL((url) => url.origin === app.baseURL && url.pathname === '/');
        assert.ok(state);
        const discovered = await fetch(`${dev.issuer}/.well-known/openid-configuration`);
        const { check_session_iframe: iframe } = await discovered.json();
        const ask = async (message) => {
          await tab.goto(app.baseURL);
          return tab.evaluate(
            ([src, text]) =>
              new Promise((resolve) => {
                addEventListener('message', (event) => resolve(event.data));
                const frame = document.createElement('iframe');
                frame.src = src;
                frame.onload = () => frame.contentWindow.postMessage(text, new URL(src).origin);
                document.body.append(frame);
              }),
            [iframe, message],
          );
        };
        // An app's own frame asks, the frame beside it answers (OIDC Session Management 1.0 §3.1).
        const askFromFrame = async (message) => {
          await tab.goto(app.baseURL);
          return tab.evaluate(
            ([src, text]) =>
              new Promise((resolve) => {
                addEventListener('message', (event) => resolve(event.data));
                const provider = document.createElement('iframe');
                provider.src = src;
                provider.onload = () => {
                  const party = document.createElement('iframe');
                  party.srcdoc = `<script>
                    addEventListener('message', (event) => parent.postMessage(event.data, '*'));
                    parent.frames[0].postMessage(${JSON.stringify(text)}, ${JSON.stringify(new URL(src).origin)});
                  </script>`;
                  document.body.append(party);
                };
                document.body.append(provider);
              }),
            [iframe, message],
          );
        };
        const message = `${app.registered.client_id} ${state}`;
        assert.equal(await ask(message), 'unchanged');
        assert.equal(await askFromFrame(message), 'unchanged');
        assert.equal(await ask(`another-client ${state}`), 'changed');
        assert.equal(await ask('nonsense'), 'error');
        await tab.goto(`${app.baseURL}/logout`);
        await tab.waitForURL((url) => url.origin === app.baseURL && url.pathname === '/');
        assert.equal(await ask(message), 'changed');
      });
    } finally {
      app.server.close();
    }
  });
});
