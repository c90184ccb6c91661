"""`python -m tests.fuzz`: searches, guided by coverage, for bytes that break a promise of a reader of foreign bytes.

    python -m tests.fuzz [--seconds N] [--at-a-time N] [--folder DIR] [NAME]...

Each NAME is a harness of `harnesses.py` (all of them). It needs `atheris`, which there is for a few versions of Python
alone: the extra `fuzz`. A finding does not end the search: the shortest input of each kind is kept as a file in DIR, where
the inputs that reached something new are kept as well, for the next search. Ends with 1 when anything was found.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.append(str(HERE))

from harnesses import BY_NAME, HARNESSES, Harness, Look  # noqa: E402

_MOST_BYTES = 65_536
_MOST_MB = 1_500
_HANGS_S = 60
_DETAILS = re.compile(r"""\{.*|\[.*|'.*|".*|[0-9]+""", re.DOTALL)
"""What tells one input from another in a message, and not one kind of finding."""
_STATUS = re.compile(r"#(\d+)\s+(\w+)\s+.*?cov: (\d+)(?: ft: (\d+))?")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the searches, a few at a time, and say what came of each; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Coverage-guided search with atheris.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[[], *BY_NAME], help=", ".join(BY_NAME))
    parser.add_argument("--seconds", type=int, default=1_800, metavar="N", help="of each search (1800)")
    parser.add_argument("--at-a-time", type=int, default=os.cpu_count() or 1, metavar="N", help="searches (one a core)")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "fuzz", metavar="DIR", help="for inputs and findings (fuzz/)"
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    chosen = [BY_NAME[name] for name in options.names] or list(HARNESSES)
    if options.child:
        search(chosen[0], options.folder.resolve(), options.seconds)
    try:
        import atheris  # noqa: F401
    except ImportError:
        sys.stderr.write("atheris is not installed: pip install -e '.[test,fuzz]', on a Python that it is built for\n")
        return 2
    waiting = list(chosen)
    running: dict[str, subprocess.Popen[bytes]] = {}
    ended: dict[str, int] = {}
    while waiting or running:
        while waiting and len(running) < options.at_a_time:
            one = waiting.pop(0)
            running[one.name] = _start(one, options.folder.resolve(), options.seconds)
        for name in [name for name, process in running.items() if process.poll() is not None]:
            ended[name] = running.pop(name).returncode
            ended[name] = _say(options.folder.resolve() / name, name, ended[name])
        time.sleep(0.5)
    return int(any(ended.values()))


def _start(harness: Harness, folder: Path, seconds: int) -> subprocess.Popen[bytes]:
    here = folder / harness.name
    here.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz", "--child", "--seconds", str(seconds), "--folder", str(folder)]
    with (here / "log.txt").open("wb") as log:
        return subprocess.Popen([*command, harness.name], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)


def _say(here: Path, name: str, code: int) -> int:
    """A line for the search, and one for each kind of finding; 1 where there is one, else the code of the search."""
    lines = (here / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    seen = [match.groups() for line in lines if (match := _STATUS.match(line))]
    first = next((one for one in seen if one[1] == "INITED"), ("0", "", "0", "0"))
    last = seen[-1] if seen else first
    findings = sorted((here / "found").glob("*.json"))
    sys.stdout.write(
        f"{name}: {last[0]} executions, coverage {first[2]} to {last[2]}, features {first[3]} to {last[3]}, "
        f"{len(findings)} kinds of findings, exit {code}\n"
    )
    for path in findings:
        told = json.loads(path.read_text(encoding="utf-8"))
        sys.stdout.write(f"  {path.with_suffix('.bin')}: {told['message'][:200]} ({told['times']} times)\n")
    sys.stdout.flush()
    return 1 if findings else code


def search(harness: Harness, folder: Path, seconds: int) -> None:
    """One search in this process, which ends with it: libFuzzer leaves without coming back."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts us in the background has it ignored
    import atheris

    with atheris.instrument_imports(include=_packages(harness), exclude=list(_others(harness))):
        for name in harness.modules:
            __import__(name)
    here = folder / harness.name
    corpus, found = here / "corpus", here / "found"
    for path in (corpus, found):
        path.mkdir(parents=True, exist_ok=True)
    for path in found.iterdir():
        path.unlink()
    for seed in harness.seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words = here / "words.txt"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in harness.words), encoding="ascii")
    flags = [
        f"-max_total_time={seconds}", f"-rss_limit_mb={_MOST_MB}", f"-timeout={_HANGS_S}", f"-max_len={_MOST_BYTES}",
        f"-dict={words}", f"-artifact_prefix={found}/", "-print_final_stats=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *flags, str(corpus)], _Keeper(harness.load(here), found), internal_libfuzzer=True)
    atheris.Fuzz()


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode("latin-1"))


def _packages(harness: Harness) -> list[str]:
    return sorted({name.partition(".")[0] for name in harness.modules})


def _others(harness: Harness) -> Iterator[str]:
    """The modules of the same packages that are not to be instrumented."""
    import importlib.util

    for package in _packages(harness):
        spec = importlib.util.find_spec(package)
        assert spec is not None
        for place in spec.submodule_search_locations or ():
            for path in Path(place).rglob("*.py"):
                parts = (package, *path.relative_to(place).with_suffix("").parts)
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                if name not in harness.modules:
                    yield name


class _Keeper:
    """Looks at inputs, and keeps the shortest one of each kind that breaks a promise."""

    def __init__(self, look: Look, folder: Path) -> None:
        self._look = look
        self._folder = folder
        self.kinds: dict[str, int] = {}
        self._times: dict[str, int] = {}

    def __call__(self, data: bytes) -> None:
        try:
            self._look(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._keep(data, error)

    def _keep(self, data: bytes, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        inner = [frame for frame in frames if "tests" in frame.filename or "conformance" in frame.filename][-1]
        where = f"{Path(inner.filename).name}:{inner.lineno} {type(error).__name__}"
        kind = hashlib.sha256(f"{where} {_DETAILS.sub('', str(error))[:60]}".encode()).hexdigest()[:12]
        times = self._times[kind] = self._times.get(kind, 0) + 1
        shorter = len(data) < self.kinds.get(kind, 1 << 30)
        if not shorter and times & (times - 1):
            return
        if shorter:
            self.kinds[kind] = len(data)
            (self._folder / f"{kind}.bin").write_bytes(data)
        told = {"where": where, "message": f"{where}: {str(error)[:500]!a}", "times": times}
        (self._folder / f"{kind}.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
