#!/bin/sh
# Installs what it needs (apt-get, Debian 12), builds, runs all tests. Ends non-zero if any failed or none ran.
#
#   tests/run.sh          everything: sanitizers, valgrind, thread sanitizer, the static program, clang-tidy, cppcheck,
#                         clang-format, shellcheck
#   tests/run.sh quick    the quick tests under the address and undefined-behaviour sanitizers
set -eu
cd "$(dirname "$0")/.."
what=${1:-all}
report=$(mktemp)
trap 'rm -f "$report"' EXIT

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_missing() {
    missing=
    for package; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    echo "installing$missing"
    as_root apt-get update -qq -o DPkg::Lock::Timeout=300 >/dev/null
    # shellcheck disable=SC2086 # a list of words
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 $missing >/dev/null
}

# stage NAME COMMAND...: runs it, says how long it took, and ends everything if it fails
stage() {
    name=$1
    shift
    echo "== $name"
    from=$(date +%s)
    "$@"
    echo "$name: $(($(date +%s) - from)) s" >>"$report"
}

build() { # PRESET OPTION...
    preset=$1
    shift
    cmake --preset "$preset" "$@" >/dev/null
    cmake --build --preset "$preset" -- --quiet
}

tests() { # FOLDER CTEST-ARGUMENT...
    folder=$1
    shift
    LSAN_OPTIONS="suppressions=$PWD/tests/lib/lsan.txt:print_suppressions=0" ctest --test-dir "$folder" --no-tests=error --output-on-failure --timeout 600 -j 4 "$@"
}

# The quick tests once more, unit tests and tool behind valgrind; not those that race against a clock, or that valgrind plays otherwise: a program
# that cannot be started, a PATH without valgrind, and what a process has read, which is more with it. What bench runs is not behind it.
under_valgrind() {
    build valgrind
    tests build-valgrind -L quick -E '^(api|bench|crash|lint|model|install|man)[.]|^run[.](silent|program|launch-canfar|share-reads|simulate-plot)$|upstream-all'
}

# The static program, where there is nothing but itself, and in another Debian.
static_program() {
    build static
    tests build-static
}

under_tsan() {
    build tsan
    TSAN_OPTIONS="halt_on_error=1 exitcode=66 suppressions=$PWD/tests/lib/tsan.txt" tests build-tsan -L threads
}

sources() {
    git ls-files '*.c'
}

tidy() {
    cmake --preset analyze >/dev/null
    sources | xargs -P 2 -n 6 clang-tidy --quiet -p build-analyze 2>/dev/null
}

check_c() {
    sources | grep -v '^tests/' | xargs cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j 2 -D_GNU_SOURCE \
        -Iinclude -Iruntime -Itools --enable=warning,performance,portability
}

check_format() {
    git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror
}

check_shell() {
    git ls-files '*.sh' .ci/run | grep -v '^tests/cli/.*[.].*[.]sh$' | xargs shellcheck -x -S warning -e SC1010,SC1083
    git ls-files 'tests/cli/*.*.sh' | xargs shellcheck -s sh -S warning
}

install_missing build-essential cmake pkg-config liblz4-dev libxxhash-dev libjansson-dev libzmq3-dev libcunit1-dev \
    git procps util-linux iproute2 gnuplot-nox lz4 xxhash locales source-extractor fitsverify gnuastro python3 libcfitsio-dev groff-base
if [ "$what" = quick ]; then
    stage "build" build dev
    stage "quick tests" tests build-dev -L quick
else
    install_missing clang clang-tidy clang-format cppcheck valgrind shellcheck spin
    stage "build" build dev
    stage "tests under the address and undefined-behaviour sanitizers" tests build-dev -LE long
    stage "quick tests under valgrind" under_valgrind
    stage "tests with threads under the thread sanitizer" under_tsan
    stage "the static program" static_program
    stage "clang-tidy" tidy
    stage "cppcheck" check_c
    stage "clang-format" check_format
    stage "shellcheck" check_shell
fi
echo
cat "$report"
echo "all tests passed"
