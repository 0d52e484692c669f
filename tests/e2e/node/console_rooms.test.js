// Every page of the console that links lead to, as each role sees it; axe and screenshots, light and
// dark, on a phone and on a desk.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, screenshot, scrollsSideways, violations } from './harness/chromium.js';
import { account, consoleCookies, everyPage } from './harness/console.js';
import { relyingParty, signIn } from './harness/relying_party.js';
import { cli, createClient, dev } from './harness/russet.js';
import { UserAgent } from './harness/user_agent.js';

const redirectUri = dev.clients.web.redirect_uris[0];

describe('the rooms of the console', () => {
  let browser;
  let client;
  const cookies = {};

  before(async () => {
    browser = await launch();
    // Something to see in every room: a person, a session, grants, a failed sign-in.
    const config = await relyingParty(dev.clients.web);
    await signIn(config, new UserAgent(), redirectUri);
    await new UserAgent().signIn(
      `${config.serverMetadata().authorization_endpoint}?${new URLSearchParams({
        client_id: dev.clients.web.client_id,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: 'openid',
        code_challenge: 'a'.repeat(43),
        code_challenge_method: 'S256',
      })}`,
      { redirectUri, person: 'cancel' },
    );
    client = await createClient({
      kind: 'web',
      'client-name': 'A client with rather a long name for a phone',
      'redirect-uri': [redirectUri, 'https://shop.example/a/very/long/callback/that/does/not/fit'],
      'backchannel-logout-uri': 'https://shop.example/backchannel-logout',
      resource: dev.demo_api.identifier,
    });
    for (const role of ['owner', 'admin', 'viewer']) {
      cookies[role] = await consoleCookies(await account(role));
    }
    // Editors are made where the command line knows them.
    const help = await cli(['admin', 'create', '--help']);
    if (/editor/.test(help)) {
      cookies.editor = await consoleCookies(await account('editor', '--client', client.client_id));
    }
  });
  after(() => browser?.close());

  async function look(tab, path, label) {
    await tab.goto(new URL(path, dev.issuer).href);
    await tab.locator('h1').first().waitFor();
    await screenshot(tab, `room-${label}`.replace(/[^a-z0-9-]+/gi, '-').slice(0, 120));
    const said = `${path} (${label})`;
    assert.equal(await tab.locator('h1').count(), 1, `one h1: ${said}`);
    assert.ok(await tab.locator('html').getAttribute('lang'), `a lang: ${said}`);
    assert.equal(await scrollsSideways(tab), false, `it scrolls sideways: ${said}`);
    assert.deepEqual(await violations(tab), [], said);
  }

  for (const [name, viewport] of [
    ['375', { width: 375, height: 800 }],
    ['1280', { width: 1280, height: 900 }],
  ]) {
    for (const colorScheme of ['light', 'dark']) {
      it(`an owner finds every page sound: ${name} px, ${colorScheme}`, async () => {
        const pages = await everyPage(cookies.owner);
        assert.ok(pages.length > 25, `only ${pages.length} pages`);
        const context = await browser.newContext({ viewport, colorScheme });
        try {
          await context.addCookies(cookies.owner);
          const tab = await context.newPage();
          for (const { path, status, html } of pages) {
            assert.ok(status < 400, `${path}: ${status}`);
            if (html) await look(tab, path, `${path}-${name}-${colorScheme}`);
          }
        } finally {
          await context.close();
        }
      });
    }
  }

  for (const role of ['admin', 'viewer', 'editor']) {
    it(`shows the role ${role} what it may open, and refuses the rest in words`, async (t) => {
      if (!cookies[role]) return t.skip(`the command line makes no ${role} yet`);
      const theirs = await everyPage(cookies[role]);
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      try {
        await context.addCookies(cookies[role]);
        const tab = await context.newPage();
        for (const { path, status, html } of theirs) {
          assert.ok(status < 400, `${role} is led to ${path}, and refused: ${status}`);
          if (html) await look(tab, path, `${role}-${path}`);
        }
        const known = new Set(theirs.map(({ path }) => path));
        let refused = 0;
        for (const { path, html } of await everyPage(cookies.owner)) {
          if (!html || known.has(path)) continue;
          const answer = await tab.goto(new URL(path, dev.issuer).href);
          assert.ok(answer.status() < 500, path);
          if (answer.status() !== 403) continue;
          refused += 1;
          if (refused === 1) await look(tab, path, `${role}-refused`);
        }
        assert.ok(refused > 0, `${role} is refused nothing`);
      } finally {
        await context.close();
      }
    });
  }
});
