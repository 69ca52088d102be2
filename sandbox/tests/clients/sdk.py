"""The official Python SDK, unmodified, against the program: python sdk.py http://127.0.0.1:4080"""

import json
import sys
import urllib.request

from dintero import Dintero

root = sys.argv[1]
checkout = Dintero("T12345678", "sandbox-client", "sandbox-secret", api_url=root, checkout_url=root).checkout()


def control(path, body):
    request = urllib.request.Request(
        root + "/_sandbox" + path,
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


items = [
    {"id": "chair", "line_id": "1", "description": "Chair", "quantity": 1, "amount": 29990, "vat": 25, "vat_amount": 5998}
]


def paid(reference):
    session = checkout.create_session(
        {
            "url": {"return_url": "https://shop.example/thanks"},
            "order": {
                "amount": 29990,
                "currency": "NOK",
                "merchant_reference": reference,
                "vat_amount": 5998,
                "items": items,
            },
            "profile_id": "default",
        }
    )
    assert session["url"].endswith("/v1/view/" + session["id"]), session
    transaction = control(f"/sessions/{session['id']}/pay", {})["transaction_id"]
    assert checkout.get_session(session["id"])["transaction_id"] == transaction
    return transaction


bought = paid("python-1")
assert checkout.capture_transaction(bought, 29990, items, "capture-1")["status"] == "CAPTURED"
assert checkout.refund_transaction(bought, 29990, items, "refund-1", "returned")["status"] == "REFUNDED"
assert checkout.get_transaction(bought)["status"] == "REFUNDED"
voided = paid("python-2")
assert checkout.void_transaction(voided)["status"] == "AUTHORIZATION_VOIDED"
print("bought, captured, refunded and voided:", bought, voided)
