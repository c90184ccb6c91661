"""Makes `scope_support`, `scope_readers` and the third format importable: importlib mode leaves folders off the path."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "formats")]
