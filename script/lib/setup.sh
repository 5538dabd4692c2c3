# Sourced by script/*: where we are, Python, uv, the environment. Needs nothing but a Debian-like system
# with Python >= 3.11.

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
ROOT=$PWD
# Trust what the system trusts: company networks often read TLS with an authority of their own.
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1} NODE_USE_SYSTEM_CA=${NODE_USE_SYSTEM_CA:-1}
[ -z "${CI:-}" ] || export UV_NO_PROGRESS=1
# Containers often set this; every process of ours would then compile all it imports anew, which takes seconds.
unset PYTHONDONTWRITEBYTECODE

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

find_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      "$candidate" -c 'import sys; print(sys.executable)'
      return
    fi
  done
  fail "Python 3.11 or newer is needed (Debian 12 and later have it): apt-get install python3 python3-venv"
}

# Debian packages, through apt where we may; otherwise say exactly what to install.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    else
      fail "these packages are missing: ${missing[*]}
  install them and start again:  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
    fi
  fi
  command -v apt-get >/dev/null 2>&1 || fail "these packages are missing and there is no apt-get: ${missing[*]}"
  say "Installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q >/dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install: ${missing[*]}"
}

# uv from PATH, or into a private environment of ours (Debian's own Python refuses pip).
find_uv() {
  if command -v uv >/dev/null 2>&1 && uv --version >/dev/null 2>&1; then
    UV=$(command -v uv)
  else
    UV=$ROOT/.tools/uv/bin/uv
    if [ ! -x "$UV" ]; then
      say "Fetching uv"
      "$PYTHON" -m venv "$ROOT/.tools/uv" 2>/dev/null || {
        rm -rf "$ROOT/.tools/uv"
        need_packages python3-venv
        "$PYTHON" -m venv "$ROOT/.tools/uv" || fail "python3 -m venv does not work: apt-get install python3-venv"
      }
      "$ROOT/.tools/uv/bin/pip" install --quiet --disable-pip-version-check uv
    fi
  fi
}

# install [uv sync options]: the locked environment in .venv; the wheel's build hook builds the UI.
install() {
  PYTHON=$(find_python)
  find_uv
  "$UV" sync --frozen --quiet --python "$PYTHON" "$@" || fail "installing the locked environment failed (see above)"
}
