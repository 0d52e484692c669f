// The second step of local accounts in Chromium: set up, asked for and got around by nobody, without
// a script, in two languages; axe and a look at every page of it, branded too.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { startBroker } from './harness/broker.js';
import { launch, screenshot, scrollsSideways, violations } from './harness/chromium.js';
import { authorizationRequest, relyingParty } from './harness/relying_party.js';
import { cli, remember } from './harness/russet.js';

const redirectUri = 'http://127.0.0.1:49885/callback';
const password = 'a long enough password';
const looks = [
  { locale: 'en', viewport: { width: 375, height: 800 }, colorScheme: 'dark' },
  { locale: 'en', viewport: { width: 1280, height: 800 }, colorScheme: 'light' },
  { locale: 'ar', viewport: { width: 375, height: 800 }, colorScheme: 'light' },
  { locale: 'de', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
];

/** The code of RFC 6238 for this many steps of thirty seconds from now. */
function totp(key, ahead = 0) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...key].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const digest = createHmac('sha1', secret).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

describe('the second step of local accounts', () => {
  let broker;
  let browser;
  let config;

  before(async () => {
    broker = await startBroker('second-step', async () => '[local_accounts]\nenabled = true\n');
    remember(password);
    const where = { config: broker.config };
    for (const look of looks) {
      const name = `${look.locale}-${look.viewport.width}`;
      const account = ['--username', name, '--password-stdin', '--name', `Ada of ${name}`];
      await cli(['user', 'create', ...account], { ...where, input: password });
    }
    const document = join(broker.folder, 'shop.toml');
    writeFileSync(
      document,
      `[[clients]]
client_id = "shop"
kind = "spa"
client_name = "Shop"
redirect_uris = ["${redirectUri}"]
first_party = true
policy_uri = "https://shop.example/privacy"
tos_uri = "https://shop.example/terms"
`,
    );
    await cli(['config', 'apply', document], where);
    config = await relyingParty({ client_id: 'shop' }, { issuer: broker.issuer });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    assert.equal(await broker?.stop(), 0);
  });

  for (const look of looks) {
    const name = `${look.locale}-${look.viewport.width}`;
    it(`is set up, asked for and renewed: ${name}, ${look.colorScheme}`, async () => {
      const context = await browser.newContext({ ...look, javaScriptEnabled: true });
      const tab = await context.newPage();
      // What a client would be sent is as far as it goes: nobody listens there.
      await tab.route(`${redirectUri}*`, (route) => route.fulfill({ body: 'back at the shop' }));
      const seen = async (title) => {
        await tab.locator('h1').first().waitFor();
        await screenshot(tab, `second-step-${title}-${name}-${look.colorScheme}`);
        assert.equal(await scrollsSideways(tab), false, `${title} scrolls sideways`);
        assert.deepEqual(await violations(tab), [], title);
      };
      const signIn = async () => {
        const { url } = await authorizationRequest(config, redirectUri);
        await tab.goto(url.href);
        await tab.locator('#username').fill(name);
        await tab.locator('#password').fill(password);
      };
      try {
        await signIn();
        await seen('sign-in');
        assert.equal(await tab.locator('#client-links a').count(), 2);
        await tab.locator('#login-submit').click();
        await tab.waitForURL(`${redirectUri}*`);

        await tab.goto(`${broker.issuer}/account`);
        await seen('account');
        await tab.locator('#account-second').click();
        await seen('without');
        await tab.locator('#second-add').click();
        await seen('set-up');
        const key = await tab.locator('#totp-key').textContent();
        await tab.locator('#totp').fill('000000');
        await tab.locator('#totp-confirm').click();
        await tab.locator('#second-problem').waitFor();
        await tab.locator('#totp').fill(totp(key));
        await tab.locator('#totp-confirm').click();
        await tab.locator('#recovery-codes').waitFor();
        await seen('recovery-codes');
        const codes = (await tab.locator('#recovery-codes').textContent()).trim().split('\n');
        remember(...codes);
        assert.equal(codes.length, 10);
        await tab.locator('#codes-done').click();
        await seen('with');

        await context.clearCookies();
        await signIn();
        await tab.locator('#login-submit').click();
        await tab.locator('#second-submit').waitFor();
        await seen('asked');
        await tab.locator('#totp').fill('000000');
        await tab.locator('#second-submit').click();
        await tab.locator('#second-problem').waitFor();
        await seen('wrong');
        // The code of this moment is spent; the next one is good already.
        await tab.locator('#totp').fill(totp(key, 1));
        await tab.locator('#second-submit').click();
        await tab.waitForURL(`${redirectUri}*`);

        await tab.goto(`${broker.issuer}/account/prove?next=second`);
        await seen('prove');
        await tab.locator('#password').fill(password);
        await tab.locator('#totp').fill(codes[0]);
        await tab.locator('#prove-submit').click();
        await tab.locator('#second-remove').click();
        await tab.locator('#second-add').waitFor();
      } finally {
        await context.close();
      }
    });
  }

  it('works without a script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const tab = await context.newPage();
    try {
      await tab.route(`${redirectUri}*`, (route) => route.fulfill({ body: 'back at the shop' }));
      const { url } = await authorizationRequest(config, redirectUri);
      await tab.goto(url.href);
      await tab.locator('#username').fill('en-375');
      await tab.locator('#password').fill(password);
      await tab.locator('#login-submit').click();
      await tab.waitForURL(`${redirectUri}*`);
      await tab.goto(`${broker.issuer}/account/second/totp`);
      const key = await tab.locator('#totp-key').textContent();
      await tab.locator('#totp').fill(totp(key));
      await tab.locator('#totp-confirm').click();
      remember(...(await tab.locator('#recovery-codes').textContent()).trim().split('\n'));
      await tab.locator('#codes-done').click();
      await tab.locator('#second-remove').click();
      await tab.locator('#second-add').waitFor();
    } finally {
      await context.close();
    }
  });
});
