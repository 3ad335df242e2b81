-- A list by place (accounts, registrations, subscriptions, triggered) has another version as soon as a row that is there already has another place:
-- one before it was deleted, or came late. Rows that come at the end change nothing. A list without a version was never paged deeply.
create table lists (
    name text primary key,
    -- never the same twice, in no database
    version text not null
);
