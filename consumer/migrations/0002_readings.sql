-- What is known of an event beside what was received.

-- Title, owner and marks that are not read from the body each time, as JSON; null: there are none.
alter table events add column shown text;
-- The device whose reading it is; null: it is of none.
alter table events add column device bigint;
-- How often the same reading came again, and when it last did.
alter table events add column repeats bigint not null default 0;
alter table events add column repeated_ms bigint;
