// Every page, light and dark, on a phone and on a desk: axe, no sideways scrolling, one h1, a lang.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, screenshot, scrollsSideways, violations } from './harness/chromium.js';
import { authorizationRequest, relyingParty } from './harness/relying_party.js';
import { createClient, dev } from './harness/russet.js';

const redirectUri = dev.clients.web.redirect_uris[0];
const windows = [
  { name: 'phone', viewport: { width: 320, height: 740 } },
  { name: 'desk', viewport: { width: 1280, height: 900 } },
];

describe('every page', () => {
  let browser;
  let config;
  let stranger;
  let device;

  before(async () => {
    browser = await launch();
    config = await relyingParty(dev.clients.web);
    stranger = await relyingParty(
      await createClient({
        kind: 'web',
        'client-name': 'A stranger with rather a long name for a phone',
        'redirect-uri': redirectUri,
        'first-party': false,
      }),
    );
    device = await createClient({ kind: 'device', 'client-name': 'A television' });
  });
  after(() => browser?.close());

  const start = async (relying, parameters) =>
    (await authorizationRequest(relying, redirectUri, parameters)).url.href;
  const continueAs = (tab) => tab.getByRole('button', { name: 'Continue as Ada Lovelace' }).click();
  /** Holds pages that submit themselves, so that they can be looked at. */
  const holdScripts = (tab) => tab.route('**/*submit*.js', (route) => route.abort());
  // One sign-in for all rooms: the console slows down whoever signs in over and over.
  let consoleCookies;
  const enterConsole = async (tab) => {
    if (consoleCookies) {
      await tab.context().addCookies(consoleCookies);
      return;
    }
    await tab.goto(`${dev.issuer}/admin/login`);
    await tab.locator('[name=username]').fill(dev.console.username);
    await tab.locator('[name=password]').fill(dev.console.password);
    await tab.locator('[type=submit]').first().click();
    await tab.waitForURL((url) => !url.pathname.endsWith('/login'));
    consoleCookies = await tab.context().cookies(dev.issuer);
  };
  const inConsole = (path) => async (tab) => {
    await enterConsole(tab);
    await tab.goto(`${dev.issuer}${path}`);
  };

  const pages = {
    'demo app': (tab) => tab.goto(dev.demo_app.url),
    'demo app, signed in': async (tab) => {
      await tab.goto(dev.demo_app.url);
      await tab.locator('#sign-in').click();
      await continueAs(tab);
      await tab.waitForURL((url) => url.origin === new URL(dev.demo_app.url).origin);
    },
    'demo API': (tab) => tab.goto(dev.demo_api.url),
    'simulated Apple: home': (tab) => tab.goto(dev.apple.url),
    'simulated Apple': async (tab) => tab.goto(await start(config)),
    "Apple's answer": async (tab) => {
      await holdScripts(tab);
      await tab.goto(await start(config));
      await continueAs(tab);
    },
    'passing on': async (tab) => {
      await holdScripts(tab);
      await tab.goto(await start(config));
      await continueAs(tab);
      await tab.locator('[type=submit]').first().click();
    },
    consent: async (tab) => {
      await tab.goto(await start(stranger));
      await continueAs(tab);
      await tab.locator('#consent-allow').waitFor();
    },
    'form_post answer': async (tab) => {
      const url = await start(config, { response_mode: 'form_post' });
      await tab.goto(url);
      await holdScripts(tab);
      await continueAs(tab);
      await tab.locator('[type=submit]').first().click();
      await tab.locator('[type=submit]').first().click();
    },
    error: async (tab) => {
      const { url } = await authorizationRequest(config, 'http://127.0.0.1:9/nowhere');
      await tab.goto(url.href);
    },
    'page not found': (tab) => tab.goto(`${dev.issuer}/no-such-page`),
    'sign-out question': async (tab) => {
      await tab.goto(await start(stranger));
      await continueAs(tab);
      await tab.locator('#consent-allow').waitFor();
      await tab.goto(config.serverMetadata().end_session_endpoint);
    },
    account: async (tab) => {
      await tab.goto(await start(stranger));
      await continueAs(tab);
      await tab.locator('#consent-allow').waitFor();
      await tab.goto(`${dev.issuer}/account`);
    },
    'console: sign-in': (tab) => tab.goto(`${dev.issuer}/admin/login`),
    'console: overview': inConsole('/admin'),
    'console: clients': inConsole('/admin/clients'),
    'console: new client': inConsole('/admin/clients/new'),
    'console: registering an app': inConsole('/admin/clients/new/native'),
    'console: a client': inConsole(`/admin/clients/${dev.clients.web.client_id}`),
    'console: changing a client': inConsole(`/admin/clients/${dev.clients.web.client_id}/edit`),
    'console: rules of claims, tried': async (tab) => {
      await inConsole(`/admin/clients/${dev.clients.web.client_id}/edit`)(tab);
      await tab.locator('details:has(#claims) > summary').click();
      await tab.locator('#claims-add').click();
      await tab.locator('[id="claims.0.claim"]').fill('tenant');
      await tab.locator('[id="claims.0.source"]').selectOption('user.email_domain');
      await tab.locator('[id="claims.person"]').fill('ada');
      await tab.locator('#claims-look').click();
      await tab.locator('#claims-preview pre').first().waitFor();
    },
    'console: quickstart': inConsole(`/admin/clients/${dev.clients.web.client_id}/quickstart`),
    'console: trying a client': inConsole(`/admin/clients/${dev.clients.web.client_id}/try`),
    'console: a client, tried': async (tab) => {
      await inConsole(`/admin/clients/${dev.clients.web.client_id}/try`)(tab);
      await tab.locator('#try-begin').click();
      await continueAs(tab);
      await tab.waitForURL((url) => url.pathname.endsWith('/admin/try'));
    },
    'console: a device that is tried': async (tab) => {
      await inConsole(`/admin/clients/${device.client_id}/try`)(tab);
      await tab.locator('#try-begin').click();
      await tab.locator('#user_code').waitFor();
    },
    "console: somebody's tokens": async (tab) => {
      await inConsole('/admin/people')(tab);
      const person = await tab.locator('a.row-link').first().getAttribute('href');
      const id = person.split('/').pop();
      await tab.goto(`${dev.issuer}/admin/clients/${dev.clients.web.client_id}/preview?person=${id}`);
    },
    'console: APIs': inConsole('/admin/apis'),
    'console: an API': inConsole(
      `/admin/apis/edit?identifier=${encodeURIComponent(dev.demo_api.identifier)}`,
    ),
    'console: people': inConsole('/admin/people'),
    'console: nobody found': inConsole('/admin/people?q=nobody-is-called-so'),
    'console: a person': async (tab) => {
      await inConsole('/admin/people')(tab);
      await tab.locator('a.row-link').first().click();
    },
    'console: signing somebody out': async (tab) => {
      await inConsole('/admin/people')(tab);
      await tab.locator('a.row-link').first().click();
      await tab.locator('#person-sign-out').click();
    },
    'console: sessions': inConsole('/admin/sessions'),
    "console: somebody's sessions": inConsole('/admin/sessions?q=ada&sort=oldest'),
    "console: nobody's sessions": inConsole('/admin/sessions?q=nobody-is-called-so'),
    'console: no such client': inConsole('/admin/clients/no-such-client'),
    'console: connections': inConsole('/admin/connections'),
    'console: a connection': inConsole('/admin/connections/apple'),
    'console: what to connect': inConsole('/admin/connections/new'),
    'console: connecting Apple': inConsole('/admin/connections/new/apple'),
    'console: connecting a provider': inConsole('/admin/connections/new/oidc'),
    'console: search': inConsole('/admin/search?q=demo'),
    'console: nothing found': inConsole('/admin/search?q=nothing-is-called-so'),
    'console: keys': inConsole('/admin/keys'),
    'console: audit log': inConsole('/admin/audit'),
    'console: an event': async (tab) => {
      await inConsole('/admin/audit?area=client')(tab);
      await tab.locator('a.row-link').first().click();
    },
    'console: admins': inConsole('/admin/admins'),
    'console: settings': inConsole('/admin/settings'),
  };

  for (const [title, open] of Object.entries(pages)) {
    for (const { name, viewport } of windows) {
      for (const colorScheme of ['light', 'dark']) {
        it(`${title}: ${name}, ${colorScheme}`, async () => {
          const context = await browser.newContext({ viewport, colorScheme });
          try {
            const tab = await context.newPage();
            await open(tab);
            await tab.locator('h1').first().waitFor();
            await screenshot(tab, `${title}-${name}-${colorScheme}`.replace(/[^a-z0-9-]+/gi, '-'));
            assert.equal(await tab.locator('h1').count(), 1, 'one h1');
            assert.ok(await tab.locator('html').getAttribute('lang'), 'a lang');
            assert.ok(await tab.title(), 'a title');
            assert.equal(await scrollsSideways(tab), false, 'it scrolls sideways');
            assert.deepEqual(await violations(tab), []);
          } finally {
            await context.close();
          }
        });
      }
    }
  }
});
