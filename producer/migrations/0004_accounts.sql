-- Accounts, what they register, who subscribes, what was triggered. Times that clients see as seconds with a fraction are microseconds here.

create table accounts (
    id text primary key,
    -- JSON text: a name may be of any JSON type
    username text not null unique,
    -- JSON text, for the same reason
    endpoint text not null,
    api_key_sha256 text not null,
    -- the row of `secrets` that signs
    secret_id text not null,
    is_admin bigint not null default 0,
    -- failed attempts since the last success; null where the account was never sent to and never had an endpoint
    failed_count bigint,
    -- since when failed_count is at its limit, so that what comes is held
    disabled_ms bigint,
    -- where the account is told that it was disabled
    operational_url text,
    -- what the endpoint allowed in its handshake; 0: no limit
    rate_per_minute bigint not null default 0,
    created_us bigint not null
);
create index accounts_listed on accounts (created_us, id);

-- Signing keys, encrypted. They stay when their account is deleted: what is on its way is still signed.
create table secrets (
    id text primary key,
    account_id text not null,
    sealed text not null,
    created_ms bigint not null,
    -- until when an old one signs beside the new one; null: it is the one in force
    expires_ms bigint
);
create index secrets_of_account on secrets (account_id, created_ms);

create table registrations (
    id text primary key,
    account_id text not null,
    -- JSON texts: any type
    description text not null,
    event text not null,
    -- as it is sent: the text that Python's json.dumps writes, keys sorted
    event_data text not null,
    created_us bigint not null
);
create index registrations_listed on registrations (created_us, id);
create index registrations_of_account on registrations (account_id, created_us, id);

create table subscriptions (
    id text primary key,
    registration_id text not null,
    account_id text not null,
    -- 1 four attempts, success is 200 with JSON; 2 the engine's schedule, success is any 2xx
    profile bigint not null default 1,
    -- 1: one after the other, a failing head holds the rest
    fifo bigint not null default 0,
    -- 0: no limit
    rate_per_minute bigint not null default 0,
    -- JSON texts; null: none
    filter text,
    headers text,
    created_us bigint not null
);
create index subscriptions_listed on subscriptions (created_us, id);
create index subscriptions_of_registration on subscriptions (registration_id, created_us, id);
create index subscriptions_of_account on subscriptions (account_id, created_us, id);

-- What was triggered stays listed, whatever is deleted.
create table triggered (
    id text primary key,
    registration_id text not null,
    created_us bigint not null
);
create index triggered_listed on triggered (created_us, id);

create table idempotency_keys (
    account_id text not null,
    registration_id text not null,
    key text not null,
    triggered_id text not null,
    triggered_us bigint not null,
    created_ms bigint not null,
    primary key (account_id, registration_id, key)
);
create index idempotency_keys_oldest on idempotency_keys (created_ms);

-- Requests for new keys, for the throttle.
create table key_resets (
    account_id text not null,
    address text not null,
    at_ms bigint not null
);
create index key_resets_of_account on key_resets (account_id, at_ms);
create index key_resets_of_address on key_resets (address, at_ms);

-- When the next one may be sent, by subscription or account.
create table limiters (
    id text primary key,
    next_slot_us bigint not null
);

-- The queue's tables, anew: an endpoint is the line of one receiver, for the batches (subscription_id is empty) or for one subscription.
create table endpoints_next (
    id text primary key,
    url text not null,
    subscription_id text not null default '',
    account_id text,
    -- 0 active, 1 stopped (it answered 410)
    state bigint not null default 0,
    -- nothing is sent before this time: the endpoint asked for a pause
    not_before_ms bigint not null default 0,
    -- why it could not be reached at the last attempt ("refused", "dns", …); null while it answers
    down text,
    created_ms bigint not null,
    unique (subscription_id, url)
);
insert into endpoints_next (id, url, state, not_before_ms, down, created_ms)
    select id, url, state, not_before_ms, down, created_ms from endpoints;

create table deliveries_next (
    id text primary key,
    message_id text not null references messages (id),
    endpoint_id text not null references endpoints_next (id),
    batch_id text references batches (id),
    -- place in the batch, from 1
    position bigint not null default 0,
    -- -1 held (its account's endpoint is disabled), 0 waiting, 1 delivered, 2 failed (dead letter), 3 cancelled
    state bigint not null default 0,
    -- when it may be claimed; while it is claimed: when the lease ends
    due_ms bigint not null,
    -- who holds the lease; null when nobody does
    lease text,
    -- attempts ever made
    attempts bigint not null default 0,
    -- attempts since it was last put in the queue by hand: the place in the schedule
    step bigint not null default 0,
    status bigint,
    reason text,
    created_ms bigint not null,
    updated_ms bigint not null,
    -- busy answers that cost no place in the schedule
    busy bigint not null default 0,
    -- 1: it was cancelled while it was being sent, so that it is not sent again
    cancelled bigint not null default 0,
    subscription_id text,
    account_id text,
    -- the key in force when it was triggered
    secret_id text,
    -- 0 the engine's (a batch), 1 and 2 as in `subscriptions`
    profile bigint not null default 0,
    -- 1: one attempt only (a ping)
    once bigint not null default 0
);
insert into deliveries_next (id, message_id, endpoint_id, batch_id, position, state, due_ms, lease, attempts, step, status, reason,
        created_ms, updated_ms, busy, cancelled)
    select id, message_id, endpoint_id, batch_id, position, state, due_ms, lease, attempts, step, status, reason,
        created_ms, updated_ms, busy, cancelled from deliveries;

create table attempts_next (
    delivery_id text not null references deliveries_next (id),
    -- from 1, over the delivery's whole life
    number bigint not null,
    -- from 1, its place in the schedule
    step bigint not null,
    batch_id text,
    batch_seq bigint,
    at_ms bigint not null,
    duration_ms bigint not null,
    -- delivered, retrying, failed
    outcome text not null,
    status bigint,
    reason text,
    detail text,
    response text,
    next_ms bigint,
    -- JSON arrays of pairs; kept for subscriptions
    request_headers text,
    response_headers text,
    primary key (delivery_id, number)
);
insert into attempts_next (delivery_id, number, step, batch_id, batch_seq, at_ms, duration_ms, outcome, status, reason, detail, response, next_ms)
    select delivery_id, number, step, batch_id, batch_seq, at_ms, duration_ms, outcome, status, reason, detail, response, next_ms from attempts;

drop table attempts;
drop table deliveries;
drop table endpoints;
alter table endpoints_next rename to endpoints;
alter table deliveries_next rename to deliveries;
alter table attempts_next rename to attempts;

-- The queue itself: its size is what waits, not what was ever delivered.
create index deliveries_due on deliveries (endpoint_id, due_ms) where state = 0;
-- The heads of the lines that keep their order.
create index deliveries_in_order on deliveries (endpoint_id, id) where state = 0 and subscription_id is not null;
-- Whether anything is due at all. The second condition keeps PostgreSQL from walking this index for a single line.
create index deliveries_next_due on deliveries (due_ms) where state = 0 and due_ms > -1;
-- Who is looked at again and again, although nothing is due there.
create index endpoints_down on endpoints (id) where down is not null;
create index deliveries_of_batch on deliveries (batch_id, position) where batch_id is not null;
create index deliveries_open on deliveries (state, id) where state <> 1;
-- Two indexes each instead of one: what is queued touches only the small one, however much lies in the other.
create index deliveries_of_account_open on deliveries (account_id, id) where state < 1 and account_id is not null;
create index deliveries_of_account_ended on deliveries (account_id, id) where state > 0 and account_id is not null;
create index deliveries_of_subscription_open on deliveries (subscription_id, id) where state < 1 and subscription_id is not null;
create index deliveries_of_subscription_ended on deliveries (subscription_id, id) where state > 0 and subscription_id is not null;
create unique index attempts_of_batch on attempts (batch_id, batch_seq) where batch_id is not null;

-- What was triggered: the event's name as JSON text, and the registration it belongs to.
alter table messages add column event text;
alter table messages add column registration_id text;
