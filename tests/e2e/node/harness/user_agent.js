// A browser without a screen: follows redirects, keeps cookies as RFC 6265bis says (Lax cookies are
// withheld on cross-site POSTs), fills in forms. For suites in which Chromium would only be slow.

import { parse } from 'node-html-parser';
import { CookieJar } from 'tough-cookie';

import { remember } from './russet.js';

const HOPS = 25;

const siteOf = (url) => `${url.protocol}//${url.hostname}`;

/** What the redirect URI received: its URL, or the form posted to it. */
export class Landing {
  constructor(url, form) {
    this.url = url;
    this.form = form;
    this.parameters = form ?? url.searchParams;
    remember(this.parameters.get('code'));
  }
}

export class Page {
  constructor(url, response, body) {
    this.url = url;
    this.status = response.status;
    this.headers = response.headers;
    this.body = body;
    this.root = parse(body);
  }

  get heading() {
    return this.root.querySelector('h1')?.text.trim();
  }

  get forms() {
    return this.root.querySelectorAll('form');
  }
}

/** What a form would send when `button` is pressed. */
function submission(page, form, button, fill) {
  const fields = new URLSearchParams();
  for (const input of form.querySelectorAll('input, textarea')) {
    const name = input.getAttribute('name');
    const type = input.getAttribute('type') ?? 'text';
    const unchecked = (type === 'radio' || type === 'checkbox') && !input.hasAttribute('checked');
    if (!name || type === 'submit' || unchecked) continue;
    fields.append(name, fill[name] ?? decode(input.getAttribute('value') ?? input.text));
  }
  if (button?.getAttribute('name')) {
    fields.append(button.getAttribute('name'), button.getAttribute('value') ?? '');
  }
  return {
    url: new URL(form.getAttribute('action') || page.url, page.url),
    method: (form.getAttribute('method') ?? 'get').toUpperCase(),
    fields,
  };
}

// node-html-parser decodes entities in attributes; text of a textarea is taken as it stands.
const decode = (value) => value ?? '';

export class UserAgent {
  #jar = new CookieJar(undefined, { rejectPublicSuffixes: false, allowSpecialUseDomain: true });

  /** Every request made: `{ method, url, cookies, crossSite, status }`, oldest first. */
  journal = [];

  /** The cookies kept for an origin, as Chromium takes them. */
  async cookies(origin) {
    const kept = await this.#jar.getCookies(origin);
    return kept.map(({ key, value }) => ({ name: key, value, url: origin }));
  }

  /**
   * One request, no redirect followed.
   * `initiator`: URL of the page that caused it; absent for an address typed in by the person.
   */
  async send(url, { method = 'GET', fields, initiator, headers = {} } = {}) {
    const crossSite = initiator !== undefined && siteOf(initiator) !== siteOf(url);
    const sameSiteContext = !crossSite ? 'strict' : method === 'GET' ? 'lax' : 'none';
    const cookies = await this.#jar.getCookieString(url.href, { sameSiteContext });
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        ...(cookies && { cookie: cookies }),
        ...(initiator && { origin: initiator.origin }),
        ...headers,
      },
      body: fields,
    });
    this.journal.push({ method, url, cookies, crossSite, status: response.status });
    for (const cookie of response.headers.getSetCookie()) {
      if (!/;\s*samesite=/i.test(cookie) && /russet/i.test(cookie)) {
        throw new Error(`a cookie of the broker's names no SameSite: ${cookie.split('=')[0]}`);
      }
      remember(cookie.split(';')[0].split('=').slice(1).join('='));
      await this.#jar.setCookie(cookie, url.href, { ignoreError: true });
    }
    return response;
  }

  /** Goes to `url` and on through redirects; a Page, or a Landing once `redirectUri` is reached. */
  async open(url, { redirectUri, ...request } = {}) {
    let next = new URL(url);
    let options = request;
    for (let hop = 0; hop < HOPS; hop += 1) {
      if (redirectUri && next.href.startsWith(redirectUri)) {
        return new Landing(next, options.method === 'POST' ? options.fields : undefined);
      }
      const response = await this.send(next, options);
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || !location) {
        return new Page(next, response, await response.text());
      }
      await response.body?.cancel();
      // The initiator of a redirect stays the page that began the navigation.
      const keeps = response.status === 307 || response.status === 308;
      options = keeps ? options : { initiator: options.initiator };
      next = new URL(location, next);
    }
    throw new Error(`more than ${HOPS} redirects, the last to ${next.origin}${next.pathname}`);
  }

  /** Presses a button: the one `choose` picks among the page's, or the only one there is. */
  async press(page, { choose, fill = {}, redirectUri } = {}) {
    const buttons = page.root.querySelectorAll('button, input[type=submit]');
    const button = choose ? buttons.find(choose) : buttons.length === 1 ? buttons[0] : undefined;
    const form = button?.closest('form') ?? (page.forms.length === 1 ? page.forms[0] : undefined);
    if (!form) {
      throw new Error(`nothing to press on "${page.heading}" (${page.status}, ${page.url.pathname})`);
    }
    const { url, method, fields } = submission(page, form, button, fill);
    if (method === 'POST') return this.open(url, { method, fields, initiator: page.url, redirectUri });
    url.search = fields;
    return this.open(url, { initiator: page.url, redirectUri });
  }

  /**
   * Signs in: presses what a person would press until `redirectUri` is reached.
   * `person`: whose button to press at the simulated Apple, or `cancel`.
   * Answers a Landing, or the Page on which nothing could be pressed.
   */
  async signIn(authorizationUrl, { redirectUri, person = 'Ada', consent = 'allow', fill } = {}) {
    let at = await this.open(authorizationUrl, { redirectUri });
    for (let step = 0; step < HOPS && at instanceof Page; step += 1) {
      if (at.status >= 400) return at;
      at = await this.press(at, { choose: chooser(at, person, consent), fill, redirectUri });
    }
    return at;
  }
}

const label = (button) => (button.getAttribute('value') ?? '') + button.text;

/** Which button a person would press: the page's own ids first, and never the way out. */
function chooser(page, person, consent) {
  if (page.root.querySelector(`#consent-${consent}`)) {
    return (button) => button.id === `consent-${consent}`;
  }
  const buttons = page.root.querySelectorAll('button, input[type=submit]');
  if (buttons.length < 2) return undefined;
  if (buttons.some((button) => /continue as/i.test(label(button)))) {
    return person === 'cancel'
      ? (button) => /cancel/i.test(label(button))
      : (button) => /continue as/i.test(label(button)) && label(button).includes(person);
  }
  return (button) => !/cancel|deny/i.test(label(button));
}
