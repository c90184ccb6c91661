"""What `pytest --pyargs conformance.suite` names: the pytest plugin puts its items here, and no test stands in this file.

An id is `conformance.suite::OPERATION::REQUIREMENT[FORMAT]`, and can be typed as it is printed.
"""

from pathlib import Path

SUITE = "conformance.suite"
SUITE_FILE = Path(__file__)
