"""`python -m tests.worlds.record tpp_mono`: records for each fault of a world which cases catch it, in caught.toml beside it."""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main(name: str) -> int:
    """Run a part of the named cases against each fault, and all of them where that finds nothing."""
    sys.path.append(str(HERE))
    world_support = importlib.import_module("world_support")
    module = importlib.import_module(f"{name}.world")
    rows: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        world = module.built(Path(folder) / "built")
        for fault in module.modes("fault"):
            for some in (module.FEW, ()):
                told = world_support.judged(world, Path(folder) / fault, [fault], "--generated", "0", *some)
                if told.findings:
                    break
            cases = sorted({case for case, _, _ in told.findings})
            rows[fault] = cases[:1] + cases[-1:] if len(cases) > 1 else cases
            sys.stdout.write(f"{fault}: {', '.join(rows[fault]) or 'not caught'}\n")
            sys.stdout.flush()
            write(HERE / name / "caught.toml", rows)
    return 0


def write(path: Path, rows: dict[str, list[str]]) -> None:
    """The table; a fault that was not caught has no row."""
    lines = ["# By fault, cases that catch it; written by `python -m tests.worlds.record`."]
    lines += [f"{fault} = {json.dumps(cases)}" for fault, cases in rows.items() if cases]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
