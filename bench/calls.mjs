// The calls of the accounts API that are measured beside the trigger.

/** What each call asks for in a round, in whose name, and the status that it must be answered with. */
export function calls({ user, admin, registration, count, url }) {
  const own = `/v1/account/${user.id}`;
  const page = (list, start) => () => ["GET", `/v1/${list}?start=${start}&limit=100`];
  const end = Math.max(count - 100, 0);
  /** Full pages from places that lie far apart. */
  const anywhere = (list) => (round) => page(list, (Math.abs(round) * 7919 * 11) % (end + 1))();
  const stranger = { ...user, api_key: "0".repeat(40) };
  const call = (name, request, by = user, status = 200) => ({ name, request, by, status });
  const event = { description: "measured", event: "bench", event_data: { message: "hello world" } };
  return [
    call("`POST /v1/account`, with its echo", (round) => ["POST", "/v1/account", { endpoint: url("/new"), username: `new${round}` }], null, 201),
    call("`GET /v1/account/{id}`", () => ["GET", own]),
    call("the same with a wrong key: 401", () => ["GET", own], stranger, 401),
    call("`PATCH /v1/account`", (round) => ["PATCH", "/v1/account", { endpoint: url(`/moved${round}`) }]),
    call("`GET /v1/accounts`, first 100", page("accounts", 0), admin),
    call("`GET /v1/accounts`, last 100", page("accounts", end), admin),
    call("`POST /v1/webhook/registration`", () => ["POST", "/v1/webhook/registration", event], user, 201),
    call("`PATCH /v1/webhook/registration/{id}`", (round) => ["PATCH", `/v1/webhook/registration/${registration}`, { description: `${round}` }]),
    call("`GET /v1/webhook/registration`, own", page("webhook/registration", 0)),
    call("`GET /v1/webhook/registrations`, first 100", page("webhook/registrations", 0)),
    call("`GET /v1/webhook/registrations`, last 100", page("webhook/registrations", end)),
    call("`GET /v1/webhook/registrations`, any 100", anywhere("webhook/registrations")),
    call("trigger without subscribers", () => ["POST", `/v1/webhook/triggered/${registration}`], user, 201),
    call("`POST /v1/webhook/subscription/{id}`", () => ["POST", "/v1/webhook/subscription/04800000-0000-7000-8000-000000000007"], user, 201),
    call("`GET /v1/webhook/subscriptions`, first 100", page("webhook/subscriptions", 0)),
    call("`GET /v1/webhook/subscriptions`, last 100", page("webhook/subscriptions", end)),
  ];
}
