"""`POST api/orders/cancellation`: the list call for one order, its request and its answer without the list around them."""

from __future__ import annotations

import re

from lxml import etree

from reference_impl.depth import load_json
from reference_impl.tpp.read_xml import ITEM, NAMESPACE, is_nil, parse
from reference_impl.tpp.values import UnreadableList

_RESULT = "CancellationCreationResult"
_ATTRIBUTES = r"((?:\s+[\w:]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*"
_AROUND = re.compile(
    rf"<((?:\w+:)?)ArrayOf{_RESULT}{_ATTRIBUTES}>(.*?)<\1{_RESULT}{_ATTRIBUTES}>(.*)</\1{_RESULT}\s*>(.*?)</\1ArrayOf{_RESULT}\s*>",
    re.DOTALL,
)
"""However a permitted difference spells the list."""


def json_as_list(text: str) -> str:
    """A list of the one instruction of a body. Raises `UnreadableList` for a body that is no object."""
    try:
        value = load_json(text)
    except ValueError as error:
        raise UnreadableList("The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise UnreadableList("The body is not a cancellation instruction.")
    return f"[{text}]"


def xml_as_list(text: str) -> str:
    """A list of the one instruction of a body. Raises `UnreadableList` for another root element, or a nil one."""
    root = parse(text)
    if root.tag != ITEM:
        raise UnreadableList("The root element is not CancellationCreation in the documented namespace.")
    if is_nil(root):
        raise UnreadableList("The instruction is nil.")
    whole = etree.Element(f"{{{NAMESPACE}}}ArrayOfCancellationCreation")
    whole.append(root)
    return etree.tostring(whole, encoding="unicode")


def json_of_one(text: str) -> str:
    """The one result of a list of results."""
    return text.strip()[1:-1]


def xml_of_one(text: str) -> str:
    """The one result of a list of results, as the root; what was on the third level is on the second."""
    return _AROUND.sub(rf"\3<\1{_RESULT}\2\4>\5</\1{_RESULT}>\6", text).replace("d3p1", "d2p1")
