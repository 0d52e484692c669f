// Debian's Chromium, driven by playwright-core.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import axe from 'axe-core';
import { chromium } from 'playwright-core';

import { run } from './russet.js';

const screenshots = process.env.RUSSET_E2E_SCREENSHOTS ?? join(run, 'screenshots');
mkdirSync(screenshots, { recursive: true });

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // Chromium's own sandbox needs rights that a container's root has not.
    args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
  });
}

/** Violations of WCAG 2.2 AA that axe finds on the page, in words. */
export async function violations(page) {
  // Evaluated through the debugger, so that the page's own CSP stays as strict as it is.
  await page.evaluate(axe.source);
  const result = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    }),
  );
  return result.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' | ')}`,
  );
}

/** Whether the page is wider than the window. */
export function scrollsSideways(page) {
  return page.evaluate(
    () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
  );
}

export function screenshot(page, name) {
  return page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
}
