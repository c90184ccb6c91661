"""Our own walk, lxml and xmlschema agree on generated documents, and values survive the round trip."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from conformance.contract.check.engines import SecondEngine
from conformance.formats.xml.contract import LexicalStyle, XmlContract, XmlStyle
from conformance.formats.xml.read import parse_xml, walk

XSD = Path(__file__).parent / "xsd"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\t\n\r<&]>"), max_size=6)
INT = st.integers(-(2**31), 2**31 - 1)
ITEMS = st.lists(
    st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "Code": st.none() | TEXT,
            "Flag": st.booleans(),
            "Key": st.none() | st.uuids().map(str),
            "Number": st.none() | INT,
            "Wide": st.none() | st.integers(-(2**63), 2**63 - 1),
        },
    ),
    max_size=3,
)
RESULTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "Errors": st.none() | st.lists(st.none() | TEXT, max_size=3),
            "Number": st.none() | INT,
            "Success": st.booleans(),
        },
    ),
    max_size=3,
)
GUID = "6269c403-5b9f-47dd-b8c3-7ecbef8f686d"
FULL_ITEM = {"Code": "a", "Flag": True, "Key": GUID, "Number": 5, "Wide": None}
FULL_RESULT = {"Errors": ["a", None], "Number": None, "Success": False}
FULL = st.sampled_from([("request", [FULL_ITEM, FULL_ITEM]), ("result", [FULL_RESULT, FULL_RESULT])])
STYLE = st.builds(
    XmlStyle,
    prefix=st.sampled_from(["", "p"]),
    foreign_prefix=st.sampled_from(["", "a", "d3p1"]),
    foreign_declared=st.sampled_from(["list", "root", "used"]),
    encoding=st.sampled_from(["utf-8", "utf-16", "utf-16be"]),
    declaration=st.booleans(),
    indent=st.sampled_from([None, "  "]),
    comment=st.sampled_from([None, "c"]),
    empty=st.sampled_from(["pair", "self-closing"]),
    nil=st.sampled_from(["true", "1"]),
    lexical=st.builds(
        LexicalStyle,
        integer=st.sampled_from(["plain", "plus", "zeros", "spaces"]),
        boolean=st.sampled_from(["word", "digit", "spaces"]),
        text=st.sampled_from(["plain", "cdata", "decimal", "hex"]),
    ),
)
WORDS = [
    "",
    " ",
    "5",
    "+5",
    "-0",
    "5.0",
    "2147483648",
    "true",
    "True",
    " 1 ",
    "x",
    "6269c403-5b9f-47dd-b8c3-7ecbef8f686d",
]


@cache
def engines(name: str) -> tuple[XmlContract, SecondEngine]:
    contract = XmlContract.load(XSD / f"{name}.xsd")
    return contract, SecondEngine.load(contract)


def verdicts(name: str, data: bytes) -> tuple[bool, bool, bool]:
    contract, second = engines(name)
    root = parse_xml(data).root
    own = root.tag == contract.root.tag and not walk(root, contract.root)[1].problems
    return own, not contract.validate(data), not second.validate(data)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.tuples(st.just("request"), ITEMS) | st.tuples(st.just("result"), RESULTS), STYLE)
def test_a_value_is_valid_in_every_style_and_comes_back(case: tuple[str, Any], style: XmlStyle) -> None:
    name, value = case
    contract = engines(name)[0]
    data = contract.encode(value, style)
    assert verdicts(name, data) == (True, True, True)
    assert contract.decode(data).value == value


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A document with every member, and one or two changes at random places."""
    name, value = draw(FULL)
    root = etree.fromstring(engines(name)[0].encode(value, XmlStyle(comment=draw(st.sampled_from([None, "c"])))))
    for _ in range(draw(st.integers(1, 2))):
        nodes = list(root.iter(etree.Element))
        node = draw(st.sampled_from(nodes))
        parent = node.getparent()
        match draw(
            st.sampled_from(["text", "tail", "nil", "attribute", "name", "namespace", "copy", "move", "drop", "child"])
        ):
            case "text":
                node.text = draw(st.sampled_from(WORDS))
            case "tail" if parent is not None:
                node.tail = draw(st.sampled_from([" ", "\n", "x"]))
            case "nil":
                node.set(XSI + "nil", draw(st.sampled_from(["true", "1", " true ", "false", "0", "yes", ""])))
            case "attribute":
                node.set(draw(st.sampled_from(["x", XSI + "other"])), "1")
            case "name":
                prefix, brace, _ = str(node.tag).rpartition("}")
                node.tag = (
                    prefix + brace + draw(st.sampled_from(["Code", "code", "Item", "string", "Success", "Other"]))
                )
            case "namespace":
                node.tag = draw(st.sampled_from(["", "{urn:other}"])) + etree.QName(node).localname
            case "copy" if parent is not None:
                parent.insert(
                    draw(st.integers(0, len(parent))), etree.fromstring(etree.tostring(node, with_tail=False))
                )
            case "move" if parent is not None:
                parent.insert(draw(st.integers(0, len(parent))), node)
            case "drop" if parent is not None:
                parent.remove(node)
            case "child":
                etree.SubElement(node, draw(st.sampled_from(nodes)).tag)
    return name, etree.tostring(root, encoding="utf-8")


@settings(derandomize=True, max_examples=250, deadline=None)
@given(mutated())
def test_the_walk_and_both_engines_agree_on_mutated_documents(case: tuple[str, bytes]) -> None:
    own, first, second = verdicts(*case)
    assert (own, second) == (first, first)
