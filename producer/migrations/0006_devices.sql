-- Which sources of devices are read: of several producers the one that holds the lease reads.
create table source_leases (
    source text primary key,
    -- until when; its holder knows it by this value
    until_us bigint not null
);
