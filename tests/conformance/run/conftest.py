"""Makes the support modules importable: pytest's importlib mode leaves the folder of a test off the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1] / "cli")]
