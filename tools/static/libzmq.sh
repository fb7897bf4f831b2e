#!/bin/sh
# Fetches Debian's source of libzmq, with Debian's patches, into a folder that is made.
#   libzmq.sh FOLDER CACHE
set -eu
# shellcheck source=tools/static/apt.sh
. "$(dirname "$0")/apt.sh"
folder=$1 cache=$2
# shellcheck disable=SC1091 # what Debian says it is
codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
rm -rf "$folder" "$cache"
mkdir -p "$cache/unpacked"
apt_prepare "$cache" deb-src "$codename"
cd "$cache/unpacked"
APT_CONFIG=$cache/apt.conf apt-get source --only-source -qq zeromq3
mv zeromq3-*/ "$folder"
