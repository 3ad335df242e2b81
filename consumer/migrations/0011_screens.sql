-- Devices that obey are of several kinds: `client` (any socket.io client), `screen` (a browser with the player), `evok` (outputs of a controller).
alter table action_devices add column kind text not null default 'client';
-- JSON, of a screen: what it shows by itself, and what it says that it shows now.
alter table action_devices add column content text;
alter table action_devices add column showing text;
-- JSON, of a controller: where it is.
alter table action_devices add column controller text;

-- Screens that ask to be paired. Who shows the code gets the key in when the operator accepts it.
create table pairings (
    key_sha256 text primary key not null,
    code text not null,
    name text not null,
    called_from text not null,
    asked_ms bigint not null,
    expires_ms bigint not null
);

create unique index pairings_by_code on pairings (code);
