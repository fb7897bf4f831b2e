#!/bin/sh
# The demo: some 240 real FITS files, split over four replicas on this machine, each file accounted for.
#
# Installs what is missing (apt-get, Debian 12), builds, fetches FITS files out of Debian packages without installing those,
# plans a run, launches it and asks what became of every file. The files are kept in examples/data, the run in .demo.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
data=$here/data
demo=$top/.demo
packages="python-drizzle-testdata eso-midas-testdata python3-stsci.tools iraf-rvsao python3-sunpy pdl ftools-fv
    python3-astroquery"

say() {
    printf '%s\n' "== $*"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# The lists of packages, once a start, and only if something is wanted from them.
updated=
update_lists() {
    [ -z "$updated" ] || return 0
    as_root apt-get update -qq -o DPkg::Lock::Timeout=300 >/dev/null
    updated=yes
}

install_missing() {
    missing=
    for package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    update_lists
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 $missing >/dev/null
}

build() {
    say "building canfar-split"
    log=$demo/build.log
    if ! (cd "$top" && cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release) >"$log" 2>&1; then
        cat "$log"
        exit 1
    fi
}

# A folder has its name only when all of a package is in it: an interrupted start leaves nothing that counts.
fetch() {
    [ ! -d "$data/$1" ] || return 0
    say "fetching the FITS files of $1"
    update_lists
    part=$data/.part.$1
    rm -rf "$part"
    mkdir -p "$part/deb"
    (cd "$part/deb" && apt-get download -qq -o APT::Sandbox::User=root "$1" >/dev/null)
    dpkg-deb -x "$part"/deb/*.deb "$part/all"
    mkdir "$part/fits"
    # Each keeps its folder: some have equal names.
    (cd "$part/all" && find . -type f \( -name '*.fits' -o -name '*.FITS' -o -name '*.fit' -o -name '*.fts' \
        -o -name '*.fits.gz' -o -name '*.fit.gz' -o -name '*.fts.gz' -o -name '*.fz' \) -print0 |
        tar -cf - --null -T -) | tar -xf - -C "$part/fits"
    mv "$part/fits" "$data/$1"
    rm -rf "$part"
}

# Shows a command as it is typed, and runs it.
typed() {
    line='$ canfar-split'
    for word; do
        case $word in
        *[!A-Za-z0-9_./=:,@%+-]*) line="$line '$word'" ;;
        *) line="$line $word" ;;
        esac
    done
    printf '\n%s\n' "$line"
    canfar-split "$@"
}

rm -rf "$demo"
mkdir -p "$demo" "$data"
install_missing build-essential cmake pkg-config liblz4-dev libxxhash-dev libjansson-dev libzmq3-dev source-extractor
build
PATH=$top/build/bin:$PATH
for package in $packages; do
    fetch "$package"
done
say "$(find "$data" -type f | wc -l) FITS files, $(du -sm "$data" | cut -f 1) MB, in examples/data"

# From here on as you would type it yourself, in this folder.
cd "$here"
run=../.demo/fits.run
typed plan "$run" --strategy size --replicas 4 --reject-exit 65 \
    -r data --match '*.fit*' -r data --match '*.FITS' -r data --match '*.fts*' -r data --match '*.fz' \
    -- ./one.sh '{}' '../.demo/catalogues/{#}-{/.}.cat'
typed launch "$run" --on local || [ $? -eq 1 ] # 1: some items failed, and some do
typed status "$run"

printf '\n%s\n' "$ canfar-split items $run --state rejected --why | cut -f 2 | sort | uniq -c"
canfar-split items "$run" --state rejected --why | cut -f 2 | sort | uniq -c
typed items "$run" --state failed --why

canfar-split items "$run" --state failed -0 >"$demo/failed"
for nth in 1 2; do
    item=$(tr '\0\n' '\n?' <"$demo/failed" | sed -n "${nth}p")
    [ -z "$item" ] || typed log "$run" "$item"
done

say "$(find "$demo/catalogues" -name '*.cat' | wc -l) catalogues in .demo/catalogues"
typed verify "$run" || [ $? -eq 1 ] # 1: not complete, since some files failed for good
