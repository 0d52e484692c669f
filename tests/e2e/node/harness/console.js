// The console as one admin of a role sees it: accounts, cookies, and every page that links lead to.

import { parse } from 'node-html-parser';

import { cli, dev, remember } from './russet.js';
import { UserAgent } from './user_agent.js';

export const PASSWORD = 'correct horse battery staple';
remember(PASSWORD);

/** A new console account of this role; the username. */
export async function account(role, ...more) {
  const username = `${role}-${Math.random().toString(36).slice(2, 8)}`;
  const args = ['admin', 'create', '--username', username, '--role', role, ...more];
  await cli([...args, '--password-stdin'], { input: PASSWORD });
  return username;
}

/** The cookies of a console session, as Chromium takes them. */
export async function consoleCookies(username, password = PASSWORD) {
  const agent = new UserAgent();
  const page = await agent.open(`${dev.issuer}/admin/login`);
  await agent.press(page, { choose: (b) => b.id === 'login-submit', fill: { username, password } });
  return agent.cookies(dev.issuer);
}

/** One address for each kind of page: ids count as one. */
const kind = ({ pathname, searchParams }) =>
  pathname.replace(/\/(?:[A-Za-z0-9_-]{12,}|\d+)(?=\/|$)/g, '/…') + [...searchParams.keys()].join();

/** Paths of every kind of page in the console that links lead to, with their status. */
export async function everyPage(cookies) {
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const found = new Map();
  const ahead = [new URL('/admin', dev.issuer)];
  while (ahead.length) {
    const url = ahead.shift();
    if (found.has(kind(url))) continue;
    const answer = await fetch(url, { headers: { cookie }, redirect: 'manual' });
    const html = /html/.test(answer.headers.get('content-type') ?? '');
    const body = await answer.text();
    found.set(kind(url), { path: url.pathname + url.search, status: answer.status, html });
    if (!html) continue;
    for (const link of parse(body).querySelectorAll('main a[href], nav a[href]')) {
      const target = new URL(link.getAttribute('href'), url);
      target.hash = '';
      if (target.origin === url.origin && /^\/admin(\/|$)/.test(target.pathname)) ahead.push(target);
    }
  }
  return [...found.values()];
}
