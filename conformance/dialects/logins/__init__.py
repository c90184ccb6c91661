"""The ways to sign in; `conformance.plugins` names them. `none` sends nothing but the role's headers."""

from __future__ import annotations

from conformance.dialects.base import Login

NONE = Login("none")
