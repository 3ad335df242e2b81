"""Shows the delivery on standard input to the Python snippet; prints `ok` or `refused`."""

import json
import pathlib
import runpy
import sys

snippet = runpy.run_path(str(pathlib.Path(__file__).parents[2] / "snippets/verify.py"))
delivery = json.load(sys.stdin)
good = snippet["verify_webhook"](delivery["secret_key"], delivery["headers"], delivery["body"].encode())
print({True: "ok", False: "refused"}[good])
