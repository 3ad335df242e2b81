"""A peer of `make bench`: the tutorial's consumer on today's Flask, with gevent and without its printing.   python consumer.py PORT REDIS_URL"""

from gevent import monkey

monkey.patch_all()

import json
import sys
import uuid

from flask import Flask, request
from flask_socketio import SocketIO, join_room

port, broker = sys.argv[1:]
app = Flask(__name__)
app.secret_key = "bench"
socketio = SocketIO(app, async_mode="gevent", message_queue=broker)
# The tutorial makes it before the first request, by a hook that Flask has no more.
room = str(uuid.uuid4())


@app.route("/consumetasks", methods=["POST"])
def consume_tasks():
    data = request.json
    if data:
        socketio.emit("msg", json.dumps(data), namespace="/collectHooks", room=room)
    return "OK"


@socketio.on("join_room", namespace="/collectHooks")
def on_room():
    join_room(room)


socketio.run(app, host="127.0.0.1", port=int(port), log_output=False)
