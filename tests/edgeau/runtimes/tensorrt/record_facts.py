"""Fetches the real modules and writes what they say to ``api_facts.json``: ``python record_facts.py FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import real_modules
from real_modules import HERE, environment_of, run_python


def said_by(module: real_modules.RealModule, folder: Path, what: str) -> dict:
    done = run_python(environment_of(module, folder), str(HERE / "probe.py"), what)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "tensorrt": {
            m.name: said_by(m, folder, "tensorrt_bindings")["members"] for m in real_modules.TENSORRT
        },
        "cuda": {
            m.name: {key: said_by(m, folder, "cuda")[key] for key in ("module", "members")}
            for m in real_modules.CUDA
        },
    }
    (HERE / "api_facts.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
