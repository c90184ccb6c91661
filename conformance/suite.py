"""The module that `pytest --pyargs conformance.suite` names: the plugin adds its items; the file has no tests.

An id is `conformance.suite::OPERATION::REQUIREMENT[FORMAT]`, and can be typed as it is printed.
"""

from pathlib import Path

SUITE = "conformance.suite"
SUITE_FILE = Path(__file__)
