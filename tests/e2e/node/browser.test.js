// What a person sees, in Chromium: the demo app through the simulated Apple, consent, errors.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, screenshot } from './harness/chromium.js';
import { authorizationRequest, relyingParty } from './harness/relying_party.js';
import { createClient, dev } from './harness/russet.js';

const home = dev.demo_app.url;
const callbackPath = '/upstream/apple/callback';
const redirectUri = dev.clients.web.redirect_uris[0];

describe('in a browser', () => {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  /** A fresh person: no cookies, a tab of their own. */
  async function visit(options, act) {
    const context = await browser.newContext(options);
    try {
      await act(await context.newPage());
    } finally {
      await context.close();
    }
  }

  it('signs in at the demo app through Apple, while Lax cookies are withheld', () =>
    visit({}, async (tab) => {
      const posts = [];
      tab.on('request', (request) => {
        if (request.method() === 'POST' && new URL(request.url()).pathname === callbackPath) {
          posts.push(request);
        }
      });
      await tab.goto(home);
      await screenshot(tab, 'demo-home');
      await tab.locator('#sign-in').click();
      await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
      await tab.waitForURL((url) => url.origin === new URL(home).origin);
      await screenshot(tab, 'demo-signed-in');

      assert.equal(posts.length, 2, "Apple's cross-site POST, then the broker's own");
      const [crossSite, sameOrigin] = await Promise.all(posts.map((post) => post.allHeaders()));
      assert.equal(crossSite.cookie, undefined, 'the browser must withhold every cookie');
      assert.ok(sameOrigin.cookie, 'the second POST carries the cookie that binds the state');
      for (const cookie of await tab.context().cookies(dev.issuer)) {
        assert.ok(['Lax', 'Strict'].includes(cookie.sameSite), `${cookie.name} is too lax`);
        assert.ok(cookie.httpOnly || cookie.name.endsWith("russet_state"), `${cookie.name} is readable by scripts`);
      }
      await tab.locator('#person', { hasText: 'Ada' }).waitFor();
    }));

  it('shows the answer of the demo API, which trusts the broker’s keys only', () =>
    visit({}, async (tab) => {
      await tab.goto(home);
      await tab.locator('#sign-in').click();
      await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
      await tab.waitForURL((url) => url.origin === new URL(home).origin);
      await tab.locator('#call-api').click();
      await tab.locator('#result:not(.bad)').waitFor();
      await screenshot(tab, 'demo-api-answer');
      await tab.locator('#sign-out').click();
      await tab.locator('#sign-in').waitFor();
      assert.equal(new URL(tab.url()).origin, new URL(home).origin);
    }));

  it('signs in without JavaScript', () =>
    visit({ javaScriptEnabled: false }, async (tab) => {
      await tab.goto(home);
      await tab.locator('#sign-in').click();
      await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
      // Apple's form_post page, then the broker's: each waits for a press.
      for (let press = 0; press < 3 && new URL(tab.url()).origin !== new URL(home).origin; press += 1) {
        await tab.locator('[type=submit]').first().click();
      }
      assert.equal(new URL(tab.url()).origin, new URL(home).origin);
      await tab.locator('#person', { hasText: 'Ada' }).waitFor();
    }));

  it('keeps the form of consent inside the policy: Allow leads to a client on another site', () =>
    visit({}, async (tab) => {
      const refused = [];
      tab.on('console', (message) => {
        if (/Content.Security.Policy/i.test(message.text())) refused.push(message.text());
      });
      const elsewhere = 'http://localhost:49879/callback';
      await tab.route(`${elsewhere}**`, (route) =>
        route.fulfill({ contentType: 'text/html', body: '<h1>arrived</h1>' }),
      );
      const registered = await createClient({
        kind: 'web',
        'client-name': 'Elsewhere & Sons',
        'redirect-uri': elsewhere,
        'first-party': false,
      });
      const { url } = await authorizationRequest(await relyingParty(registered), elsewhere);
      await tab.goto(url.href);
      await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
      await tab.locator('#consent-allow').waitFor();
      await tab.getByText('Elsewhere & Sons').first().waitFor();
      await screenshot(tab, 'consent');
      await tab.locator('#consent-allow').click();
      await tab.waitForURL(`${elsewhere}?**`);
      assert.ok(new URL(tab.url()).searchParams.get('code'));
      assert.deepEqual(refused, []);
    }));

  it('sends form_post to a client on another site', () =>
    visit({}, async (tab) => {
      const elsewhere = 'http://localhost:49880/callback';
      let posted;
      await tab.route(`${elsewhere}**`, (route) => {
        posted = new URLSearchParams(route.request().postData() ?? '');
        return route.fulfill({ contentType: 'text/html', body: '<h1>arrived</h1>' });
      });
      const registered = await createClient({
        kind: 'web',
        'client-name': 'Posts',
        'redirect-uri': elsewhere,
        'first-party': true,
      });
      const config = await relyingParty(registered);
      const { url } = await authorizationRequest(config, elsewhere, { response_mode: 'form_post' });
      await tab.goto(url.href);
      await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
      await tab.getByRole('heading', { name: 'arrived' }).waitFor();
      assert.ok(posted.get('code'));
      assert.equal(posted.get('iss'), dev.issuer);
      assert.equal(new URL(tab.url()).search, '', 'nothing may stand in the URL');
    }));

  it('shows an error page for a redirect_uri nobody registered', () =>
    visit({}, async (tab) => {
      const config = await relyingParty(dev.clients.web);
      const { url } = await authorizationRequest(config, 'http://127.0.0.1:9/nowhere');
      const response = await tab.goto(url.href);
      assert.equal(response.status(), 400);
      assert.equal(await tab.locator('h1').count(), 1);
      await screenshot(tab, 'error');
    }));

  it('explains when the cookie is gone', () =>
    visit({}, async (tab) => {
      const config = await relyingParty(dev.clients.web);
      const { url } = await authorizationRequest(config, redirectUri);
      await tab.goto(url.href);
      await tab.context().clearCookies();
      await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
      await tab.waitForURL((at) => at.origin === new URL(dev.issuer).origin);
      await tab.locator('h1').waitFor();
      await tab.waitForFunction(() => document.forms.length === 0);
      await screenshot(tab, 'error-no-cookie');
      assert.ok(!tab.url().startsWith(redirectUri));
    }));
});
