"""Makes the support modules importable: those of this folder, and the reference server of the live tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "run"))
