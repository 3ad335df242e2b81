"""The tutorial's task generator, faithful in all that travels: sorted keys, its header, its time-out of one second.
generator.py URL COUNT"""

import json
import random
import sys
import uuid

import requests

url, total = sys.argv[1], int(sys.argv[2])
random.seed(0)
batchid = str(uuid.uuid4())
for index in range(total):
    task = {
        "batchid": batchid,
        "id": index,
        "owner": f"Owner {index}",
        "priority": random.choice(["Low", "Moderate", "Major", "Critical"]),
    }
    response = requests.post(
        url,
        data=json.dumps(task, sort_keys=True, default=str),
        headers={"Content-Type": "application/json"},
        timeout=1.0,
    )
    response.raise_for_status()
    print(index, "out of", total, "-- Status", response.status_code, "--", response.text)
