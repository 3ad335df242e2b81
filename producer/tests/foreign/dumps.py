"""Reads one JSON string a line, which holds a document; prints what Python makes of the document, or "refused"."""

import json
import sys

for line in sys.stdin:
    try:
        print(json.dumps(json.loads(json.loads(line)), sort_keys=True, allow_nan=False))
    except ValueError:
        print("refused")
