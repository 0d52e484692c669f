// Visits with Chromium what the suite's own browser cannot: pages that compute with `crypto.subtle`,
// as the check session iframe does. Runs beside `run.py` until it is stopped.
//
//     node tests/conformance/visit.mjs [https://localhost:8443]

import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../e2e/package.json', import.meta.url))('playwright-core');
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const suite = process.argv[2] ?? 'https://localhost:8443';
const password = 'correct horse battery staple';

const steps = {
  '#login-submit': async (tab) => {
    await tab.fill('#username', 'conformance');
    await tab.fill('#password', password);
    await tab.click('#login-submit');
  },
  '#consent-allow': (tab) => tab.click('#consent-allow'),
  '#logout-confirm': (tab) => tab.click('#logout-confirm'),
};

async function call(path, method = 'GET') {
  const answer = await fetch(`${suite}/api/${path}`, { method });
  return answer.ok && method === 'GET' ? answer.json() : null;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
});
const tabs = new Map();
browser.on('disconnected', () => process.exit());

async function visit(test, url) {
  if (!tabs.has(test)) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    tabs.set(test, await context.newPage());
  }
  const tab = tabs.get(test);
  await tab.goto(url);
  for (const [button, act] of Object.entries(steps)) {
    if (await tab.locator(button).count()) await act(tab);
  }
}

for (;;) {
  for (const test of (await call('runner/running')) ?? []) {
    const { urls = [] } = (await call(`runner/browser/${test}`)) ?? {};
    for (const url of urls) {
      await call(`runner/browser/${test}/visit?url=${encodeURIComponent(url)}`, 'POST');
      await visit(test, url);
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
}
