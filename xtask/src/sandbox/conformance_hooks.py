"""Credentials for each call, and ids that lead somewhere for half of the cases."""

import json
import os
import random
import urllib.request

import schemathesis

ROOT = os.environ["SANDBOX"]
ACCOUNT = "T12345678"
BASIC = "Basic c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ="


def call(path, body, authorization):
    request = urllib.request.Request(
        ROOT + path,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "authorization": authorization},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


AUDIENCE = f"{ROOT}/v1/accounts/{ACCOUNT}"
TOKEN = "Bearer " + call(
    f"/v1/accounts/{ACCOUNT}/auth/token", {"grant_type": "client_credentials", "audience": AUDIENCE}, BASIC
)["access_token"]
ORDER = {"amount": 100000, "currency": "NOK", "merchant_reference": "conformance"}
SESSION = {"profile_id": "default", "order": ORDER, "url": {"return_url": "https://shop.example/thanks"}}


def session():
    return call("/v1/sessions-profile", SESSION, TOKEN)["id"]


def transaction():
    return call(f"/_sandbox/sessions/{session()}/pay", {}, TOKEN)["transaction_id"]


@schemathesis.hook
def before_call(context, case, kwargs):
    is_token = case.path.endswith("/auth/token")
    case.headers = dict(case.headers or {}, Authorization=BASIC if is_token else TOKEN)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    chosen = random.Random(json.dumps(path_parameters, default=str))
    if not path_parameters or chosen.random() < 0.3:
        return path_parameters
    made = {"id": transaction, "session_id": session, "oid": lambda: ACCOUNT}
    return {name: made[name]() if name in made else value for name, value in path_parameters.items()}
