-- Actions: who may call, what happens then, on which devices, and what became of it.

-- The number of the newest command; whoever executes locks it first, so numbers are given in the order of commits.
insert into versions (name, version) values ('commands', 0);

create table api_keys (
    id text primary key not null,
    name text not null,
    -- What a key is found by, and what it is shown from.
    key_sha256 text not null,
    sealed text not null,
    -- JSON list of the event ids it may call; null: all.
    event_ids text,
    expires_ms bigint,
    rate_per_minute bigint not null,
    -- Calls that it is good for; null: any number.
    max_uses bigint,
    uses bigint not null default 0,
    last_used_ms bigint,
    last_used_from text,
    created_ms bigint not null
);

create unique index api_keys_by_key on api_keys (key_sha256);
create unique index api_keys_by_name on api_keys (name);

create table actions (
    id text primary key not null,
    name text not null,
    event_id text not null,
    function text not null,
    -- JSON objects.
    parameters text not null,
    target text not null,
    ttl_ms bigint not null,
    -- Actions of one event id run in this order.
    position bigint not null,
    created_ms bigint not null,
    updated_ms bigint not null
);

create index actions_by_event on actions (event_id, position, id);

-- The devices that obey. (`devices` are those that measure.)
create table action_devices (
    id text primary key not null,
    name text not null,
    key_sha256 text not null,
    -- JSON lists of texts.
    in_groups text not null,
    tags text not null,
    paired_ms bigint not null,
    created_ms bigint not null,
    last_seen_ms bigint,
    -- The newest connection: an older one is not listened to any more.
    session text,
    -- Who serves it, and until when it counts as connected without being seen again.
    node text,
    online_until_ms bigint not null default 0
);

create unique index action_devices_by_key on action_devices (key_sha256);
create unique index action_devices_by_name on action_devices (name);

create table executions (
    id text primary key not null,
    -- The number before its first command's.
    number bigint not null,
    event_id text not null,
    key_id text not null,
    key_name text not null,
    called_from text not null,
    called_ms bigint not null,
    -- As it goes into the log: the event's JSON, and whether it is an emergency.
    body text not null,
    emergency bigint not null,
    -- 1 when the log has it.
    logged bigint not null default 0
);

create unique index executions_by_number on executions (number);
create index executions_not_logged on executions (number) where logged = 0;

create table commands (
    device text not null,
    number bigint not null,
    execution text not null,
    device_name text not null,
    action text not null,
    function text not null,
    parameters text not null,
    -- queued, sent, acknowledged, done, failed or expired
    state text not null,
    expires_ms bigint not null,
    queued_ms bigint not null,
    sent_ms bigint,
    acknowledged_ms bigint,
    ended_ms bigint,
    -- The connection that acknowledged it.
    session text,
    -- What the device said at the end.
    said text,
    primary key (device, number)
);

create index commands_by_number on commands (number);
create index commands_by_execution on commands (execution, number);
create index commands_waiting on commands (expires_ms) where state in ('queued', 'sent');

-- The last word on emergencies for each target; a device is under that with the highest number of those that mean it.
create table emergencies (
    target text primary key not null,
    number bigint not null,
    -- JSON; null: there is none any more.
    parameters text,
    until_ms bigint
);

-- Who did what, from where, and how it went; a bounded number.
create table audit (
    -- In the order of time.
    id text primary key not null,
    at_ms bigint not null,
    who text not null,
    called_from text not null,
    what text not null,
    subject text not null,
    status bigint not null,
    detail text not null,
    -- Empty: nothing was executed.
    execution text not null
);
