// The console in Chromium: sign-in, a client made by hand, what a stranger is refused.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { launch, screenshot } from './harness/chromium.js';
import { relyingParty, signIn } from './harness/relying_party.js';
import { cli, dev, remember } from './harness/russet.js';
import { UserAgent } from './harness/user_agent.js';

const redirectUri = 'http://127.0.0.1:49881/callback';

describe('the console', () => {
  let browser;
  let context;
  let tab;
  before(async () => {
    browser = await launch();
    context = await browser.newContext();
    tab = await context.newPage();
  });
  after(() => browser?.close());

  const submit = () => tab.locator('main [type=submit]').first().click();

  it('sends a stranger to its sign-in page', async () => {
    await tab.goto(dev.console.url);
    assert.match(new URL(tab.url()).pathname, /\/admin\/login$/);
  });

  it('refuses a wrong password, and keeps the username typed', async () => {
    await tab.locator('[name=username]').fill(dev.console.username);
    await tab.locator('[name=password]').fill('not the password at all');
    await submit();
    assert.match(new URL(tab.url()).pathname, /\/admin\/login$/);
    assert.equal(await tab.locator('[name=username]').inputValue(), dev.console.username);
    assert.equal(await tab.locator('[name=password]').inputValue(), '');
    await tab.getByRole('alert').first().waitFor();
  });

  it('signs in with a new session', async () => {
    const sessions = async () =>
      (await context.cookies(dev.issuer)).map((cookie) => `${cookie.name}=${cookie.value}`);
    const before = await sessions();
    await tab.locator('[name=username]').fill(dev.console.username);
    await tab.locator('[name=password]').fill(dev.console.password);
    await submit();
    await tab.waitForURL((url) => !url.pathname.endsWith('/login'));
    const signedIn = await sessions();
    remember(...signedIn.map((cookie) => cookie.split('=')[1]));
    assert.ok(signedIn.some((cookie) => !before.includes(cookie)));
    await screenshot(tab, 'console-overview');
  });

  it('makes a client whose secret is shown once and works', async () => {
    await tab.getByRole('link', { name: 'Clients' }).first().click();
    await tab.getByRole('link', { name: /new client|create|register/i }).first().click();
    const kind = tab.getByRole('link', { name: /web app/i });
    if (await kind.count()) await kind.first().click();
    await tab.locator('[name=client_name]').fill('Made by hand');
    await tab.locator('[name=redirect_uris]').first().fill(redirectUri);
    await submit();
    await tab.getByText('Made by hand').first().waitFor();
    await screenshot(tab, 'console-client-created');
    const shown = await tab.locator('main').innerText();
    const clients = await cli(['client', 'list', '--json']);
    const made = [clients.items ?? clients.clients ?? clients]
      .flat()
      .find((one) => one.client_name === 'Made by hand');
    assert.ok(made, 'the command line sees what the console made');
    const client_secret = await tab.locator('#client_secret').innerText();
    remember(client_secret);
    assert.ok(shown.includes(client_secret));

    const config = await relyingParty({ ...made, client_secret });
    const tokens = await signIn(config, new UserAgent(), redirectUri);
    assert.ok(tokens.claims().sub);

    await tab.reload();
    assert.ok(!(await tab.content()).includes(client_secret), 'a secret is shown once');
  });

  it('ties a mistake to its field and loses nothing that was typed', async () => {
    await tab.goto(`${dev.console.url}/clients/new/web`);
    await tab.locator('[name=client_name]').fill('With a mistake');
    await tab.locator('[name=redirect_uris]').first().fill('javascript:alert(1)');
    await submit();
    const field = tab.locator('[name=redirect_uris]').first();
    assert.equal(await field.inputValue(), 'javascript:alert(1)');
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    const description = await field.getAttribute('aria-describedby');
    assert.ok(description, 'the message is tied to the field');
    await screenshot(tab, 'console-mistake');
  });

  it('refuses a form without its CSRF token', async () => {
    const cookies = await context.cookies(dev.issuer);
    const answer = await fetch(`${dev.console.url}/clients/new/web`, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; '),
        origin: 'https://evil.example',
      },
      body: new URLSearchParams({ client_name: 'Forged', kind: 'web' }),
    });
    assert.ok([400, 403].includes(answer.status), `it answered ${answer.status}`);
  });

  it('signs out, and the old session opens nothing', async () => {
    const cookies = await context.cookies(dev.issuer);
    await tab.goto(dev.console.url);
    await tab.getByRole('button', { name: /sign out/i }).first().click();
    await tab.waitForURL(/\/admin\/login/);
    const answer = await fetch(dev.console.url, {
      redirect: 'manual',
      headers: { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') },
    });
    assert.equal(answer.status, 303);
  });
});
