#!/usr/bin/env python3
"""Runs plans of the OpenID Foundation's conformance suite against a Russet (docs/certification.md).

    run.py prepare --russet PATH --config russet.toml
    run.py plan oidc.json oidcc-basic-certification-test-plan server_metadata=discovery …
"""

import argparse
import base64
import fnmatch
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
PASSWORD = "correct horse battery staple"
PERSON = {
    "name": "Ada King Lovelace", "given-name": "Ada", "family-name": "Lovelace", "middle-name": "King",
    "nickname": "Ada", "preferred-username": "ada", "profile": "https://example.com/ada",
    "picture": "https://example.com/ada.png", "website": "https://example.com", "gender": "female",
    "birthdate": "1985-12-10", "zoneinfo": "Europe/London", "locale": "en-GB",
    "email": "ada@example.com", "email-verified": "true",
    "phone-number": "+44 20 7946 0000", "phone-number-verified": "true",
    "address-formatted": "12 St James's Square, London", "address-street-address": "12 St James's Square",
    "address-locality": "London", "address-region": "Greater London", "address-postal-code": "SW1Y 4JH",
    "address-country": "GB",
}


class State:
    """What `prepare` made, kept for `plan`: secrets, keys and certificates of the clients."""

    def __init__(self, args):
        self.folder = pathlib.Path(args.state)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.places = {"$ISSUER": args.issuer, "$SUITE": args.suite, "$MTLS": args.mtls, "$PASSWORD": PASSWORD}

    def kept(self, name, make=None):
        path = self.folder / name
        if make and not path.exists():
            path.write_text(make())
        return path.read_text().strip()

    def keys(self, client):
        """A private JWK set of one PS256 key; the suite signs with it, and DPoP proofs too."""
        return json.loads(self.kept(f"{client}.jwks", new_keys))

    def certificate(self, client):
        for name in (f"{client}.key", f"{client}.crt"):
            if not (self.folder / name).exists():
                subprocess.run(
                    ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "3650",
                     "-subj", f"/CN={client}", "-keyout", self.folder / f"{client}.key",
                     "-out", self.folder / f"{client}.crt"], check=True, capture_output=True)
        return self.kept(f"{client}.crt")

    def public_keys(self, client):
        private = ("d", "p", "q", "dp", "dq", "qi")
        return {"keys": [{k: v for k, v in key.items() if k not in private} for key in self.keys(client)["keys"]]}

    def certificate_keys(self, client):
        """A JWK set of the certificate's key, for self_signed_tls_client_auth (RFC 8705 §2.2.2)."""
        body = "".join(self.certificate(client).splitlines()[1:-1])
        key = rsa_numbers(self.folder / f"{client}.crt", "x509")
        return {"keys": [key | {"kid": client, "use": "sig", "alg": "PS256", "x5c": [body]}]}

    def fill(self, value):
        """The value with `$ISSUER`, `$SUITE`, `$PASSWORD`, `$SECRET(client)` and the like filled in."""
        if isinstance(value, dict):
            return {key: self.fill(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.fill(inner) for inner in value]
        if not isinstance(value, str):
            return value
        if whole := re.fullmatch(r"\$PRIVATE_JWKS\((.+)\)", value):
            return self.keys(whole[1])
        for name, place in self.places.items():
            value = value.replace(name, place)
        for pattern, found in (
            (r"\$SECRET\((.+?)\)", lambda m: self.kept(f"{m[1]}.secret")),
            (r"\$JWKS\((.+?)\)", lambda m: json.dumps(self.public_keys(m[1]))),
            (r"\$CERTIFICATE_JWKS\((.+?)\)", lambda m: json.dumps(self.certificate_keys(m[1]))),
            (r"\$CERTIFICATE\((.+?)\)", lambda m: self.certificate(m[1])),
            (r"\$PRIVATE_KEY\((.+?)\)", lambda m: self.certificate(m[1]) and self.kept(f"{m[1]}.key")),
        ):
            value = re.sub(pattern, found, value)
        return value


def openssl(*args, stdin=None):
    return subprocess.run(["openssl", *args], check=True, capture_output=True, text=True, input=stdin).stdout


def base64url(hexadecimal):
    digits = hexadecimal.lstrip("0")
    return base64.urlsafe_b64encode(bytes.fromhex("0" * (len(digits) % 2) + digits)).rstrip(b"=").decode()


def rsa_numbers(path, kind):
    if kind == "x509":
        modulus = openssl("x509", "-in", str(path), "-noout", "-modulus").partition("=")[2].strip()
        return {"kty": "RSA", "n": base64url(modulus), "e": "AQAB"}
    text = openssl("rsa", "-in", str(path), "-noout", "-text")
    found = {name: re.sub(r"[\s:]", "", digits)
             for name, digits in re.findall(r"^(\w+):\n((?:    .*\n)+)", text, re.M)}
    members = {"n": "modulus", "d": "privateExponent", "p": "prime1", "q": "prime2",
               "dp": "exponent1", "dq": "exponent2", "qi": "coefficient"}
    return {"kty": "RSA", "e": "AQAB"} | {short: base64url(found[long]) for short, long in members.items()}


def new_keys():
    pem = openssl("genrsa", "-traditional", "2048")
    path = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"conformance-{os.getpid()}.pem"
    path.write_text(pem)
    try:
        key = rsa_numbers(path, "key")
    finally:
        path.unlink()
    return json.dumps({"keys": [key | {"kid": base64url(os.urandom(8).hex()), "use": "sig", "alg": "PS256"}]})


def prepare(args):
    state, russet = State(args), [args.russet, "--config", args.config]
    listed = json.loads(subprocess.run(russet + ["client", "list", "--json"], check=True, capture_output=True).stdout)
    there = {client["client_id"] for client in listed}
    if not there:
        claims = [f"--{name}={value}" for name, value in PERSON.items()]
        subprocess.run(russet + ["user", "create", "--username", "conformance", "--password-stdin", *claims],
                       input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL)
        print("made the person conformance")
    for client, options in json.loads((HERE / "clients.json").read_text()).items():
        if client in there:
            continue
        answer = subprocess.run(
            russet + ["client", "create", "--client-id", client, "--json", *map(state.fill, options)],
            check=True, stdout=subprocess.PIPE, text=True).stdout
        if secret := json.loads(answer).get("client_secret"):
            state.kept(f"{client}.secret", lambda: secret)
        print("made", client)


def read(name):
    """A configuration; `$like` names another whose members count where it has none of its own."""
    config = json.loads((HERE / name).read_text())
    return (read(config.pop("$like")) if "$like" in config else {}) | config


class Suite:
    def __init__(self, base):
        self.base, self.tls = base, ssl._create_unverified_context()

    def call(self, method, path, body=None, **query):
        address = f"{self.base}/api/{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(address, data=data, method=method, headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=120) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refused:
            sys.exit(f"{method} {address}: {refused.code} {refused.read().decode()}")
        return json.loads(text) if text else None

    def run(self, plan, module, args):
        test = self.call("POST", "runner", test=module["testModule"], plan=plan,
                         variant=json.dumps(module.get("variant") or {}))["id"]
        deadline, rotate = time.monotonic() + args.patience, args.rotate
        while True:
            info = self.call("GET", f"info/{test}")
            if info["status"] == "CONFIGURED" and rotate:
                # oidcc-server-rotate-keys waits until somebody has rotated the keys and says so.
                # A broker hears within seconds of a key that another process made.
                subprocess.run(rotate, shell=True, check=True, stdout=subprocess.DEVNULL)
                time.sleep(10)
                self.call("POST", f"runner/{test}")
                rotate = None
            if info["status"] in ("FINISHED", "INTERRUPTED"):
                break
            if time.monotonic() > deadline:
                info["result"] = f"still {info['status']}"
                self.call("DELETE", f"runner/{test}")
                break
            time.sleep(1)
        return test, info.get("result") or info["status"]


def plan(args):
    state, suite = State(args), Suite(args.suite.rstrip("/"))
    config = state.fill(read(args.configuration))
    variant = dict(pair.split("=", 1) for pair in args.variant)
    made = suite.call("POST", "plan", config, planName=args.plan, variant=json.dumps(variant))
    print(f"{args.plan} {json.dumps(variant)} {made['id']}: {len(made['modules'])} modules", flush=True)
    counts = {}
    for module in made["modules"]:
        name = module["testModule"]
        if args.only and not any(fnmatch.fnmatch(name, pattern) for pattern in args.only):
            continue
        test, result = suite.run(made["id"], module, args)
        counts[result] = counts.get(result, 0) + 1
        print(f"  {result:<10} {name}  {test}", flush=True)
        if result != "PASSED":
            for entry in suite.call("GET", f"log/{test}"):
                if entry.get("result") in ("FAILURE", "WARNING"):
                    print(f"      {entry['result']} {entry['src']}: {entry.get('msg')}", flush=True)
    print(", ".join(f"{count} {result}" for result, count in sorted(counts.items())))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--issuer", default="https://localhost:9443")
    parser.add_argument("--mtls", default="https://localhost:9444", help="mtls.base_url")
    parser.add_argument("--suite", default="https://localhost:8443")
    parser.add_argument("--state", default="target/conformance", help="where secrets and keys of the clients are kept")
    acts = parser.add_subparsers(required=True)
    first = acts.add_parser("prepare", help="make the person and the clients")
    first.add_argument("--russet", default="target/debug/russet")
    first.add_argument("--config", default="russet.toml")
    first.set_defaults(act=prepare)
    second = acts.add_parser("plan", help="run a plan and print what each module came to")
    second.add_argument("configuration")
    second.add_argument("plan")
    second.add_argument("variant", nargs="*", help="name=value")
    second.add_argument("--only", action="append", help="a module's name, with wildcards; repeatable")
    second.add_argument("--patience", type=int, default=180, help="seconds that a module may take")
    second.add_argument("--rotate", help="a command that rotates the RS256 key, for oidcc-server-rotate-keys")
    second.set_defaults(act=plan)
    args = parser.parse_args()
    args.act(args)


main()
