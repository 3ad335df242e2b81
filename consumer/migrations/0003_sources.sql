-- The sources that were made on the page, and what was not let in.

-- One row a table that is kept in memory: whoever changes the table locks it first and counts it up, so that every node sees that it has to read again.
create table versions (
    name text primary key not null,
    version bigint not null
);

insert into versions (name, version) values ('sources', 0);

create table sources (
    name text primary key not null,
    -- How it is guarded, as JSON; no secret is in it.
    guard text not null,
    -- The JSON list of its one or two secrets, sealed for this source.
    secrets text not null,
    -- From its bodies to tasks, as JSON; null: by the built-in rules.
    rules text,
    -- A device that is silent for longer is stale; null: by the default.
    stale_after_s bigint,
    -- Requests a minute that are taken; null: as many as come.
    rate_per_minute bigint,
    created_ms bigint not null,
    updated_ms bigint not null
);

-- The newest requests that were not let in, a bounded number.
create table rejected (
    -- In the order of time.
    id text primary key not null,
    -- Empty: no source of the name in the path is configured.
    source text not null,
    at_ms bigint not null,
    status bigint not null,
    kind text not null,
    reason text not null,
    -- Method, path, peer and headers, as JSON, without secrets.
    request text not null,
    -- The first bytes, and how many there were.
    body text not null,
    size bigint not null,
    -- How many followed in the same moment and are not kept.
    more bigint not null
);

create index rejected_by_source on rejected (source, id);

-- Everything ever rejected, whether or not it is still kept.
create table rejections (
    source text primary key not null,
    total bigint not null,
    last_ms bigint not null
);
