"""Contract-testing and conformance harness for order-cancellation APIs."""

from __future__ import annotations

DISTRIBUTION = "order-cancellation-conformance"
UNKNOWN = "0+unknown"


def tool_version() -> str:
    """The version of the installed distribution; `0+unknown` in a checkout that was never installed."""
    from importlib import metadata

    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return UNKNOWN
