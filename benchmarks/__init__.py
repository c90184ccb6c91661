"""Measurements of the harness, as ratios taken side by side in one run; see docs/performance.md."""
