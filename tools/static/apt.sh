# shellcheck shell=sh
# Sourced: Debian's archive through an apt-get with a configuration of its own, from the mirror that this machine uses. Nothing
# of the machine's own packages, lists or sources is changed, and nobody has to be root.

# apt_mirror: the address that this Debian gets its packages from
apt_mirror() {
    # shellcheck disable=SC1091 # what Debian says it is
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
    apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v release="$codename" '$2 == release && $3 == "main" { print $1; exit }'
}

# apt_prepare FOLDER KIND RELEASE: lists of the packages (KIND deb) or sources (deb-src) of a release, for
# APT_CONFIG=FOLDER/apt.conf; none is installed there. Fails where there is no such archive.
apt_prepare() {
    apt_folder=$1
    mirror=$(apt_mirror 2>/dev/null) || mirror=
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    if [ -z "$mirror" ] || [ ! -f "$keys" ]; then
        echo "no Debian archive is configured on this machine" >&2
        return 1
    fi
    mkdir -p "$apt_folder/state/lists/partial" "$apt_folder/cache/archives/partial"
    [ -f "$apt_folder/status" ] || : >"$apt_folder/status"
    echo "$2 [signed-by=$keys] $mirror $3 main" >"$apt_folder/sources.list"
    cat >"$apt_folder/apt.conf" <<END
Dir::Etc::SourceList "$apt_folder/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "$apt_folder/state";
Dir::State::Status "$apt_folder/status";
Dir::Cache "$apt_folder/cache";
APT::Sandbox::User "";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
END
    APT_CONFIG=$apt_folder/apt.conf apt-get update -qq
}
