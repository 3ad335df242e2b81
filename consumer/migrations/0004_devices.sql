-- The devices whose readings came, each as it stands; what it said before is in the events.

create table devices (
    -- The offset of its first reading.
    id bigint primary key not null,
    source text not null,
    dev text not null,
    circuit text not null,
    name text,
    type text not null,
    -- JSON: a number, a text such as "NaN", a truth value or null.
    value text not null,
    unit text,
    -- Of everything it says that does not move by itself: an equal one is a repeat.
    digest text not null,
    -- Its current reading, and how often that came again.
    log_offset bigint not null,
    repeats bigint not null,
    first_ms bigint not null,
    changed_ms bigint not null,
    last_ms bigint not null
);

create unique index devices_by_name on devices (source, dev, circuit);

create index events_by_device on events (device, log_offset) where device is not null;

-- Moves with each commit that has a reading in it, so that pages on any node see it in one row.
insert into log (name, head) values ('readings', 0);
