"""The simulated Apple's control API: what tests do to Apple's side of the world."""

import secrets

import httpx

from .russet import DEV, remember

BUNDLE_ID = "com.example.demo"


def new_person(first: str = "Test", last: str | None = None, **account) -> dict:
    """A person that nobody signed in as before. `display_name` is what Apple's button says."""
    identifier = f"p{secrets.token_hex(6)}"
    person = {
        "id": identifier,
        "first_name": first,
        "last_name": identifier if last is None else last,
        "email": f"{identifier}@example.com",
        "email_verified": True,
        **account,
    }
    httpx.post(f"{DEV['apple']['url']}/_sim/accounts", json=person).raise_for_status()
    name = f"{person['first_name']} {person['last_name']}".strip()
    return {**person, "display_name": name or person["email"]}


def native_sign_in(account: str, nonce: str | None = None, bundle_id: str = BUNDLE_ID) -> dict:
    """What AuthenticationServices hands to the app; `nonce` is copied into the identity token."""
    asked = {"account": account, "bundle_id": bundle_id, "scopes": ["name", "email"]}
    if nonce is not None:
        asked["nonce"] = nonce
    answer = httpx.post(f"{DEV['apple']['url']}/_sim/native", json=asked)
    answer.raise_for_status()
    credential = answer.json()
    remember(credential["identityToken"], credential["authorizationCode"])
    return credential
