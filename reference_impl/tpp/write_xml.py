"""Writing results and errors as DataContractSerializer does: one line, no declaration."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape

from reference_impl.parts import Writer
from reference_impl.tpp.values import Result

INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
RESULTS = "http://schemas.datacontract.org/2004/07/TPP.Contracts.Services.Order"
ARRAYS = "http://schemas.microsoft.com/2003/10/Serialization/Arrays"
SERIALIZATION = "http://schemas.microsoft.com/2003/10/Serialization/"

_IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: str) -> str:
    """Character data; what XML 1.0 cannot say becomes U+FFFD, so that the document stays well formed."""
    return escape(_IMPOSSIBLE.sub("\ufffd", value))


def nillable(name: str, value: object) -> str:
    """An element with a value, or the same element nil."""
    return f'<{name} i:nil="true" />' if value is None else f"<{name}>{text(str(value))}</{name}>"


def errors_element(errors: tuple[str, ...] | None) -> str:
    """The list of errors, in the namespace of arrays: nil, empty, or with an element for each."""
    start = f'<Errors xmlns:d3p1="{ARRAYS}"'
    if errors is None:
        return f'{start} i:nil="true" />'
    if not errors:
        return f"{start} />"
    return start + ">" + "".join(f"<d3p1:string>{text(e)}</d3p1:string>" for e in errors) + "</Errors>"


def result_element(result: Result) -> str:
    """One result."""
    return (
        "<CancellationCreationResult>"
        + errors_element(result.errors)
        + nillable("InternationalOrderUID", result.uid)
        + nillable("OrderID", result.order_id)
        + f"<Success>{'true' if result.success else 'false'}</Success></CancellationCreationResult>"
    )


def write_results(results: Sequence[Result]) -> str:
    """The list of results."""
    start = f'<ArrayOfCancellationCreationResult xmlns:i="{INSTANCE}" xmlns="{RESULTS}"'
    if not results:
        return f"{start} />"
    return start + ">" + "".join(map(result_element, results)) + "</ArrayOfCancellationCreationResult>"


def write_error(message: str) -> str:
    """The operation's own error: a string element in the serialization namespace."""
    return f'<string xmlns="{SERIALIZATION}">{text(message)}</string>'


def write_framework(message: str) -> str:
    """The framework's error: an Error element with a Message, in no namespace."""
    return f"<Error><Message>{text(message)}</Message></Error>"


WRITER = Writer(write_results, write_error, write_framework)
