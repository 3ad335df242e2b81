#!/usr/bin/env bash
# Installs what `make test`, `lint` and `bench` need and starts the databases; what is there already is left alone.
#   scripts/bootstrap.sh test|lint|bench|all
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/settings.sh

deny_version=0.20.2
machete_version=0.9.2

main() {
  need_toolchain
  case ${1:-all} in
    lint) lint_tools ;;
    test) services; clients ;;
    bench) services; clients; debian wrk:wrk sqlite3:sqlite3 ;;
    all) lint_tools; services; clients; debian wrk:wrk sqlite3:sqlite3 ;;
    *) die "usage: scripts/bootstrap.sh test|lint|bench|all" ;;
  esac
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else die "'$*' needs root and there is no sudo: run it as root once, then again as you are."
  fi
}

# debian COMMAND:PACKAGE… installs the Debian packages of the commands that are missing.
debian() {
  local packages=() pair
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || packages+=("${pair##*:}"); done
  [ ${#packages[@]} -gt 0 ] || return 0
  install_packages "${packages[@]}"
}

install_packages() {
  command -v apt-get >/dev/null || die "please install: $* (no apt-get here to do it)"
  say "installing $*"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

lint_tools() {
  debian shellcheck:shellcheck
  # A debug build: these tools run for a second, and compile four times faster.
  cargo_tool cargo-machete "$machete_version"
  cargo_tool cargo-deny "$deny_version"
}

cargo_tool() {
  [ "$("$1" --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)" = "$2" ] && return
  say "compiling $1 $2"
  cargo install --quiet --locked --debug "$1@$2"
}

services() {
  debian redis-server:redis-server redis-cli:redis-tools psql:postgresql-client chromium:chromium python3:python3-venv
  # Debian puts the broker where only root looks, and starts it, which the tests do not need.
  [ -x /usr/sbin/mosquitto ] || debian mosquitto:mosquitto
  # Some tests start a server of their own; for the others one that answers already is good, however it was installed.
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || debian pg_ctlcluster:postgresql
  pg_isready -q -h 127.0.0.1 || debian pg_ctlcluster:postgresql
  start_redis
  start_postgres
}

start_redis() {
  redis-cli -u "$TEST_REDIS_URL" ping >/dev/null 2>&1 && return
  say "starting Redis"
  mkdir -p target
  redis-server --daemonize yes --bind 127.0.0.1 --port 6379 --save '' --appendonly no --dir "$PWD/target" >/dev/null
  until_true 20 redis-cli -u "$TEST_REDIS_URL" ping || die "Redis does not answer on $TEST_REDIS_URL"
}

# The tests log in as a role of their own, which may create databases and nothing else.
start_postgres() {
  psql_works && return
  if ! pg_isready -q -h 127.0.0.1; then
    say "starting PostgreSQL"
    as_root pg_ctlcluster --skip-systemctl-redirect "$(pg_lsclusters -h | awk 'NR==1{print $1}')" main start || true
    until_true 30 pg_isready -q -h 127.0.0.1 || die "PostgreSQL does not answer on 127.0.0.1:5432"
  fi
  psql_works && return
  say "creating the PostgreSQL role hookcast for the tests"
  as_postgres psql -q -d postgres -c "create role hookcast login createdb password 'hookcast'" || true
  psql_works || die "cannot log in to PostgreSQL: set TEST_POSTGRES_URL to a role that may create databases"
}

as_postgres() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else sudo -u postgres "$@"; fi
}

psql_works() {
  psql -qtA "$TEST_POSTGRES_URL" -c 'select 1' >/dev/null 2>&1
}

# The languages of the foreign receivers; foreign clients and the browser's driver, from their lock files.
clients() {
  debian ruby:ruby go:golang-go
  npm_install static
  npm_install consumer/tests/browser
  npm_install producer/tests/foreign
  local wanted=(consumer/tests/foreign/requirements.txt producer/tests/foreign/requirements.txt)
  cat "${wanted[@]}" | cmp -s - target/python/requirements.txt && return
  say "installing the Python clients"
  # Debian keeps the part of Python that makes environments in a package of its own.
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3-venv
  python3 -m venv --clear target/python
  target/python/bin/pip install --quiet --disable-pip-version-check "${wanted[@]/#/-r}"
  cat "${wanted[@]}" >target/python/requirements.txt
}

until_true() {
  local tries=$1; shift
  for _ in $(seq $((tries * 5))); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done
  return 1
}

main "$@"
