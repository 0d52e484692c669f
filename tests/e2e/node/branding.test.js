// Pages that look like whose they are: an installation's name, logo and colours, and a client's over
// them, light and dark, on a phone and on a desk, from left and from right; and the forms for it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { startBroker } from './harness/broker.js';
import { launch, screenshot, scrollsSideways, violations } from './harness/chromium.js';
import { authorizationRequest, relyingParty } from './harness/relying_party.js';
import { cli, createClient, remember } from './harness/russet.js';

const redirectUri = 'http://127.0.0.1:49886/callback';
const ada = { username: 'ada', password: 'a long enough password' };
const owner = { username: 'owner', password: 'another long password' };
const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 48"><rect width="160" height="48" rx="10" fill="#1b4f9c"/><circle cx="28" cy="24" r="12" fill="#fff"/><rect x="52" y="18" width="88" height="12" rx="6" fill="#fff"/></svg>`;

describe('branding', () => {
  let broker;
  let browser;
  let config;
  let clientId;

  before(async () => {
    broker = await startBroker('branding', async () => '[local_accounts]\nenabled = true\n');
    remember(ada.password, owner.password);
    const where = { config: broker.config };
    const account = ['--username', ada.username, '--password-stdin', '--name', 'Ada Lovelace'];
    await cli(['user', 'create', ...account], { ...where, input: ada.password });
    const admin = ['--username', owner.username, '--role', 'owner', '--password-stdin'];
    await cli(['admin', 'create', ...admin], { ...where, input: owner.password });
    const registered = await createClient(
      { kind: 'web', 'client-name': 'Shop', 'redirect-uri': redirectUri, 'first-party': false },
      where,
    );
    clientId = registered.client_id;
    config = await relyingParty(registered, { issuer: broker.issuer });
    const name = createHash('sha256').update(logo).digest('hex').slice(0, 32);
    const document = join(broker.folder, 'look.toml');
    writeFileSync(
      document,
      `[branding]
name = "Example"
logo = "${name}"
accent_color = "#1b4f9c"
accent_color_dark = "#8ab4f8"
background_color = "#eef3fb"
background_color_dark = "#0b1220"
support_uri = "https://example.com/help"
policy_uri = "https://example.com/privacy"
tos_uri = "https://example.com/terms"
[pictures]
${name} = "${Buffer.from(logo).toString('base64')}"
`,
    );
    await cli(['config', 'apply', document], where);
    browser = await launch();
    // Another process changed it: taken up within seconds.
    const tab = await browser.newPage();
    await tab.goto(`${broker.issuer}/account`);
    while (!(await tab.locator('img.logo').count())) {
      await tab.reload();
    }
    await tab.close();
  });
  after(async () => {
    await browser?.close();
    assert.equal(await broker?.stop(), 0);
  });

  const choose = async (tab) => {
    const { url } = await authorizationRequest(config, redirectUri);
    await tab.goto(url.href);
  };
  const consent = async (tab) => {
    await choose(tab);
    await tab.locator('#username').fill(ada.username);
    await tab.locator('#password').fill(ada.password);
    await tab.locator('#login-submit').click();
    await tab.locator('#consent-allow').waitFor();
  };
  const signedIn = (path) => async (tab) => {
    await consent(tab);
    await tab.goto(`${broker.issuer}${path}`);
  };
  const again = async (tab) => {
    await consent(tab);
    const { url } = await authorizationRequest(config, redirectUri, { prompt: 'login' });
    await tab.goto(url.href);
  };
  const people = {
    choose,
    consent,
    're-authentication': again,
    account: signedIn('/account'),
    'sign-out': signedIn('/logout'),
    device: (tab) => tab.goto(`${broker.issuer}/device`),
    error: (tab) => tab.goto(`${broker.issuer}/authorize?client_id=nobody`),
  };
  const looks = [
    { locale: 'en', viewport: { width: 375, height: 800 }, colorScheme: 'light' },
    { locale: 'en', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
    { locale: 'ar', viewport: { width: 375, height: 800 }, colorScheme: 'dark' },
  ];

  const seen = async (tab, title, { locale, viewport, colorScheme }) => {
    await tab.locator('h1').first().waitFor();
    await screenshot(tab, `branding-${title}-${locale}-${viewport.width}-${colorScheme}`);
    assert.equal(await scrollsSideways(tab), false, `${title} scrolls sideways`);
    assert.deepEqual(await violations(tab), [], title);
  };

  for (const [title, open] of Object.entries(people)) {
    for (const look of looks) {
      it(`${title}: ${look.locale}, ${look.viewport.width} px, ${look.colorScheme}`, async () => {
        const context = await browser.newContext(look);
        try {
          const tab = await context.newPage();
          await open(tab);
          assert.equal(await tab.locator('img.logo').getAttribute('alt'), 'Example');
          const { width } = await tab.locator('img.logo').boundingBox();
          assert.ok(width > 100, 'the logo is seen');
          const ground = await tab.evaluate(
            () => globalThis.getComputedStyle(document.documentElement).backgroundColor,
          );
          const wanted = look.colorScheme === 'dark' ? 'rgb(11, 18, 32)' : 'rgb(238, 243, 251)';
          assert.equal(ground, wanted);
          await seen(tab, title, look);
        } finally {
          await context.close();
        }
      });
    }
  }

  it('is changed in the console, looked at first, and refused where nobody could read it', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const look = { locale: 'en', viewport: { width: 1280 }, colorScheme: 'light' };
    try {
      const tab = await context.newPage();
      await tab.goto(`${broker.issuer}/admin/login`);
      await tab.locator('[name=username]').fill(owner.username);
      await tab.locator('[name=password]').fill(owner.password);
      await tab.locator('#login-submit').click();
      await tab.locator('#sign-out').waitFor({ state: 'attached' });
      await tab.goto(`${broker.issuer}/admin/settings/branding`);
      await seen(tab, 'form', look);
      await tab.locator('[name=accent_color]').fill('#ff9900');
      await tab.locator('#branding-save').click();
      await tab.getByText('needs 4.5').first().waitFor();
      await seen(tab, 'refused', look);
      await tab.setViewportSize({ width: 375, height: 800 });
      await tab.emulateMedia({ colorScheme: 'dark' });
      await seen(tab, 'refused', { locale: 'en', viewport: { width: 375 }, colorScheme: 'dark' });
      await tab.goto(`${broker.issuer}/admin/clients/${clientId}/branding`);
      await tab.locator('[name=accent_color]').fill('#00563f');
      await tab.locator('#branding-save').click();
      await tab.getByText('Saved.').waitFor();
      await tab.setInputFiles('#logo', {
        name: 'logo.svg',
        mimeType: 'image/svg+xml',
        buffer: Buffer.from(logo.replace('#1b4f9c', '#00563f')),
      });
      await tab.locator('#logo-save').click();
      await tab.locator('.panel img.logo').waitFor();
      await seen(tab, 'client', { locale: 'en', viewport: { width: 375 }, colorScheme: 'dark' });
      await choose(tab);
      assert.match(await tab.locator('head').innerHTML(), /\/brand\/00563f-/);
    } finally {
      await context.close();
    }
  });
});
