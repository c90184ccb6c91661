"""Makes the third format, and the server of the live tests, importable: importlib mode leaves folders off the path."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "run")]
