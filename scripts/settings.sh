# shellcheck shell=bash
# What the scripts share: where the tests find the databases, and a few words.

export TEST_REDIS_URL=${TEST_REDIS_URL:-redis://127.0.0.1:6379}
export TEST_POSTGRES_URL=${TEST_POSTGRES_URL:-postgres://hookcast:hookcast@127.0.0.1:5432/postgres}

say() { printf '\n== %s\n' "$*"; }
die() { printf '\n%s\n' "$*" >&2; exit 1; }

need_toolchain() {
  command -v cargo >/dev/null || die "cargo is missing: install Rust with rustup (the version is in rust-toolchain.toml)."
  local tool
  for tool in node npm; do
    command -v "$tool" >/dev/null || die "$tool is missing: the pages are bundled with Node 20 or newer and its npm."
  done
  local major
  major=$(node --version | grep -oE '[0-9]+' | head -n 1)
  [ "$major" -ge 20 ] || die "node $(node --version) is too old: Node 20 or newer is needed."
}

# npm_install DIR installs what DIR's lock file says, once per lock file.
npm_install() {
  [ -f "$1/package-lock.json" ] || return 0
  cmp -s "$1/package-lock.json" "$1/node_modules/.installed" && return 0
  say "installing the npm packages of $1"
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error)
  cp "$1/package-lock.json" "$1/node_modules/.installed"
}

# A crowd of viewers needs more open files than the 1024 that are usual.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
