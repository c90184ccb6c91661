"""What the README and docs/ say holds: commands, options, ids, numbers, links, tables of keys, printed output."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import click
import pytest

from conformance.cases.fixtures import load_cases
from conformance.cli.main import main
from conformance.contract.forms import Choice, OneForm, Record, form_of
from conformance.contract.load import load_contract
from conformance.contract.operation import NEEDED_KEYS
from conformance.model.scenario import ANSWER_KEYS, RightAnswer, Scenario
from conformance.model.spec import Level, Operation
from conformance.model.verdict import Verdict
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRACT = load_contract()
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_OUTPUT = re.compile(r"^\$ (.+)\n((?:(?!\$ ).+\n)*)", re.MULTILINE)
WORLD: dict[str, set[str]] = {
    "--operation": set(CONTRACT.operations),
    "--requirement": set(CONTRACT.requirements),
    "--fault": set(FAULTS),
    "--equivalent": set(EQUIVALENTS),
    "--reading": {f"{one.id}={name}" for one in CONTRACT.readings.values() for name in one.alternatives},
}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def commands_in(text: str) -> list[list[str]]:
    """Every `conformance …` in code, as words; a prompt and what follows `&&` or `|` are split off."""
    lines = [
        line.removeprefix("$ ")
        for kind, block in _FENCE.findall(text)
        if kind in ("sh", "console")
        for line in block.splitlines()
    ]
    spans = _SPAN.findall(_FENCE.sub("", text))
    parts = [part.strip() for line in (*lines, *spans) for part in re.split(r"&&|\|(?= )", line)]
    found = [shlex.split(part, comments=True) for part in parts if re.match(r"(\.venv/bin/)?conformance [a-z-]", part)]
    return [words[1:] for words in found]


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and the rest of them."""
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"no command {words[0]!r}"
        command, words = found, words[1:]
    return command, words


def options_of(command: click.Command) -> set[str]:
    own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return own | {"--help", "-h"}


def all_options() -> set[str]:
    names = [[name] for name in main.list_commands(click.Context(main))]
    found: set[str] = options_of(main)
    while names:
        words = names.pop()
        command, _ = resolve(words)
        found |= options_of(command)
        if isinstance(command, click.Group):
            names.extend([*words, name] for name in command.list_commands(click.Context(command)))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    for words in commands_in(text_of(page)):
        command, rest = resolve(words)
        for word, value in itertools.pairwise([*rest, ""]):
            if word.startswith("--"):
                assert word in options_of(command), f"{command.name} has no option {word}"
            if word in WORLD and value and value.isascii() and not value.isupper():
                assert value in WORLD[word], f"{word} {value}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_option_that_is_named_is_one_of_some_command(page: Path) -> None:
    known = all_options() | {"--version"}
    if page.name == "pytest.md":
        told = subprocess.run(
            [sys.executable, "-m", "pytest", "--help"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        known |= set(re.findall(r"--[a-z][a-z-]*", told.stdout)) | {"--junitxml"}  # shown as --junit-xml
    if page.name == "load.md":
        known |= {"--processes", "--master", "--worker", "--master-host", "--expect-workers"}  # Locust's own
        known |= set(re.findall(r'add\("(--[a-z-]+)"', (ROOT / "conformance" / "load" / "user.py").read_text("utf-8")))
        known |= set(re.findall(r'add_argument\("(--[a-z-]+)"', (ROOT / "benchmarks" / "load.py").read_text("utf-8")))
    if page.name == "schemathesis.md":
        told = subprocess.run(
            [Path(sys.executable).with_name("schemathesis"), "run", "--help"],
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        known |= set(re.findall(r"--[a-z][a-z-]*", told.stdout))
    if page.name in ("performance.md", "trust.md"):
        for name in ("__main__", "trust"):
            source = (ROOT / "benchmarks" / f"{name}.py").read_text("utf-8")
            known |= set(re.findall(r'add_argument\(\s*"(--[a-z-]+)"', source))
    spans = " ".join(_SPAN.findall(_FENCE.sub("", text_of(page))))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", spans)) - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    targets = [link.partition("#")[0] for link in _LINK.findall(_FENCE.sub("", text_of(page))) if "://" not in link]
    assert [link for link in targets if link and not (page.parent / link).exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    left = [ROOT / "README.md"]
    while left:
        page = left.pop().resolve()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        left.extend(page.parent / link.partition("#")[0] for link in _LINK.findall(text_of(page)) if "://" not in link)
    assert [page.name for page in PAGES if page.resolve() not in seen] == []


def test_the_readme_counts_cases_and_requirements() -> None:
    cases = Counter(one.operation for one in load_cases(CONTRACT))
    requirements = Counter(one.operation for one in CONTRACT.requirements.values() if not one.edition)
    rows = re.findall(r"^\| `([\w.]+)` \| [^|]+ \| (\d+) \| (\d+) \|$", README, re.MULTILINE)
    assert rows == [(name, str(cases[name]), str(requirements[name])) for name in sorted(CONTRACT.operations)]


def test_the_readme_lists_every_command() -> None:
    listed = {words[0] for words in commands_in(README)}
    assert set(main.list_commands(click.Context(main))) - listed == set()


def test_the_readme_lists_every_exit_code() -> None:
    codes = re.findall(r"^\| (\d+) \| ", README, re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "4", "5", "130"]
    assert main.epilog is not None
    assert re.findall(r"\d+", main.epilog) == codes


def _rid_of_times(text: str) -> str:
    return re.sub(
        r"\d+ judged messages of \d+ sent · [\d.]+ s$",
        "N judged messages of M sent · T s",
        text.strip(),
        flags=re.MULTILINE,
    )


SHOWN = [
    (command, output)
    for kind, block in _FENCE.findall(README)
    if kind == "console"
    for command, output in _OUTPUT.findall(block)
]


@pytest.mark.parametrize(
    ("command", "output"), [pair for pair in SHOWN if " serve " not in pair[0]], ids=lambda text: text[:40]
)
def test_a_command_of_the_readme_prints_what_stands_there(command: str, output: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, timeout=100, env=environment(), check=False
    )
    assert (_rid_of_times(done.stdout), done.returncode) == (
        _rid_of_times(output),
        1 if "verdict: fail" in output else 0,
    )


def environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}


def test_there_is_output_to_compare() -> None:
    assert len(SHOWN) == 3


def test_verdicts_are_all_explained() -> None:
    text = text_of(ROOT / "docs/verdicts.md")
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)) == {verdict.value for verdict in Verdict}


def keys_behind(heading: str) -> set[str]:
    """The names in the first column of the table behind a sentence of docs/authoring.md."""
    text = text_of(ROOT / "docs/authoring.md")
    table = text[text.index(heading) :].partition("\n| ")[2].partition("\n\n")[0]
    rows = ("| " + table).splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])}


def record_of(kind: type) -> Record:
    form = form_of(kind)
    assert isinstance(form, Record)
    return form


def test_the_keys_of_an_operation_file_are_those_of_the_loader() -> None:
    members = record_of(Operation).members
    assert keys_behind("Required keys:") == {key for key, one in members.items() if one.needed}
    assert keys_behind("Optional keys:") == {key for key, one in members.items() if not one.needed}


def test_the_keys_of_a_scenario_are_those_of_the_builder() -> None:
    text = text_of(ROOT / "docs/authoring.md")
    beside = {name for name in ("add", "add_media") if f"`{name}" in text}
    assert keys_behind("Each case is sent over every transport") | beside == set(record_of(Scenario).members)


def test_the_keys_of_an_alternative_are_those_of_the_builder() -> None:
    assert keys_behind("what the answer must be:") == set(ANSWER_KEYS)


def test_the_forms_of_an_answer_are_those_of_the_checks() -> None:
    from conformance.checks import answer

    row = next(line for line in text_of(ROOT / "docs/authoring.md").splitlines() if line.startswith("| `form` |"))
    named = set(re.findall(r"`([a-z-]+)`", row)) - {"form"}
    known = {value for name, value in vars(answer).items() if name.isupper() and isinstance(value, str)}
    assert named <= known
    form = record_of(RightAnswer).members["form"].form
    assert isinstance(form, OneForm)
    assert named == {word for one in form.forms if isinstance(one, Choice) for word in one.options}


def test_the_map_of_packages_is_the_import_contract() -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = re.findall(r"[\w.]+", " ".join(project["tool"]["importlinter"]["contracts"][0]["layers"]))
    text = text_of(ROOT / "docs/architecture.md")
    assert set(re.findall(r"^\| `(conformance\.\w+)` \|", text, re.MULTILINE)) == set(layers) - {"conformance.errors"}
    for name in re.findall(r"`((?:run|guard|checks)/\w+\.py)`", text):
        assert (ROOT / "conformance" / name).is_file(), name


def test_the_pages_name_documented_levels_and_states() -> None:
    text = text_of(ROOT / "docs/authoring.md")
    assert all(f"`{level}`" in text for level in get_args(Level))
    assert all(f"`{kind}`" in text for kind in NEEDED_KEYS)
