"""Reading a list of instructions from DataContract XML: strict on names and order, tolerant on spelling."""

from __future__ import annotations

import re

from lxml import etree

from reference_impl.tpp.fields import INT32, Members, build, within
from reference_impl.tpp.guid import canonical_guid
from reference_impl.tpp.values import NO_INSTRUCTION, Instruction, Items, UnreadableList

NAMESPACE = "http://schemas.datacontract.org/2004/07/"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
ROOT = f"{{{NAMESPACE}}}ArrayOfCancellationCreation"
ITEM = f"{{{NAMESPACE}}}CancellationCreation"
MEMBERS = ("CreatorID", "InternationalOrderUID", "IsInternationalOrder", "OrderID", "PIN")
"""In the order in which the serializer writes and reads them."""

_NIL = f"{{{INSTANCE}}}nil"
_BY_FOLDED_NAME = {name.lower(): f"{{{NAMESPACE}}}{name}" for name in MEMBERS}
_RANK = {f"{{{NAMESPACE}}}{name}": rank for rank, name in enumerate(MEMBERS)}
_INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_SPACE = " \t\r\n"


def read_xml(text: str, *, bound: int = INT32, nulls: Items = "refused") -> list[Instruction]:
    """The instructions; an empty text and a nil root are an empty list; raises `UnreadableList`.

    A value that cannot be read, or an integer beyond `bound`, breaks its own instruction only. A member
    out of the alphabetical order, which the vendor's serializer would lose, refuses the list.
    """
    if not text:
        return []
    root = parse(text)
    if root.tag != ROOT:
        raise UnreadableList("The root element is not ArrayOfCancellationCreation in the documented namespace.")
    if is_nil(root):
        return []
    _refuse_text(root)
    found = [item for item in root.iterchildren(etree.Element) if nulls != "dropped" or not is_nil(item)]
    return [_instruction(item, bound, nulls) for item in found]


def parse(text: str) -> etree._Element:
    """The root of a document that is well formed and has no document type and no processing instruction."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "surrogatepass"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableList("The body is not well-formed XML.") from error
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        raise UnreadableList("A document type declaration is not allowed.")
    outside = [*root.itersiblings(preceding=True), *root.itersiblings()]
    if any(node.tag is etree.PI for node in outside) or next(root.iter(etree.PI), None) is not None:
        raise UnreadableList("A processing instruction is not allowed.")
    return root


def _instruction(item: etree._Element, bound: int, nulls: Items) -> Instruction:
    if item.tag != ITEM:
        raise UnreadableList("A list item is not CancellationCreation in the documented namespace.")
    if is_nil(item):
        if nulls == "broken":
            return Instruction(problem=NO_INSTRUCTION)
        raise UnreadableList("A list item is nil.")
    _refuse_text(item)
    found: dict[str, etree._Element] = {}
    last = -1
    for child in item.iterchildren(etree.Element):
        tag = str(child.tag)
        rank = _RANK.get(tag)
        if rank is None:
            if etree.QName(child).localname.lower() in _BY_FOLDED_NAME:
                raise UnreadableList(f"{etree.QName(child).localname} has another case or namespace.")
            continue
        if rank <= last:
            raise UnreadableList(f"{MEMBERS[rank]} is repeated or not in alphabetical order.")
        last = rank
        found[MEMBERS[rank]] = child
    members = Members()
    return build(
        members,
        order_id=members.read("OrderID", lambda: _integer(found.get("OrderID"), bound)),
        creator_id=members.read("CreatorID", lambda: _integer(found.get("CreatorID"), bound)),
        pin=members.read("PIN", lambda: _text(found.get("PIN"))),
        is_international=members.read("IsInternationalOrder", lambda: _boolean(found.get("IsInternationalOrder"))),
        uid=members.read("InternationalOrderUID", lambda: _guid(found.get("InternationalOrderUID"))),
    )


def is_nil(element: etree._Element) -> bool:
    """Whether an element says that it is nil; raises `UnreadableList` for what says neither."""
    value = (element.get(_NIL) or "false").strip(_SPACE)
    if value not in ("true", "1", "false", "0"):
        raise UnreadableList("A nil attribute is neither true nor false.")
    return value in ("true", "1")


def _refuse_text(element: etree._Element) -> None:
    pieces = [element.text, *(child.tail for child in element)]
    if any(piece and piece.strip(_SPACE) for piece in pieces):
        raise UnreadableList("There is text between the elements.")


def _text(element: etree._Element | None) -> str | None:
    """The text of an element, comments left out; None when it is absent or nil."""
    if element is None or is_nil(element):
        return None
    if next(element.iterchildren(etree.Element), None) is not None:
        raise ValueError(element.tag)
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _integer(element: etree._Element | None, bound: int) -> int | None:
    text = _text(element)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text.strip(_SPACE)):
        raise ValueError(text)
    return within(int(text), bound)


def _boolean(element: etree._Element | None) -> bool | None:
    if element is None:
        return None
    values = {"true": True, "1": True, "false": False, "0": False}
    text = (_text(element) or "").strip(_SPACE)
    if text not in values:
        raise ValueError(text)
    return values[text]


def _guid(element: etree._Element | None) -> str | None:
    text = _text(element)
    if text is None:
        return None
    guid = canonical_guid(text)
    if guid is None:
        raise ValueError(text)
    return guid
