-- The queue and its history. One text for SQLite and PostgreSQL: text and bigint columns only; times are milliseconds since 1970.

create table endpoints (
    id text primary key,
    url text not null unique,
    -- 0 active, 1 stopped (it answered 410)
    state bigint not null default 0,
    -- nothing is sent before this time: the endpoint asked for a pause
    not_before_ms bigint not null default 0,
    -- why it could not be reached at the last attempt ("refused", "dns", …); null while it answers
    down text,
    created_ms bigint not null
);

create table batches (
    id text primary key,
    created_ms bigint not null,
    ended_ms bigint,
    cancelled_ms bigint,
    url text not null,
    seed text not null,
    wait_ms bigint not null,
    total bigint not null,
    delivered bigint not null default 0,
    failed bigint not null default 0,
    -- waiting deliveries that were attempted at least once
    retrying bigint not null default 0,
    cancelled bigint not null default 0,
    -- number of attempts recorded so far: the last position in the batch's event log
    seq bigint not null default 0
);
create index batches_newest on batches (created_ms, id);
create index batches_running on batches (id) where ended_ms is null;

create table messages (
    -- the webhook-id
    id text primary key,
    kind text not null,
    body text not null,
    created_ms bigint not null
);

create table deliveries (
    id text primary key,
    message_id text not null references messages (id),
    endpoint_id text not null references endpoints (id),
    batch_id text references batches (id),
    -- place in the batch, from 1
    position bigint not null default 0,
    -- 0 waiting, 1 delivered, 2 failed (dead letter), 3 cancelled
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
    updated_ms bigint not null
);
-- The queue itself: its size is what waits, not what was ever delivered.
create index deliveries_due on deliveries (endpoint_id, due_ms) where state = 0;
create index deliveries_of_batch on deliveries (batch_id, position);
create index deliveries_open on deliveries (state, id) where state <> 1;

create table attempts (
    delivery_id text not null references deliveries (id),
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
    primary key (delivery_id, number)
);
create unique index attempts_of_batch on attempts (batch_id, batch_seq);

-- What the installation decided once and remembers: keys, the generated password.
create table settings (
    name text primary key,
    value text not null
);
