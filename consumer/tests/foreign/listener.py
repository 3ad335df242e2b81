"""python-socketio as a viewer: joins, then prints the single argument of each `msg` as a line.   listener.py URL"""

import sys

import socketio

client = socketio.Client()


@client.on("msg", namespace="/collectHooks")
def msg(data):
    assert isinstance(data, str), type(data)
    print(data)


client.connect(sys.argv[1], namespaces=["/collectHooks"])
client.emit("join_room", namespace="/collectHooks")
# Who asks once more is told when the room has been joined.
client.call("join_room", namespace="/collectHooks")
print("joined")
sys.stdin.read()
client.disconnect()
