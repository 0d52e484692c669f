// The five main tasks of an admin, by keyboard alone, and by mouse without a script.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, screenshot } from './harness/chromium.js';
import { PASSWORD, account } from './harness/console.js';
import { authorizationRequest, relyingParty, signIn } from './harness/relying_party.js';
import { cli, createClient, dev, remember } from './harness/russet.js';
import { UserAgent } from './harness/user_agent.js';

const redirectUri = dev.clients.web.redirect_uris[0];

/** Both lead on from page to page; nothing is looked for before the next page is there. */
class Hand {
  constructor(tab) {
    this.tab = tab;
  }

  async leave(act) {
    const before = this.tab.url();
    await act();
    await this.tab.waitForURL((url) => url.href !== before);
  }

  enter() {
    return this.leave(() => this.tab.keyboard.press('Enter'));
  }
}

/** Goes from one thing to the next with Tab, sees where it is, and presses Enter. */
class Keyboard extends Hand {
  async #to(locator) {
    await locator.waitFor();
    for (let stop = 0; stop < 150; stop += 1) {
      const focus = await locator.evaluate((element) => {
        if (document.activeElement !== element) return 'elsewhere';
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        const ring = (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none';
        return ring ? 'seen' : 'unseen';
      });
      if (focus !== 'elsewhere') return assert.equal(focus, 'seen', `no focus ring: ${locator}`);
      await this.tab.keyboard.press('Tab');
    }
    return assert.fail(`Tab never comes to ${locator}`);
  }

  async press(locator) {
    await this.#to(locator);
    await this.enter();
  }

  async type(locator, text) {
    await this.#to(locator);
    await this.tab.keyboard.press('Control+A');
    await this.tab.keyboard.type(text);
  }
}

class Mouse extends Hand {
  press(locator) {
    return this.leave(() => locator.click());
  }

  type(locator, text) {
    return locator.fill(text);
  }
}

for (const { title, javaScriptEnabled, hands } of [
  { title: 'by keyboard alone', javaScriptEnabled: true, hands: (tab) => new Keyboard(tab) },
  { title: 'without JavaScript', javaScriptEnabled: false, hands: (tab) => new Mouse(tab) },
]) {
  describe(`an admin's five main tasks, ${title}`, () => {
    let browser;
    let tab;
    let hand;
    let config;
    const room = (name) => tab.getByRole('navigation').getByRole('link', { name, exact: true });
    const shot = (name) => screenshot(tab, `journey-${name}-${title}`.replace(/\W+/g, '-'));

    before(async () => {
      browser = await launch();
      const context = await browser.newContext({
        javaScriptEnabled,
        viewport: { width: 1280, height: 900 },
      });
      tab = await context.newPage();
      hand = hands(tab);
      config = await relyingParty(dev.clients.web);
    });
    after(() => browser?.close());

    it('signs in to the console', async () => {
      const username = await account('owner');
      await tab.goto(`${dev.issuer}/admin`);
      await hand.type(tab.locator('[name=username]'), username);
      await hand.type(tab.locator('[name=password]'), PASSWORD);
      await hand.press(tab.locator('#login-submit'));
      await tab.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    });

    it('creates a client', async () => {
      await hand.press(room('Clients'));
      await hand.press(tab.locator('main a[href$="/admin/clients/new"]').first());
      await hand.press(tab.locator('main a[href$="/clients/new/web"]').first());
      await hand.type(tab.locator('[name=client_name]'), `Made ${title}`);
      await hand.type(tab.locator('[name=redirect_uris]').first(), redirectUri);
      await hand.press(tab.locator('main form [type=submit]').last());
      const client_secret = (await tab.locator('#client_secret').innerText()).trim();
      remember(client_secret);
      const listed = await cli(['client', 'list', '--search', `Made ${title}`, '--json']);
      const [made] = [listed.items ?? listed.clients ?? listed].flat();
      const party = await relyingParty({ ...made, client_secret });
      assert.ok((await signIn(party, new UserAgent(), redirectUri)).access_token);
      await shot('client');
    });

    it('rotates a secret', async () => {
      const client = await createClient({
        kind: 'web',
        'client-name': `Rotated ${title}`,
        'redirect-uri': redirectUri,
        'first-party': true,
      });
      await hand.press(room('Clients'));
      await hand.type(tab.locator('#q'), client.client_id);
      await hand.enter();
      await hand.press(tab.getByRole('link', { name: `Rotated ${title}` }));
      await hand.press(tab.locator('#client-rotate-secret'));
      const client_secret = (await tab.locator('#client_secret').innerText()).trim();
      remember(client_secret);
      assert.notEqual(client_secret, client.client_secret);
      const party = await relyingParty({ ...client, client_secret });
      assert.ok((await signIn(party, new UserAgent(), redirectUri)).access_token);
      await shot('secret');
    });

    it('finds a person and signs them out', async () => {
      const agent = new UserAgent();
      const person = (await signIn(config, agent, redirectUri)).claims().sub;
      await hand.press(room('People'));
      await hand.type(tab.locator('#q'), person);
      await hand.enter();
      await hand.press(tab.locator('main a.row-link').first());
      await hand.press(tab.locator('#person-sign-out'));
      await shot('sign-out');
      await hand.press(tab.locator('#ask-confirm'));
      await tab.getByRole('status').first().waitFor();
      const { url } = await authorizationRequest(config, redirectUri, { prompt: 'none' });
      const refused = await agent.open(url, { redirectUri });
      assert.equal(refused.parameters.get('error'), 'login_required');
    });

    it('finds out why a sign-in failed', async () => {
      const { url } = await authorizationRequest(config, redirectUri);
      const landing = await new UserAgent().signIn(url, { redirectUri, person: 'cancel' });
      assert.equal(landing.parameters.get('error'), 'access_denied');
      await hand.press(room('Audit log'));
      await hand.press(tab.getByRole('link', { name: 'Failed sign-ins' }));
      await hand.press(tab.locator('main a.row-link').first());
      await tab.locator('main').getByText(/cancel/i).first().waitFor();
      await shot('cause');
    });
  });
}
