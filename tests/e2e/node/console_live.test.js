// What a script adds to the console: the audit log that is followed, and the shortcut of the search.
// Without one both are a link and a box.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, screenshot, violations } from './harness/chromium.js';
import { account, consoleCookies } from './harness/console.js';
import { createClient, dev } from './harness/russet.js';

const log = new URL('/admin/audit?kind=client.created', dev.issuer).href;
const named = (name) => createClient({ kind: 'machine', 'client-name': name });

describe('the console while one looks on', () => {
  let browser;
  let cookies;

  before(async () => {
    browser = await launch();
    cookies = await consoleCookies(await account('viewer'));
    await named('Before');
  });
  after(() => browser?.close());

  async function open(options) {
    const context = await browser.newContext(options);
    await context.addCookies(cookies);
    return context.newPage();
  }

  for (const colorScheme of ['light', 'dark']) {
    it(`a new event comes on top while the log is followed (${colorScheme})`, async () => {
      const tab = await open({ colorScheme });
      await tab.goto(log);
      const follow = tab.getByRole('button', { name: 'Follow' });
      await follow.press('Enter');
      assert.equal(await follow.getAttribute('aria-pressed'), 'true');
      const { client_id: one } = await named('While following');
      const first = tab.locator('#audit-rows tbody tr').first();
      await first.filter({ hasText: one }).waitFor();
      await tab.locator('#status', { hasText: /New/ }).waitFor({ state: 'attached' });
      await screenshot(tab, `audit-followed-${colorScheme}`);
      assert.deepEqual(await violations(tab), []);
      const links = await tab.locator('#audit-rows .row-link').evaluateAll((all) => all.map((a) => a.href));
      assert.equal(new Set(links).size, links.length, 'each event once');
      await follow.press('Enter');
      assert.equal(await follow.getAttribute('aria-pressed'), 'false', 'it can be paused');
      await tab.context().close();
    });
  }

  it('without a script a link leads to what is newer', async () => {
    const tab = await open({ javaScriptEnabled: false });
    await tab.goto(log);
    assert.equal(await tab.getByRole('button', { name: 'Follow' }).count(), 0);
    const { client_id: one } = await named('Without a script');
    await tab.getByRole('link', { name: 'Newer events' }).click();
    await tab.locator('#audit-rows tbody tr').first().filter({ hasText: one }).waitFor();
    await tab.context().close();
  });

  it('the box that searches all rooms takes the focus by a shortcut, and tells it', async () => {
    const tab = await open({});
    await tab.goto(new URL('/admin/keys', dev.issuer).href);
    const box = tab.locator('#find');
    assert.match((await box.getAttribute('aria-keyshortcuts')) ?? '', /^(Control|Meta)\+K$/);
    await tab.keyboard.press('k');
    assert.notEqual(await tab.evaluate(() => document.activeElement.id), 'find', 'a letter alone does nothing');
    await tab.keyboard.press((await box.getAttribute('aria-keyshortcuts')).replace('K', 'k'));
    assert.equal(await tab.evaluate(() => document.activeElement.id), 'find');
    await tab.context().close();
  });
});
