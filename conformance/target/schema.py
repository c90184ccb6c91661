"""The JSON Schema of target files, for editors; published beside this module, and made from the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conformance.target.model import TargetFile

SCHEMA_FILE = Path(__file__).with_name("target.schema.json")


def schema_text() -> str:
    """The schema as it stands in `target.schema.json`: keys sorted, two spaces of indent."""
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", **TargetFile.model_json_schema()}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
