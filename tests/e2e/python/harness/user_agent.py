"""A browser without a screen: redirects, forms, and cookies withheld as SameSite demands."""

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx

from .russet import DEV, remember

HOPS = 25


class Forms(HTMLParser):
    """The forms of a page: action, method, hidden and prefilled fields, buttons."""

    def __init__(self, html: str):
        super().__init__()
        self.forms: list[dict] = []
        self.heading = ""
        self.button: dict | None = None
        self.in_heading = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        if tag == "h1":
            self.in_heading = True
        elif tag == "form":
            self.forms.append({**attributes, "fields": [], "buttons": []})
        elif tag in ("input", "button") and self.forms:
            form = self.forms[-1]
            kind = attributes.get("type", "submit" if tag == "button" else "text")
            if kind == "submit":
                self.button = {**attributes, "text": attributes.get("value", "")}
                form["buttons"].append(self.button)
            elif kind in ("radio", "checkbox") and "checked" not in attributes:
                pass
            elif attributes.get("name"):
                form["fields"].append((attributes["name"], attributes.get("value", "")))

    def handle_endtag(self, tag):
        if tag == "h1":
            self.in_heading = False
        elif tag == "button":
            self.button = None

    def handle_data(self, data):
        if self.in_heading:
            self.heading += data
        if self.button is not None:
            self.button["text"] += data


@dataclass
class Landing:
    """What the redirect URI received: its URL, and the form if one was posted."""

    url: str
    form: dict[str, str] | None = None

    @property
    def parameters(self) -> dict[str, str]:
        if self.form is not None:
            return self.form
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}


@dataclass
class Page:
    url: str
    status: int
    forms: list[dict]
    heading: str
    headers: httpx.Headers
    text: str = ""


def site_of(url: str) -> tuple[str, str | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class UserAgent:
    """`routes` sends an origin's requests to another one, as a load balancer does.

    The value may be a callable that answers another origin each time.
    """

    def __init__(self, routes: dict | None = None):
        self.routes = routes or {}
        # Cookies know no port: (host, name) -> (value, SameSite).
        self.cookies: dict[tuple[str, str], tuple[str, str]] = {}
        self.http = httpx.Client(timeout=30)

    def send(self, method, url, fields=None, initiator=None) -> httpx.Response:
        cross_site = initiator is not None and site_of(initiator) != site_of(url)
        host = urlsplit(url).hostname
        sent = []
        for (owner, name), (value, same_site) in self.cookies.items():
            if owner != host:
                continue
            if cross_site and (same_site == "strict" or (same_site == "lax" and method != "GET")):
                continue
            sent.append(f"{name}={value}")
        headers = {"accept": "text/html,*/*;q=0.8", "host": urlsplit(url).netloc}
        if sent:
            headers["cookie"] = "; ".join(sent)
        if initiator:
            headers["origin"] = origin_of(initiator)
        body = None
        if fields is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
            body = urlencode(fields)
        route = self.routes.get(origin_of(url))
        target = (route() if callable(route) else route) if route else origin_of(url)
        # Not httpx's own cookie jar: it knows nothing of SameSite.
        request = httpx.Request(
            method, target + url[len(origin_of(url)) :], headers=headers, content=body
        )
        response = self.http.send(request, follow_redirects=False)
        for cookie in response.headers.get_list("set-cookie"):
            self.keep(host, cookie)
        return response

    def keep(self, host: str, cookie: str) -> None:
        pair, *attributes = [part.strip() for part in cookie.split(";")]
        name, value = pair.split("=", 1)
        parsed = dict((a.split("=", 1) + [""])[:2] for a in (x.lower() for x in attributes))
        if parsed.get("max-age", "1").startswith(("0", "-")):
            self.cookies.pop((host, name), None)
            return
        # An app keeps state and nonce in cookies of its own, and those are meant to reach the broker.
        if "russet" in name:
            remember(value)
        self.cookies[(host, name)] = (value, parsed.get("samesite", "lax"))

    def open(self, url, redirect_uri=None, method="GET", fields=None, initiator=None):
        for _ in range(HOPS):
            if redirect_uri and url.startswith(redirect_uri):
                landing = Landing(url, dict(fields or []) if method == "POST" else None)
                remember(landing.parameters.get("code"))
                return landing
            response = self.send(method, url, fields, initiator)
            if response.is_redirect:
                url = urljoin(url, response.headers["location"])
                if response.status_code not in (307, 308):
                    method, fields = "GET", None
                continue
            parsed = Forms(response.text)
            return Page(
                url,
                response.status_code,
                parsed.forms,
                parsed.heading.strip(),
                response.headers,
                response.text,
            )
        raise AssertionError(f"more than {HOPS} redirects")

    def press(self, page: Page, form: dict, button: dict | None, redirect_uri=None, fill=None):
        fields = [(name, (fill or {}).get(name, value)) for name, value in form["fields"]]
        if button and button.get("name"):
            fields.append((button["name"], button.get("value", "")))
        action = urljoin(page.url, form.get("action") or page.url)
        if form.get("method", "get").lower() == "post":
            return self.open(action, redirect_uri, "POST", fields, page.url)
        return self.open(f"{action}?{urlencode(fields)}", redirect_uri, initiator=page.url)

    def sign_in(self, url, redirect_uri, person="Ada", on_step=None):
        """Presses what a person would press until `redirect_uri` is reached.

        Answers the Landing, or the Page on which it ended. `on_step` sees each Page before.
        """
        at = self.open(url, redirect_uri)
        for _ in range(HOPS):
            if isinstance(at, Landing) or at.status >= 400:
                return at
            if on_step:
                on_step(at)
            form, button = choose(at, person)
            at = self.press(at, form, button, redirect_uri)
        raise AssertionError(f"no end of pages, the last was {at.heading!r}")


def choose(page: Page, person: str) -> tuple[dict, dict | None]:
    """The form and button a person would press on this page."""
    buttons = [(form, button) for form in page.forms for button in form["buttons"]]
    for form, button in buttons:
        if button.get("id") == "consent-allow":
            return form, button
    if origin_of(page.url) == origin_of(DEV["apple"]["url"]):
        for form, button in buttons:
            if "continue as" in button["text"].lower() and person in button["text"]:
                return form, button
    for form, button in buttons:
        if "cancel" not in button["text"].lower():
            return form, button
    if len(page.forms) == 1:
        return page.forms[0], None
    raise AssertionError(f"nothing to press on {page.heading!r} at {page.url}")
