"""Lets Schemathesis write and read the XML of this contract, as a user of it would: nothing else, no check of ours.

`SCHEMATHESIS_HOOKS=benchmarks.schemathesis_xml`. A body is written with the elements in the order of its XSD, and an answer is
read as the value that the same answer has in JSON; so the schemas and links of the OpenAPI document work for XML as well.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import schemathesis
from schemathesis.transport.serialization import serialize_xml

from conformance.checks.kit import Kit, build_kit
from conformance.contract.load import load_contract
from conformance.formats.errors import CodecError
from conformance.formats.xml.format import XML


@cache
def _kit(operation: str) -> Kit:
    return build_kit(load_contract().operations[operation])


@schemathesis.serializer("application/xml", "text/xml")
def write_xml(context: Any, value: Any) -> bytes:
    """A body in the form that its XSD has; what that cannot say is written as Schemathesis does."""
    if not isinstance(value, (bytes, str)):
        try:
            written = _kit(context.case.operation.definition.raw["operationId"]).codec(XML).encode(value)
        except CodecError:
            pass  # a value that XML has no form for: sent in some form, to be refused
        else:
            return written.encode() if isinstance(written, str) else written
    theirs = serialize_xml(context.case, value)["data"]
    return theirs if isinstance(theirs, bytes) else str(theirs).encode("utf-8", "surrogatepass")


@schemathesis.deserializer("application/xml", "text/xml")
def read_xml(context: Any, response: Any) -> Any:
    """The value that the same answer has in JSON."""
    kit = _kit(context.operation.definition.raw["operationId"])
    try:
        return kit.codec(XML, "error" if response.status_code >= 400 else "response").decode(response.content).value
    except CodecError as error:
        raise ValueError(f"the answer is no readable XML: {error}") from None


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """Ask for the format of the request, unless the case asks for another: so XML is answered in XML."""
    if case.media_type is not None:
        case.headers.setdefault("Accept", case.media_type)
