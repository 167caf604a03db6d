#!/bin/sh
# Installs what this machine lacks for one purpose, then builds dist/:
#   scripts/setup.sh runtime|demo|test|backends|bench|rivals|accuracy
# Quiet when nothing is missing; what apt-get and npm say goes to tmp/setup.log.
set -eu
cd "$(dirname "$0")/.."
mkdir -p tmp
log=tmp/setup.log

say() { echo "setup: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

packages_for() {
  runtime="libbpf1"
  load="$runtime nginx-light apache2-utils wget bpftool openssl"
  pairs="$load apache2-bin haproxy lighttpd gunicorn wrk nghttp2-client siege curl python3"
  case "$1" in
    runtime | demo) echo "$runtime" ;;
    bench) echo "$load tmux" ;;
    rivals) echo "$load tshark bpftrace" ;;
    accuracy) echo "$pairs caddy varnish squid python3-uvicorn $(unless_there go golang-go) $(unless_there javac default-jdk-headless)" ;;
    test) echo "$pairs tmux jq tshark groff-base strace iproute2 nftables procps ethtool openssl util-linux gcc g++ clang-19 llvm-19 libbpf-dev linux-libc-dev libc6-dev libssl-dev libgnutls28-dev android-libboringssl-dev liburing-dev $(unless_there go golang-go)" ;;
    backends) echo "$runtime tshark curl prometheus chromium default-jdk-headless maven unzip" ;;
    *) fail "unknown purpose $1; one of: runtime demo test backends bench rivals accuracy" ;;
  esac
}

# A language that the machine has from elsewhere need not be installed again.
unless_there() {
  command -v "$1" >/dev/null || echo "$2"
}

missing_of() {
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
  done
}

# Debian starts a server's service when it is installed; this policy keeps it off unless the machine has its own.
policy=/usr/sbin/policy-rc.d
hold_services() {
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
  fi
}

install_packages() {
  command -v apt-get >/dev/null || fail "needs $*; there is no apt-get here: install them by hand and run this again"
  [ "$(id -u)" = 0 ] || fail "needs $*; run this as root, or: sudo apt-get install $*"
  say "installing $* (log: $log)"
  hold_services
  export DEBIAN_FRONTEND=noninteractive
  {
    apt-get update
    apt-get install -y --no-install-recommends "$@"
  } >>"$log" 2>&1 </dev/null || fail "apt-get could not install $*; see the end of $log"
  for service in nginx haproxy lighttpd caddy varnish squid prometheus; do
    case " $* " in
      *" $service"*) systemctl disable $service >>"$log" 2>&1 || true ;;
    esac
  done
}

install_modules() {
  [ -d node_modules ] && npm ls --all >/dev/null 2>&1 && return
  say "installing the Node modules of package-lock.json (log: $log)"
  # Not npm ci: it refuses a lock file without the optional packages of other platforms, which not every registry has.
  npm install --no-save --no-audit --no-fund >>"$log" 2>&1 || fail "npm install failed; see the end of $log"
}

need=$(packages_for "${1:-runtime}")
# shellcheck disable=SC2086
missing=$(missing_of $need)
# shellcheck disable=SC2086
[ -z "$missing" ] || install_packages $missing
install_modules
npm run --silent build >>"$log" 2>&1 || {
  tail -n 20 "$log" >&2
  fail "the build failed; see $log"
}
