// A device without a browser, by openid-client; its person in Chromium, on a phone and on a desk.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import * as client from 'openid-client';

import { launch, screenshot, scrollsSideways, violations } from './harness/chromium.js';
import { relyingParty } from './harness/relying_party.js';
import { createClient, dev } from './harness/russet.js';

describe('device authorization', () => {
  let browser;
  let config;
  before(async () => {
    browser = await launch();
    config = await relyingParty(
      await createClient({ kind: 'device', 'client-name': 'Living-room television' }),
    );
  });
  after(() => browser?.close());

  const begin = () =>
    client.initiateDeviceAuthorization(config, { scope: 'openid profile offline_access' });

  for (const [name, width, colorScheme, javaScriptEnabled] of [
    ['phone', 375, 'light', true],
    ['phone-dark', 375, 'dark', true],
    ['desk', 1280, 'light', true],
    ['desk-dark', 1280, 'dark', true],
  ]) {
    it(`each page is sound: ${name}`, async () => {
      const waiting = await begin();
      const context = await browser.newContext({
        viewport: { width, height: 800 },
        colorScheme,
        javaScriptEnabled,
      });
      const tab = await context.newPage();
      const look = async (title) => {
        await screenshot(tab, `device-${title}-${name}`);
        assert.equal(await tab.locator('h1').count(), 1);
        assert.equal(await scrollsSideways(tab), false, `${title} scrolls sideways`);
        assert.deepEqual(await violations(tab), [], title);
      };
      try {
        await tab.goto(waiting.verification_uri);
        await look('code');
        await tab.locator('[name=user_code]').fill('WRNG');
        await tab.locator('#device-continue').click();
        await tab.locator('[role=alert]').waitFor();
        await look('wrong-code');
        await tab.locator('[name=user_code]').fill(waiting.user_code.toLowerCase());
        await tab.locator('#device-continue').click();
        await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
        await tab.locator('#device-allow').waitFor();
        assert.equal(await tab.locator('#device-user-code').textContent(), waiting.user_code);
        await look('confirm');
        await tab.locator('#device-deny').click();
        await tab.waitForURL(/\/device\/done/);
        await look('refused');
      } finally {
        await context.close();
      }
    });
  }

  it('the device gets its tokens once its person agreed, without JavaScript', async () => {
    const waiting = await begin();
    assert.ok(waiting.verification_uri_complete.startsWith(`${dev.issuer}/device?`));
    const polling = client.pollDeviceAuthorizationGrant(config, waiting);
    const context = await browser.newContext({ javaScriptEnabled: false });
    const tab = await context.newPage();
    await tab.goto(waiting.verification_uri_complete);
    await tab.locator('#device-continue').click();
    await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
    // Without scripts the upstream's answer and its passing-on wait for a click each.
    for (let step = 0; step < 4 && !(await tab.locator('#device-allow').count()); step += 1) {
      await tab.locator('[type=submit]').first().click();
    }
    await tab.locator('#device-allow').click();
    await tab.waitForURL(/\/device\/done/);
    await context.close();
    const tokens = await polling;
    assert.equal(tokens.claims().iss, dev.issuer);
    const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    assert.equal(userinfo.name, 'Ada Lovelace');
    assert.ok((await client.refreshTokenGrant(config, tokens.refresh_token)).access_token);
  });

  it("a no is the device's error", async () => {
    const waiting = await begin();
    const polling = client.pollDeviceAuthorizationGrant(config, waiting).catch((error) => error);
    const context = await browser.newContext();
    const tab = await context.newPage();
    await tab.goto(waiting.verification_uri_complete);
    await tab.locator('#device-continue').click();
    await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
    await tab.locator('#device-deny').click();
    await tab.waitForURL(/\/device\/done/);
    await context.close();
    assert.equal((await polling).error, 'access_denied');
  });
});
