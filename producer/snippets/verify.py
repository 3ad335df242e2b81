import base64
import hashlib
import hmac
import time


def verify_webhook(secret_key: str, headers, body: bytes) -> bool:
    """Whether the request is genuine and at most 5 minutes old; `body` is its raw body, not yet parsed."""
    timestamp = headers.get("webhook-timestamp", "")
    try:
        if abs(int(time.time()) - int(timestamp)) > 300:
            return False
    except ValueError:
        return False
    signed = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    digest = hmac.new(secret_key.encode(), signed, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    # While the key is being rotated, there is a signature of the old and one of the new.
    signatures = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(given.encode(), expected) for given in signatures)
