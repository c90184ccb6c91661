"""What the authoring page's six steps hold: the files of an invented operation, and the commands."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "authoring.md"
ARCHITECTURE = PAGE.with_name("architecture.md")
ADDRESS = "http://127.0.0.1:8080"


def six_steps() -> str:
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index("## Add an operation in six steps") :].partition("\n## ")[0]


def files_of_the_page() -> dict[str, str]:
    """Name to content, for each fenced block that a line with nothing but a name stands above."""
    return dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", six_steps(), re.DOTALL | re.MULTILINE))


def commands_of_the_page() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", six_steps(), re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines()]


def recipe() -> list[str]:
    """The numbered steps of the recipe "Add an operation"."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    section = text[text.index("### Add an operation") :].partition("\n## ")[0].partition("\n### ")[0]
    return re.findall(r"^\d+\. (.*)$", section, re.MULTILINE)
