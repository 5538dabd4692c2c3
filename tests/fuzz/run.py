"""One target under coverage guidance: ``script/fuzz`` starts it. Options after the name go to libFuzzer."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pharmq.rfb", "pharmq.pve", "pharmq.consoles"]):
    from fuzz.targets import TARGETS


def main() -> None:
    if len(sys.argv) < 3 or sys.argv[1] not in TARGETS:
        print("\n".join(TARGETS))
        sys.exit(0 if len(sys.argv) < 2 else 2)
    name, corpus = sys.argv[1], Path(sys.argv[2])
    corpus.mkdir(parents=True, exist_ok=True)
    target = TARGETS[name]
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *sys.argv[3:], str(corpus)], target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
