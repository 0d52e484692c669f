// Passkeys of console accounts, with Chromium's virtual authenticator.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { startBroker } from './harness/broker.js';
import { launch, screenshot, scrollsSideways, violations } from './harness/chromium.js';
import { cli, remember } from './harness/russet.js';

const password = randomBytes(24).toString('base64url');

describe('passkeys', () => {
  let broker;
  let browser;
  let tab;
  let devtools;
  let authenticator;
  let console_;

  before(async () => {
    remember(password);
    // A name: an address can be no relying party (WebAuthn §5.1.2).
    broker = await startBroker('passkeys', () => '', 'localhost');
    await cli(['admin', 'create', '--username', 'alice', '--password-stdin'], {
      config: broker.config,
      input: password,
    });
    console_ = `${broker.issuer}/admin`;
    browser = await launch();
    tab = await (await browser.newContext()).newPage();
    devtools = await tab.context().newCDPSession(tab);
    await devtools.send('WebAuthn.enable');
    ({ authenticatorId: authenticator } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    }));
  });
  after(async () => {
    await browser?.close();
    await broker?.stop();
  });

  /** Looks at the page as it is, in light and dark, narrow and wide. */
  async function look(name) {
    for (const [width, height] of [[375, 800], [1280, 900]]) {
      for (const colorScheme of ['light', 'dark']) {
        await tab.setViewportSize({ width, height });
        await tab.emulateMedia({ colorScheme });
        await screenshot(tab, `passkey-${name}-${width}-${colorScheme}`);
        assert.equal(await scrollsSideways(tab), false, `${name} scrolls sideways at ${width}`);
        assert.deepEqual(await violations(tab), [], `${name} ${width} ${colorScheme}`);
      }
    }
  }

  const at = (path) => tab.waitForURL((url) => url.pathname === path);

  it('is made on the page of one’s own account, and brings recovery codes', async () => {
    await tab.goto(`${console_}/login`);
    await tab.locator('[name=username]').fill('alice');
    await tab.locator('[name=password]').fill(password);
    await tab.locator('#login-submit').click();
    await at('/admin');
    await tab.goto(`${console_}/profile`);
    await look('profile');
    await tab.locator('#passkey-new').click();
    await tab.locator('#passkey_name').fill('This machine');
    await look('new');
    await tab.locator('#passkey-add').click();
    await tab.locator('#recovery-codes').waitFor();
    const codes = (await tab.locator('#recovery-codes').textContent()).trim().split('\n');
    assert.equal(codes.length, 10);
    remember(...codes);
    assert.deepEqual(await violations(tab), []);
    await tab.goto(`${console_}/profile`);
    await tab.getByText('This machine').waitFor();
    const { credentials } = await devtools.send('WebAuthn.getCredentials', {
      authenticatorId: authenticator,
    });
    assert.equal(credentials.length, 1);
    assert.equal(credentials[0].isResidentCredential, true);
    assert.equal(credentials[0].rpId, 'localhost');
  });

  it('signs in by itself, without a name', async () => {
    await tab.locator('#sign-out').click();
    await at('/admin/login');
    await look('login');
    await tab.locator('#passkey-use').click();
    await at('/admin');
    await tab.goto(`${console_}/profile`);
    await tab.getByText(/last used/).first().waitFor();
  });

  it('is asked for after the password too', async () => {
    await tab.locator('#sign-out').click();
    await at('/admin/login');
    await tab.locator('[name=username]').fill('alice');
    await tab.locator('[name=password]').fill(password);
    await tab.locator('#login-submit').click();
    await tab.locator('#second-submit').waitFor();
    await look('second-step');
    await tab.locator('#passkey-use').click();
    await at('/admin');
  });

  it('proves who sits there before a dangerous act', async () => {
    await tab.goto(`${console_}/prove?next=/admin/profile/passkeys/new`);
    await tab.getByText('add a passkey').waitFor();
    await look('prove');
    await tab.locator('#passkey-use').click();
    await at('/admin/profile/passkeys/new');
    await tab.goto(`${console_}/profile`);
  });

  it('is explained to a browser without scripts, which is not left standing', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    try {
      await context.addCookies(await tab.context().cookies());
      const plain = await context.newPage();
      await plain.goto(`${console_}/profile/passkeys/new`);
      await plain.getByText('needs JavaScript').waitFor();
      assert.equal(await plain.locator('#passkey-add').isVisible(), false);
      await plain.getByRole('link', { name: 'Codes from an app' }).click();
      await plain.locator('#totp-confirm').waitFor();
    } finally {
      await context.close();
    }
  });

  it('opens nothing once it is removed', async () => {
    await tab.goto(`${console_}/profile`);
    await tab.getByRole('button', { name: 'Remove the passkey This machine' }).click();
    await tab.getByText('The second factor is removed.').waitFor();
    await tab.locator('#sign-out').click();
    await at('/admin/login');
    await tab.locator('#passkey-use').click();
    await tab.getByRole('alert').waitFor();
    assert.match(await tab.getByRole('alert').textContent(), /not known here/);
  });
});
