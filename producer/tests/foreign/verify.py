"""Verifies the delivery on standard input with Standard Webhooks' own library; prints `ok`."""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

delivery = json.load(sys.stdin)
try:
    Webhook(delivery["secret"]).verify(delivery["body"], delivery["headers"])
    print("ok")
except WebhookVerificationError as error:
    print(error)
