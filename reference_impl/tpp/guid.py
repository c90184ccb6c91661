"""GUIDs in the forms that the .NET readers take."""

from __future__ import annotations

import re

_FORMS = re.compile(
    r"(?:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"|\{([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}"
    r"|\(([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\)"
    r"|([0-9a-f]{32}))",
    re.IGNORECASE | re.ASCII,
)


def canonical_guid(text: str) -> str | None:
    """The GUID in lower case with dashes; None when the text, but for outer white space, is not one."""
    match = _FORMS.fullmatch(text.strip())
    if match is None:
        return None
    digits = next(group for group in match.groups() if group).replace("-", "").lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
