"""What `pytest --pyargs conformance.suite` names: the pytest plugin puts its items here, so there is nothing to import.

An id is `conformance.suite::OPERATION::REQUIREMENT[FORMAT]`, and can be typed as it is printed.
"""
