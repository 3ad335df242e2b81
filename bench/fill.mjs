// Rows of the past, by SQL that SQLite and PostgreSQL both understand, in chunks.
const CHUNK = 50_000;
/** Deliveries of one event of the past. */
const EACH = 1000;

/** The numbers of a chunk, and a number as twelve digits, so that the past sorts before what is new. */
const numbers = (from, to) =>
  `with recursive numbers (n) as (select cast(${from} as bigint) union all select n + 1 from numbers where n < ${to})`;
const digits = (number) => `substr(cast(1000000000000 + ${number} as text), 2)`;
const id = (kind, number) => `'0${kind}800000-0000-7000-8000-' || ${digits(number)}`;

function inChunks(one, count, statements) {
  for (let from = 0; from < count; from += CHUNK) {
    const to = Math.min(from + CHUNK, count) - 1;
    one.sql(`begin;\n${statements(from, to).join(";\n")};\ncommit`);
  }
}

/** So many deliveries that were made, spread over all subscriptions that there are; each has its event and its attempt. */
export function deliveries(one, count) {
  one.sql(`create table bench_lines as select row_number() over (order by e.id) - 1 as n, e.id as endpoint_id, e.subscription_id,
    e.account_id, a.secret_id, s.registration_id from endpoints e join accounts a on a.id = e.account_id
    join subscriptions s on s.id = e.subscription_id`);
  one.sql("create index bench_lines_n on bench_lines (n)");
  const lines = Number(one.sql("select count(*) from bench_lines"));
  const ms = "1700000000000 + n";
  inChunks(one, count, (from, to) => [
    `insert into messages (id, kind, body, created_ms, event, registration_id)
     ${numbers(from / EACH, Math.floor(to / EACH))} select ${id(1, "n")}, 'webhook', '{"items": [1, 2, 3], "message": "hello world"}',
     1700000000000 + n * ${EACH}, '"bench"', (select registration_id from bench_lines where bench_lines.n = 0) from numbers`,
    `insert into triggered (id, registration_id, created_us)
     ${numbers(from / EACH, Math.floor(to / EACH))} select ${id(1, "n")}, (select registration_id from bench_lines where bench_lines.n = 0),
     (1700000000000 + n * ${EACH}) * 1000 from numbers`,
    `insert into deliveries (id, message_id, endpoint_id, state, due_ms, attempts, step, status, created_ms, updated_ms,
       subscription_id, account_id, secret_id, profile, once)
     ${numbers(from, to)} select ${id(1, "numbers.n")}, ${id(1, `(numbers.n / ${EACH})`)}, l.endpoint_id, 1, t, 1, 1, 200, t, t + 5,
       l.subscription_id, l.account_id, l.secret_id, 1, 0
     from (select n, ${ms} as t from numbers) numbers join bench_lines l on l.n = numbers.n % ${lines}`,
    `insert into attempts (delivery_id, number, step, at_ms, duration_ms, outcome, status, response)
     ${numbers(from, to)} select ${id(1, "n")}, 1, 1, ${ms}, 5, 'delivered', 200, '{}' from numbers`,
  ]);
  one.sql("drop table bench_lines");
  one.tidy();
}

/** So many accounts, a registration of each and a subscription to it; their keys are copies of the measured account's. */
export function accounts(one, count, endpoint) {
  const [hash, sealed] = one
    .sql("select a.api_key_sha256 || '|' || s.sealed from accounts a join secrets s on s.id = a.secret_id where a.is_admin = 0 limit 1")
    .split("|")
    .map((text) => text.replaceAll("'", "''"));
  const us = "1600000000000000 + n";
  inChunks(one, count, (from, to) => [
    `insert into secrets (id, account_id, sealed, created_ms) ${numbers(from, to)}
     select ${id(2, "n")}, ${id(3, "n")}, '${sealed}', 1600000000000 + n from numbers`,
    `insert into accounts (id, username, endpoint, api_key_sha256, secret_id, failed_count, created_us) ${numbers(from, to)}
     select ${id(3, "n")}, '"filled-' || ${digits("n")} || '"', '"${endpoint}"', '${hash}', ${id(2, "n")}, 0, ${us} from numbers`,
    `insert into registrations (id, account_id, description, event, event_data, created_us) ${numbers(from, to)}
     select ${id(4, "n")}, ${id(3, "n")}, '"filled"', '"bench"', '{"message": "hello world"}', ${us} from numbers`,
    `insert into subscriptions (id, registration_id, account_id, created_us) ${numbers(from, to)}
     select ${id(5, "n")}, ${id(4, "n")}, ${id(3, "n")}, ${us} from numbers`,
  ]);
  one.tidy();
}

const WORDS = ["Low", "Moderate", "Major", "Critical"];
const COLUMNS = WORDS.map((word) => word.toLowerCase());

/** So many events in the log of a consumer that has one and does not run, a millisecond apart until now: copies of that one with ids, places and priorities of their own. */
export function events(one, count) {
  const begin = Date.now() - count;
  const body = (priority) => `'{"batchid": "5f0c3c3a-6f0e-4e33-9a5e-0f6f3f5c8a11", "id": ' || n || ', "owner": "Norma Fisher", "priority": "${priority}"}'`;
  const bodies = WORDS.map((priority, place) => `when ${place} then ${body(priority)}`).join(" ");
  const tallies = COLUMNS.map((_, place) => `sum(case when n % 4 = ${place} then 1 else 0 end)`).join(", ");
  const more = COLUMNS.map((name) => `${name} = rates.${name} + excluded.${name}`).join(", ");
  const [first, source] = [one.sql("select received_ms from events"), one.sql("select source from events")];
  one.sql("delete from rates");
  inChunks(one, count, (from, to) => [
    `insert into events (log_offset, id, source, priority, received_ms, request, body) ${numbers(Math.max(from, 1), to)}
     select n + 1, ${id(1, "n")}, '${source}', n % 4, ${begin} + n, (select request from events where log_offset = 1), case n % 4 ${bodies} end from numbers`,
    `insert into rates (second, source, ${COLUMNS.join(", ")}, other) ${numbers(from, to)}
     select (${begin} + n) / 1000, '${source}', ${tallies}, 0 from numbers where true group by 1
     on conflict (second, source) do update set ${more}`,
  ]);
  one.sql(`update events set received_ms = ${begin}, priority = 0 where log_offset = 1 and received_ms = ${first}`);
  one.sql(`update counts set ${COLUMNS.map((name, place) => `${name} = (${count} + ${3 - place}) / 4`).join(", ")}, other = 0, last_ms = ${begin + count}`);
  one.sql(`update log set head = ${count} where name = 'events'`);
  one.tidy();
}
