// Every page of both programs, in each of its looks, but for those of accounts.
import { io } from "socket.io-client";
import { batch, consumer, eventually, json, play, postJson, producer } from "./browser.mjs";
import { looked } from "./looks.mjs";

await play(async (browser) => {
  const found = [];
  // Empty first: a page that has nothing to show says what would fill it.
  const empty = { producer: `${producer}/`, batches: `${producer}/batches`, devices: `${producer}/devices`, dashboard: `${consumer}/`, events: `${consumer}/events`, readings: `${consumer}/devices`, sources: `${consumer}/sources`, screens: `${consumer}/screens`, actions: `${consumer}/actions`, "action-keys": `${consumer}/actions/keys`, "action-executions": `${consumer}/actions/executions`, "action-audit": `${consumer}/actions/audit` };
  for (const [name, url] of Object.entries(empty)) found.push(...(await looked(browser, `empty-${name}`, url)));
  for (const [name, url] of Object.entries(await filled())) found.push(...(await looked(browser, name, url)));
  if (found.length > 0) throw new Error(`\n${found.join("\n")}`);
});

/** Fills both programs with what pages have to show, and gives the address of every page. */
async function filled() {
  const done = await batch({ count: 120, wait: 0, weights: "4,3,2,1" });
  // Nobody listens on port 9: one attempt was made, and more will be.
  const retried = await batch({ count: 3, wait: 0, to: "http://127.0.0.1:9/" }, (told) => told.retrying > 0);
  await postJson(`${consumer}/consumetasks/github`, { action: "push", commits: [{ message: "Fix the <b>roof</b>" }] });
  const guarded = await guardedSource();
  const readings = await batch({ source: "hardware" });
  const { deliveries } = await json(`${producer}/api/deliveries?batch=${retried}&limit=1`);
  const { sensor, door, broken } = await devices();
  const { screen, program } = await screens();
  const acted = await actions();
  return {
    // First, while two still ask.
    screens: `${consumer}/screens`,
    producer: `${producer}/`,
    batches: `${producer}/batches`,
    "batch-done": `${producer}/batches/${done}`,
    "batch-retrying": `${producer}/batches/${retried}`,
    "batch-readings": `${producer}/batches/${readings}`,
    deliveries: `${producer}/deliveries`,
    delivery: `${producer}/deliveries/${deliveries[0].id}`,
    "producer-not-found": `${producer}/nowhere`,
    dashboard: `${consumer}/`,
    events: `${consumer}/events`,
    event: `${consumer}/events/@121`,
    sources: `${consumer}/sources`,
    "source-new": `${consumer}/new-source?kind=hmac`,
    source: `${consumer}/sources/${guarded}`,
    "source-edit": `${consumer}/sources/${guarded}/edit`,
    "source-open": `${consumer}/sources/github`,
    "source-rules": `${consumer}/sources/${guarded}/rules`,
    "event-repeated": `${consumer}/events/@${broken.offset}`,
    readings: `${consumer}/devices`,
    "readings-none": `${consumer}/devices?q=nothing`,
    reading: `${consumer}/devices/${sensor.id}`,
    "reading-digital": `${consumer}/devices/${door.id}`,
    "reading-not-a-number": `${consumer}/devices/${broken.id}?window=all`,
    "screens-none": `${consumer}/screens?q=nothing`,
    "new-device": `${consumer}/new-device`,
    screen: `${consumer}/screens/${screen}`,
    "screen-program": `${consumer}/screens/${program}`,
    "screen-dashboard": `${consumer}/screen-dashboard`,
    ...acted,
    "consumer-not-found": `${consumer}/nowhere`,
  };
}

/** A source with a secret and rules, from which one request came in and two did not. */
async function guardedSource() {
  const form = (path, fields) => fetch(`${consumer}${path}`, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
  const source = "gate";
  await form("/new-source", { kind: "token", source, in: "query", name: "token", secret: "a-token-of-the-gate", rate: "600" });
  const rules = '- when: [{pointer: /alarm/level, greater: 5}]\n  priority: Critical\n  title: "Alarm {/alarm/level} in {/zone}"';
  await form(`/sources/${source}/rules`, { rules, do: "save" });
  const alarm = { alarm: { level: 7 }, zone: "hall 2" };
  await postJson(`${consumer}/consumetasks/${source}?token=a-token-of-the-gate`, alarm);
  for (const token of ["", "?token=a-guess"]) await postJson(`${consumer}/consumetasks/${source}${token}`, alarm);
  return source;
}

/** Screens and a program: one screen is there with a loop of everything, one was told much, one asks, and one asks for the place of another. */
async function screens() {
  const ask = async (name, digit) => (await postJson(`${consumer}/screen-api/pairing`, { name, key: digit.repeat(64) })).json();
  const pair = async (name, digit) => {
    const { code } = await ask(name, digit);
    const places = { groups: ["lobby", "north"], tags: ["4k"] };
    return (await (await postJson(`${consumer}/api/pairings/${code}/accept`, places)).json()).id;
  };
  const screen = await pair("lobby-1", "a");
  await pair("A hall with a name that is rather long, on the second floor", "b");
  const program = (await (await postJson(`${consumer}/api/action-devices`, { name: "robot" })).json()).id;
  const card = { type: "card", title: "Now", text: "{{main.temp}} °C", datasource: "weather", color: "#00aa88" };
  const items = [{ type: "web", url: "https://example.org/menu", seconds: 20 }, { type: "image", url: "https://example.org/a.png", seconds: 10 }, { type: "dashboard", seconds: 30 }, { ...card, seconds: 15 }];
  const datasources = [{ name: "weather", url: "https://example.org/weather.json", every_seconds: 60 }];
  const rules = [{ sensor: "door-1", event: "open", show: { type: "card", text: "The door is open" }, seconds: 20 }];
  const body = JSON.stringify({ items, datasources, rules });
  await fetch(`${consumer}/api/action-devices/${screen}/content`, { method: "PUT", body });
  await shows("a", { kind: "emergency", label: "Leave the building by the stairs, not by the lift, and go to the meeting point" });
  for (const text of ["Lunch", "Tea"]) await postJson(`${consumer}/api/action-devices/${screen}/commands`, { function: "show_toast", parameters: { text } });
  // They ask for a minute only: what is looked at first is looked at in time.
  await ask("lobby-1", "c");
  await ask("A new one in the kitchen of the canteen on the ground floor", "d");
  return { screen, program };
}

/** Has the screen with this key say what it shows. */
async function shows(digit, showing) {
  const socket = io(`${consumer}/devices`, { auth: { key: digit.repeat(64), last: 0 }, transports: ["websocket"] });
  await new Promise((done) => socket.once("state", done));
  socket.emit("showing", showing);
  await eventually("what it shows is known", async () => (await json(`${consumer}/api/action-devices`)).devices.some((one) => one.showing));
  socket.disconnect();
}

/** Devices of two sources: what they say at first, a sensor that moves, a door, and an input that is not a number. */
async function devices() {
  const send = (source, readings) => postJson(`${consumer}/consumetasks/${source}`, readings);
  const door = (value) => ({ dev: "di", circuit: "1_01", value, alias: "Door of the boiler room, the one towards the yard" });
  const broken = { dev: "ai", circuit: "2_01", value: "NaN", unit: "V", mode: "Voltage" };
  const flow = (value) => ({ dev: "temp", circuit: "2867C6697351FF68", value, unit: "°C", type: "DS18B20", name: "Flow" });
  await send("boiler", [door(0), broken, flow(47), { dev: "ro", circuit: "2_04", value: 1 }, { dev: "ao", circuit: "1_01", value: 8.301, unit: "V" }]);
  for (let at = 0; at < 60; at += 1) await send("boiler", flow(Math.round(4700 + 900 * Math.sin(at / 6) + (at % 7) * 20) / 100));
  for (const value of [1, 0, 1]) await send("boiler", door(value));
  for (let times = 0; times < 12; times += 1) await send("boiler", broken);
  await send("house", [{ dev: "data_point", circuit: "IAQ_18", value: 812.5, name: "CO2", unit: "ppm" }, { dev: "meter", circuit: "m1", value: 1234567, unit: "Wh" }]);
  const { devices } = await json(`${consumer}/api/devices`);
  const of = (dev) => devices.find((device) => device.dev === dev);
  return { sensor: of("temp"), door: of("di"), broken: of("ai") };
}

/** Devices that are away, actions on them, keys in every state, and a call that succeeded and two that did not. */
async function actions() {
  const make = async (path, body) => (await postJson(`${consumer}${path}`, body)).json();
  for (const [name, groups] of [["lobby-1", ["lobby"]], ["lobby-2", ["lobby"]], ["The screen above the bar in the canteen", ["canteen"]]]) await make("/api/action-devices", { name, groups, tags: ["4k"] });
  const of = (name, event_id, more) => make("/api/actions", { name, event_id, target: "all", ...more });
  const first = await of("Evacuate the whole building", "evacuate", { function: "enable_emergency", parameters: { text: "Leave now", sound: true } });
  await of("Say so in the lobby", "evacuate", { function: "show_toast", parameters: { text: "See the exits" }, target: { groups: ["lobby"] }, position: 1 });
  await of("Door", "door", { function: "send_sensor_event_data", target: { device: "lobby-1" } });
  const { id, key } = await make("/api/keys", { name: "fire alarm system", event_ids: ["evacuate"], max_uses: 10 });
  await make("/api/keys", { name: "an old one", expires_at: "2020-01-01T00:00:00Z" });
  const call = async (event_id, sent) => (await fetch(`${consumer}/public-api/integration/webhooks?eventId=${event_id}&api_key=${sent}`)).json();
  const { execution_id } = await call("evacuate", key);
  for (const [event_id, sent] of [["evacuate", "a-guess"], ["door", key]]) await call(event_id, sent);
  return {
    actions: `${consumer}/actions`,
    "action-new": `${consumer}/actions/new?function=enable_emergency`,
    "action-edit": `${consumer}/actions/${first.id}`,
    "action-event": `${consumer}/actions/event?id=evacuate`,
    "action-event-sensor": `${consumer}/actions/event?id=door`,
    "action-keys": `${consumer}/actions/keys`,
    "action-key": `${consumer}/actions/keys/${id}`,
    "action-key-new": `${consumer}/actions/keys/new`,
    "action-executions": `${consumer}/actions/executions`,
    "action-execution": `${consumer}/actions/executions/${execution_id}`,
    "action-audit": `${consumer}/actions/audit`,
    "action-audit-none": `${consumer}/actions/audit?q=nothing`,
  };
}
