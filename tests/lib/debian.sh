# shellcheck shell=sh
# Sourced by tests that need the root folder of a Debian: unpacked packages, without any of their scripts.
# shellcheck source=tools/static/apt.sh
. "${top:?}/tools/static/apt.sh"

# debian_root ROOT CACHE RELEASE PACKAGE...: unpacks packages (names, or .deb files by absolute paths) and all that they depend on.
# ROOT/var/lib/dpkg/status has the ones that have a name. CACHE keeps what was fetched. Skips the test where nothing can be fetched.
debian_root() {
    root=$1 cache=$2 release=$3
    shift 3
    apt_prepare "$cache" deb "$release" >apt.said 2>&1 || skip "no packages of $release to be had: $(tail -n 1 apt.said)"
    APT_CONFIG=$cache/apt.conf apt-get install -y -qq --download-only "$@" >apt.said 2>&1 ||
        skip_or_fail "cannot fetch $*: $(cat apt.said)"
    # by name, so that what an earlier test fetched is not unpacked, too
    APT_CONFIG=$cache/apt.conf apt-get install -y -qq --no-download --simulate "$@" | awk '$1 == "Inst" { print $2 }' >names
    mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers"
    : >"$root/var/lib/dpkg/status"
    while read -r name; do
        for file in "$cache/cache/archives/$name"_*.deb; do
            [ -f "$file" ] || continue # a .deb that was named is not copied
            dpkg-deb -x "$file" "$root"
            dpkg-deb -f "$file" | sed '/^Package:/a Status: install ok installed' >>"$root/var/lib/dpkg/status"
            echo >>"$root/var/lib/dpkg/status"
        done
    done <names
    [ -s "$root/var/lib/dpkg/status" ] || fail "nothing was unpacked"
}

# A mirror that has the lists and not the packages is out of date, not a fault of ours; apt's word for it is 404.
skip_or_fail() {
    case $1 in
    *"404 "* | *"Temporary failure"* | *"Could not connect"* | *"timed out"*) skip "$1" ;;
    esac
    fail "$1"
}
