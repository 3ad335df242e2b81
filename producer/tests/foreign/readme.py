"""The check of PyWebhooks' README for Python: HMAC over what json.dumps makes of the parsed body; prints `ok`."""

import hashlib
import hmac
import json
import sys

delivery = json.load(sys.stdin)


def verify_hmac_hash(incoming_json, secret_key, incoming_signature):
    signature = hmac.new(
        str(secret_key).encode("utf-8"),
        str(incoming_json).encode("utf-8"),
        digestmod=hashlib.sha1,
    ).hexdigest()

    return hmac.compare_digest(signature, incoming_signature)


parsed = json.loads(delivery["body"])
valid = verify_hmac_hash(json.dumps(parsed), delivery["secret_key"], delivery["headers"]["pywebhooks-signature"])
print("ok" if valid else "wrong signature")
