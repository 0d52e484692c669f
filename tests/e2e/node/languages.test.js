// What people read while they sign in, in other languages than English: axe, no sideways scrolling,
// the direction that the language is read in, and a person's own page used in it.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, screenshot, scrollsSideways, violations } from './harness/chromium.js';
import { authorizationRequest, relyingParty } from './harness/relying_party.js';
import { createClient, dev } from './harness/russet.js';

const redirectUri = dev.clients.web.redirect_uris[0];
const languages = ['ar', 'de'];
const others = ['fr', 'es', 'ja', 'zh-CN', 'ko'];

describe('pages in other languages', () => {
  let browser;
  let stranger;

  before(async () => {
    browser = await launch();
    stranger = await relyingParty(
      await createClient({
        kind: 'web',
        'client-name': 'A stranger',
        'redirect-uri': redirectUri,
        'first-party': false,
      }),
    );
  });
  after(() => browser?.close());

  const signIn = async (tab, parameters) => {
    const { url } = await authorizationRequest(stranger, redirectUri, parameters);
    await tab.goto(url.href);
    await tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
    await tab.locator('#consent-allow').waitFor();
  };
  const signedIn = (path) => async (tab) => {
    await signIn(tab);
    await tab.goto(`${dev.issuer}${path}`);
  };
  const pages = {
    consent: signIn,
    account: signedIn('/account'),
    'ways to sign in': signedIn('/account/identities'),
    'deleting the account': signedIn('/account/delete'),
    'sign-out question': signedIn('/logout'),
    device: (tab) => tab.goto(`${dev.issuer}/device`),
    'page not found': (tab) => tab.goto(`${dev.issuer}/no-such-page`),
  };

  const look = async (locale, title, open, viewport, colorScheme) => {
    const context = await browser.newContext({ locale, viewport, colorScheme });
    try {
      const tab = await context.newPage();
      await open(tab);
      await tab.locator('h1').first().waitFor();
      const name = `${title}-${locale}-${viewport.width}-${colorScheme}`;
      await screenshot(tab, name.replace(/[^a-z0-9-]+/gi, '-'));
      const html = tab.locator('html');
      const lang = locale === 'zh-CN' ? 'zh-Hans' : locale;
      assert.equal(await html.getAttribute('lang'), lang);
      assert.equal(await html.getAttribute('dir'), locale === 'ar' ? 'rtl' : null);
      assert.equal(await scrollsSideways(tab), false, 'it scrolls sideways');
      assert.deepEqual(await violations(tab), []);
    } finally {
      await context.close();
    }
  };

  for (const [title, open] of Object.entries(pages)) {
    for (const locale of languages) {
      for (const width of [375, 1280]) {
        const colorScheme = width === 375 ? 'dark' : 'light';
        it(`${title} in ${locale}, ${width} px, ${colorScheme}`, () =>
          look(locale, title, open, { width, height: 800 }, colorScheme));
      }
    }
  }
  for (const locale of others) {
    it(`a person's own page in ${locale}`, () =>
      look(locale, 'account', pages.account, { width: 375, height: 800 }, 'light'));
  }

  it('the client asks for a language, and it is spoken whatever the browser says', async () => {
    const context = await browser.newContext({ locale: 'de' });
    try {
      const tab = await context.newPage();
      await signIn(tab, { ui_locales: 'ar' });
      assert.equal(await tab.locator('html').getAttribute('dir'), 'rtl');
    } finally {
      await context.close();
    }
  });

  it('a name is changed without a script, in Arabic', async () => {
    const context = await browser.newContext({ locale: 'ar', javaScriptEnabled: false });
    try {
      const tab = await context.newPage();
      const { url } = await authorizationRequest(stranger, redirectUri);
      await tab.goto(url.href);
      await tab.getByRole('button', { name: 'Continue as Grace Hopper' }).click();
      while (!(await tab.locator('#consent-allow').count())) {
        await tab.locator('[type=submit]').first().click();
      }
      await tab.goto(`${dev.issuer}/account`);
      await tab.locator('#display-name').fill('غريس هوبر');
      await tab.locator('#account-rename').click();
      await tab.locator('#account-message').waitFor();
      assert.equal(await tab.locator('#name').textContent(), 'غريس هوبر');
    } finally {
      await context.close();
    }
  });
});
