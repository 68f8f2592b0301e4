#!/usr/bin/env bash
# Makes .venv with the extras named in $1, and sees to what the simulators need of the system.
# Exit code 2: something is missing that this script may not or cannot install.
set -euo pipefail
cd "$(dirname "$0")/.."

extras=${1:-all}
python=${PYTHON:-python3}

fail() {
    echo "error: $1" >&2
    exit 2
}

has_header() {
    echo "#include <$1>" | g++ -E -x c++ - >/dev/null 2>&1
}

# cocotb loads Python into the simulator, from its shared library
has_libpython() {
    "$python" - <<'EOF' 2>/dev/null
import ctypes, os, sysconfig
name = sysconfig.get_config_var("INSTSONAME")
beside = os.path.join(sysconfig.get_config_var("LIBDIR"), name)
ctypes.CDLL(beside if os.path.exists(beside) else name)
EOF
}

missing_packages() {
    local version=$1 program
    for program in iverilog g++ make perl; do
        command -v "$program" >/dev/null || echo "$program"
    done
    if [[ $extras == dev ]] && ! command -v chromium >/dev/null; then
        echo chromium fonts-dejavu-core  # the site is looked at in it
    fi
    has_header lz4.h || echo liblz4-dev
    has_header zlib.h || echo zlib1g-dev
    "$python" -c 'import ensurepip, venv' 2>/dev/null || echo "python3-venv"
    has_libpython || echo "libpython$version"
}

install_packages() {
    local log
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if ! apt-get install -y --no-install-recommends "$@" >"$log" 2>&1 </dev/null; then
        # the package lists may be empty or old
        if ! { apt-get update && apt-get install -y --no-install-recommends "$@"; } \
            >"$log" 2>&1 </dev/null; then
            tail -n 20 "$log" >&2
            rm -f "$log"
            fail "apt-get could not install $*"
        fi
    fi
    rm -f "$log"
}

command -v "$python" >/dev/null || fail "$python is missing; get it with: sudo apt-get install -y python3"
version=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || fail "$python is Python $version, and 3.11 or newer is needed; name another: make PYTHON=python3.11 …"

mapfile -t packages < <(missing_packages "$version")
if ((${#packages[@]})); then
    command -v apt-get >/dev/null || fail "missing: ${packages[*]} (Debian's names); install them and try again"
    if ((EUID)); then
        fail "missing: ${packages[*]}; get them with: sudo apt-get install -y ${packages[*]}"
    fi
    echo "installing ${packages[*]} with apt-get" >&2
    install_packages "${packages[@]}"
    mapfile -t packages < <(missing_packages "$version")
    ((${#packages[@]} == 0)) || fail "still missing: ${packages[*]}; $python may need another Python's packages"
fi

echo "installing Python packages into .venv (about a minute the first time)" >&2
[[ -x .venv/bin/pip ]] || "$python" -m venv .venv
.venv/bin/pip install --disable-pip-version-check -q -e ".[$extras]"
touch ".venv/.$extras"
