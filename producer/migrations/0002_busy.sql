-- Busy answers that cost no place in the schedule.
alter table deliveries add column busy bigint not null default 0;
