-- Whom the operator refused: it is not asked about again until the row expires.
alter table pairings add column refused bigint not null default 0;
