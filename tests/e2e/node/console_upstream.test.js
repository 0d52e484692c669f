// An admin who binds a sign-in at an upstream, comes in by it, proves himself by it and invites a
// colleague: with and without scripts, axe in light and dark, on a phone and on a desk.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, screenshot, scrollsSideways, violations } from './harness/chromium.js';
import { account, PASSWORD } from './harness/console.js';
import { cli, dev } from './harness/russet.js';

const console_ = `${dev.issuer}/admin`;

describe('signing in to the console through an upstream', () => {
  let browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  async function visit(options, act) {
    const context = await browser.newContext(options);
    try {
      return await act(await context.newPage());
    } finally {
      await context.close();
    }
  }

  /** Looks at the page as it is, in light and dark, narrow and wide. */
  async function look(tab, name) {
    for (const [width, height] of [[375, 800], [1280, 900]]) {
      for (const colorScheme of ['light', 'dark']) {
        await tab.setViewportSize({ width, height });
        await tab.emulateMedia({ colorScheme });
        await screenshot(tab, `upstream-${name}-${width}-${colorScheme}`);
        assert.equal(await scrollsSideways(tab), false, `${name} scrolls sideways at ${width}`);
        assert.deepEqual(await violations(tab), [], `${name} ${width} ${colorScheme}`);
      }
    }
  }

  async function signIn(tab, username) {
    await tab.goto(`${console_}/login`);
    await tab.locator('[name=username]').fill(username);
    await tab.locator('[name=password]').fill(PASSWORD);
    await tab.locator('#login-submit').click();
    await tab.waitForURL((url) => url.pathname === '/admin');
  }

  const atApple = async (tab, who) => {
    await tab.getByRole('button', { name: `Continue as ${who}` }).click();
    await tab.waitForURL((url) => url.origin === new URL(dev.issuer).origin);
    // Apple's answer comes in two posts; the second one ends on a page of the console.
    await tab.locator('h1').filter({ hasNotText: 'One moment' }).waitFor();
  };

  async function opens(tab, allowed) {
    await tab.goto(`${console_}/settings`);
    await tab.locator('[name=console_connections][value=apple]').setChecked(allowed);
    await tab.locator('#settings-save').click();
    await tab.getByText('Saved.').waitFor();
  }

  it('is bound, opens the console, and proves who sits there', () =>
    visit({}, async (tab) => {
      const username = await account('owner');
      await signIn(tab, username);
      await opens(tab, true);
      try {
        await tab.goto(`${console_}/profile`);
        await look(tab, 'profile-before');
        await tab.locator('#bind-apple').click();
        await atApple(tab, 'Grace Hopper');
        await tab.getByText('Bound. You can sign in through it').waitFor();
        await look(tab, 'profile');
        await tab.goto(`${console_}/admins/${username}`);
        await look(tab, 'account');
        await tab.locator('#admin-invite').click();
        const link = (await tab.locator('#invitation').innerText()).trim();
        await look(tab, 'invited');

        await visit({ javaScriptEnabled: false }, async (other) => {
          await other.goto(link);
          await other.getByRole('heading', { level: 1 }).waitFor();
          assert.equal(await other.locator('#through-apple').count(), 1);
        });
        await visit({}, async (other) => {
          await other.goto(link);
          await look(other, 'invitation');
          await other.goto(`${console_}/login`);
          await look(other, 'login');
          await other.locator('#through-apple').click();
          await atApple(other, 'Ada Lovelace');
          await other.getByRole('alert').filter({ hasText: 'opens no account here' }).waitFor();
          await look(other, 'login-refused');
          await other.locator('#through-apple').click();
          await atApple(other, 'Grace Hopper');
          await other.waitForURL((url) => url.pathname === '/admin');
          await other.goto(`${console_}/prove?next=/admin/keys/retire/none`);
          await other.locator('#prove-deed').waitFor();
          await look(other, 'prove');
          await other.goto(`${console_}/admins?q=${username}`);
          await other.getByText('through ').first().waitFor();
          await look(other, 'admins');
        });
      } finally {
        await opens(tab, false);
        await cli(['admin', 'unbind', '--username', username, '--connection', 'apple']).catch(() => {});
      }
    }));
});
