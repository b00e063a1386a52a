# Debian packages by what they are for, and how to have them: sourced by quickstart and run-tests.

PACKAGES_BUILD="gcc libc6-dev cmake ninja-build pkg-config check libvirt-dev librdkafka-dev librrd-dev
    libmicrohttpd-dev libsqlite3-dev libyaml-dev libjansson-dev libcurl4-gnutls-dev libxml2-dev"
# Real guests on a libvirtd of one's own.
PACKAGES_GUESTS="libvirt-daemon-system libvirt-clients qemu-system-x86 iproute2 util-linux procps"
# A real Kafka, upstream's OTLP classes, containers, a fuzzer's compiler, and what looks at our files from outside.
PACKAGES_TEST="maven default-jre-headless python3-venv kcat rrdtool sqlite3 curl libvirt-daemon-driver-lxc e2fsprogs
    clang-14 libclang-rt-14-dev clang-format-14 ca-certificates git"

# Install those of "$@" that are missing; what cannot be installed here is told.
need_packages() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" != 0 ]; then
        echo "These packages are missing; as root: apt-get install --no-install-recommends ${missing[*]}" >&2
        return 1
    fi
    echo "Installing ${#missing[@]} packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    local log
    log=$(mktemp)
    if ! { apt-get update -q && apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}
