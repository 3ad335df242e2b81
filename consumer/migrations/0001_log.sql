-- The ordered log of everything received, and what is kept with it so that no page has to count.

create table settings (
    name text primary key not null,
    value text not null
);

-- One row: the offset of the newest event. Whoever appends locks it first, so offsets are given in the order of commits.
create table log (
    name text primary key not null,
    head bigint not null
);

insert into log (name, head) values ('events', 0);

create table events (
    log_offset bigint primary key not null,
    -- The sender's webhook-id, or one of our own: what a repeat is known by, within its source.
    id text not null,
    source text not null,
    -- 0 Low, 1 Moderate, 2 Major, 3 Critical, 4 other
    priority bigint not null,
    received_ms bigint not null,
    -- Method, path, peer and headers of the request, as JSON.
    request text not null,
    -- The event's JSON exactly as it was received.
    body text not null
);

create unique index events_by_id on events (id, source);

-- Everything ever received, whether or not it is still kept.
create table counts (
    source text primary key not null,
    low bigint not null,
    moderate bigint not null,
    major bigint not null,
    critical bigint not null,
    other bigint not null,
    last_ms bigint not null
);

-- What arrived in each second, for the chart of rates.
create table rates (
    second bigint not null,
    source text not null,
    low bigint not null,
    moderate bigint not null,
    major bigint not null,
    critical bigint not null,
    other bigint not null,
    primary key (second, source)
);
