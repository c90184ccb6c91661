"""Makes the support modules importable, those of the live runs as well: pytest's importlib mode leaves their folders off the path."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "conformance" / "run")]
