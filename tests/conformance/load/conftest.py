"""Makes the helper that serves endpoints importable: it lies beside the tests of fleets."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "fleet"))
