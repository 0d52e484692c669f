"""Every form of a page with every field, so that a suite can fill in all of them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

TYPED = {"text", "email", "url", "search", "password", "tel", "textarea", "number"}


@dataclass
class Form:
    action: str
    method: str
    # (name, kind, value); a box that is not ticked is not among them.
    fields: list[tuple[str, str, str]] = field(default_factory=list)

    def filled(self, text: str) -> list[tuple[str, str]]:
        """What it sends when `text` is typed wherever something can be typed."""
        return [(n, text if kind in TYPED else value) for n, kind, value in self.fields]


class Document(HTMLParser):
    """The forms and the links of a page."""

    def __init__(self, html: str):
        super().__init__()
        self.forms: list[Form] = []
        self.links: set[str] = set()
        self.textarea: str | None = None
        self.select: str | None = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and given.get("href"):
            self.links.add(given["href"])
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif not self.forms or not (given.get("name") or tag == "option"):
            pass
        elif tag == "input":
            kind = given.get("type", "text")
            ticked = kind not in ("radio", "checkbox") or "checked" in given
            if ticked and kind != "submit":
                self.forms[-1].fields.append((given["name"], kind, given.get("value", "")))
        elif tag == "textarea":
            self.forms[-1].fields.append((given["name"], "textarea", ""))
        elif tag == "select":
            self.select = given["name"]
            self.forms[-1].fields.append((self.select, "select", ""))
        elif tag == "option" and self.select and ("selected" in given or not self.chosen()):
            self.forms[-1].fields[-1] = (self.select, "select", given.get("value", ""))

    def chosen(self) -> str:
        return self.forms[-1].fields[-1][2]

    def handle_endtag(self, tag):
        if tag == "select":
            self.select = None
