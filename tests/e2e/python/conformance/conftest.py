"""One provider, as an operator would set it up for an outside run of the conformance suite."""

import pytest

from harness.examiner import Browser
from harness.house import House

# Every standard claim: the plans ask for all of them.
ADA = {
    "name": "Ada Lovelace",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "middle_name": "Augusta",
    "nickname": "Ada",
    "preferred_username": "ada",
    "profile": "https://ada.example/",
    "picture": "https://ada.example/face.png",
    "website": "https://ada.example/",
    "gender": "female",
    "birthdate": "1815-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "email": "ada@example.com",
    "phone_number": "+44 20 7946 0000",
    "address-formatted": "12 St James's Square, London",
    "address-locality": "London",
    "address-country": "United Kingdom",
}


@pytest.fixture(scope="package")
def house():
    with House("conformance", '[registration]\nmode = "open"\n') as house:
        claims = [
            part for n, v in ADA.items() for part in (f"--{n.replace('_', '-')}", v)
        ]
        house.person("ada", *claims, "--email-verified", "--phone-number-verified")
        yield house


@pytest.fixture
def browser():
    return Browser()
