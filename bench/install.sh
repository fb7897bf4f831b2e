# shellcheck shell=sh
# Sourced by the scripts that measure with programs of others: Debian packages that are missing.

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

# No server of a package is started while it is installed.
hold_services() {
    policy=/usr/sbin/policy-rc.d
    [ ! -e "$policy" ] || return 0
    printf '#!/bin/sh\nexit 101\n' >policy
    as_root install -m 755 policy "$policy"
    held=yes
}

# install_missing PACKAGE...: unless CFSPLIT_INSTALL is "no"; one that cannot be installed is named, and no more
install_missing() {
    [ "${CFSPLIT_INSTALL:-yes}" != no ] || return 0
    held=no missing=
    for package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    hold_services
    as_root timeout -k 10 600 apt-get update -qq -o DPkg::Lock::Timeout=300 >apt.log 2>&1 || cat apt.log >&2
    for package in $missing; do
        as_root env DEBIAN_FRONTEND=noninteractive timeout -k 10 600 apt-get install -y -qq --no-install-recommends \
            -o DPkg::Lock::Timeout=300 "$package" >apt.log 2>&1 || echo "cannot install $package: $(tail -n 1 apt.log)" >&2
    done
    [ "$held" = no ] || as_root rm -f "$policy"
}
