-- 1: its batch was cancelled while it was being sent, so that it is not sent again.
alter table deliveries add column cancelled bigint not null default 0;
