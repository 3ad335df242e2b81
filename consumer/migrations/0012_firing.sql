-- Event ids that rules fire, each until it is carried out: written in the commit of the event that fires it.
create table firings (
    log_offset bigint not null,
    -- The number of the rule among those of its source, from 1.
    rule bigint not null,
    -- What the execution is called: whoever carries it out, and however often, it is one.
    execution text not null,
    source text not null,
    event_id text not null,
    -- How often a minute this source may fire this event id.
    rate_per_minute bigint not null,
    -- JSON: what the event says as a sensor.
    sensor text not null,
    primary key (log_offset, rule)
);
