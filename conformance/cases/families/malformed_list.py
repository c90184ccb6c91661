"""Request bodies that are no list of instructions, in JSON and in XML: the error string, or nothing done."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.cases import expect, make, render
from conformance.cases.families.malformed_json import broken_texts
from conformance.cases.make import Channel, channels
from conformance.codec.json_writer import JsonStyle
from conformance.codec.xml_codec import XmlStyle
from conformance.model.case import Alternative, Body, Case, Expectation, StateNeed
from conformance.model.spec import Operation

_STATES = {"order": StateNeed("open-order"), "other": StateNeed("open-order")}
_NAMES = ("order", "other")
_EMPTY_LISTS = ("empty", "blank", "null")


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a list: `kind` is "legal" (it must be carried out), "lenient", "ignored" (nothing may be carried out)
    or "broken" (it cannot be read)."""

    name: str
    kind: str
    title: str
    body: Body
    requirement: str = ""


def malformed_list_cases(operation: Operation) -> Iterator[Case]:
    """Every broken and odd form of the request in every media type."""
    for channel in channels(operation):
        for form in (_xml_forms(operation) if channel.form == "xml" else _json_forms(operation)):
            yield _case(operation, channel, form)


def _case(operation: Operation, channel: Channel, form: Form) -> Case:
    requirement = form.requirement or operation.attribution["malformed"]
    also = [operation.attribution["bad-input"]] if form.kind == "broken" else []
    code = "error-string" if form.name == "cut-off" else None
    if code:
        also.extend((operation.attribution["error-string"], operation.raw["error_media"][channel.form], "TPP-ERR-STATUS"))
    sent = make.message(operation, channel, form.body)
    return make.case(
        operation, channel, f"forms/{form.name}", f"Body: {form.title}", also, sent,
        _expectation(operation, requirement, form), states=_STATES, code=code, accept=channel.media_type,
    )  # fmt: skip


def _expectation(operation: Operation, requirement: str, form: Form) -> Expectation:
    if form.kind == "legal":
        success = expect.done(operation, requirement, ("order",))
        kept = tuple(Alternative(one.answer, one.cancelled, ("other",)) for one in success.any_of)
        return Expectation(requirement, kept, effect=requirement, outside=operation.attribution["effect"])
    if form.name in _EMPTY_LISTS:
        return Expectation(
            requirement,
            (
                Alternative({"results": []}, untouched=_NAMES, readings=("empty-list=empty-result",)),
                Alternative({"form": "refused"}, untouched=_NAMES, readings=("empty-list=refused",)),
            ),
            effect=operation.attribution["effect"],
        )
    if form.kind == "broken":
        return expect.refused(operation, requirement, _NAMES)
    every = expect.nothing_else(operation, requirement, ("order",), ("other",))
    if form.kind != "ignored":
        return every
    return Expectation(requirement, every.any_of[1:], effect=every.effect, outside=every.outside)


def _json_forms(operation: Operation) -> Iterator[Form]:
    good = render.json_text(operation.valid)
    item = good[1:-1]
    for broken in broken_texts(good):
        legal = broken.name in ("white-space",)
        kind = "legal" if legal else "lenient" if broken.lenient or broken.name in _EMPTY_LISTS else "broken"
        yield Form(broken.name, kind, broken.title, Body(broken.text, broken.encoding))
    plain = operation.raw["base"][0]
    yield Form("object", "broken", "one instruction without its list", Body(item))
    yield Form("empty-object", "broken", "an object without members", Body("{}"))
    yield Form("list-of-numbers", "broken", "a list of numbers", Body("[1,2]"))
    yield Form("list-of-text", "broken", "a list of strings", Body('["a"]'))
    yield Form("list-in-list", "lenient", "a list inside a list", Body(f"[{good}]"))
    yield Form("list-with-null", "lenient", "a list with null behind the instruction", Body(f"[{item},null]"))
    yield Form("wrapped", "lenient", "the list inside an object", Body(f'{{"instructions":{good}}}'))
    yield Form("members-reversed", "legal", "members in another order", _json(dict(reversed(list(plain.items())))))
    yield Form("indented", "legal", "indented over several lines", Body(render.json_text(operation.valid, JsonStyle(indent="  ", key_separator=" : "))))
    yield Form("escaped-keys", "legal", "keys written with escapes", Body(good.replace("OrderID", "\\u004frderID", 1)))
    yield Form("nulls-left-out", "legal", "null members left out", _json({k: v for k, v in plain.items() if v is not None}))
    yield Form("keys-lower-case", "lenient", "keys in lower case", _json({k.lower(): v for k, v in plain.items()}))
    yield Form("keys-camel-case", "lenient", "keys in camel case", _json({k[0].lower() + k[1:]: v for k, v in plain.items()}))


def _json(item: Any) -> Body:
    return Body(render.json_text([item]))


def _xml_forms(operation: Operation) -> Iterator[Form]:
    contract = render.xml_contract(operation)
    value = operation.valid
    good = render.xml_text(operation, value)
    root, item = contract.root.name, "CancellationCreation"
    namespace = contract.root.namespace

    def styled(**style: Any) -> Body:
        return Body(contract.encode(value, XmlStyle(**style)).decode("utf-8"))

    yield Form("empty", "lenient", "nothing at all", Body(""))
    yield Form("blank", "lenient", "white space alone", Body(" \n\t "))
    yield Form("list-nil", "lenient", "a list that is nil", Body(f'<{root} xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true" xmlns="{namespace}" />'))
    yield Form("prefix", "legal", "a prefix for every element", styled(prefix="c"), "TPP-REQ-XML-NS")
    yield Form("nil-prefix", "legal", "another prefix for nil", styled(nil_prefix="xsi"), "TPP-REQ-XML-NIL")
    yield Form("nil-one", "legal", "nil written as 1", styled(nil="1"), "TPP-REQ-XML-NIL")
    yield Form("nulls-left-out", "legal", "null elements left out", styled(nulls="absent"), "TPP-REQ-XML-NIL")
    yield Form("declaration", "legal", "with an XML declaration", styled(declaration=True))
    yield Form("comment", "legal", "with comments", Body(good.replace("<CreatorID>", "<!-- who --><CreatorID>")))
    yield Form("indented", "legal", "indented over several lines", styled(indent="  "))
    yield Form("cdata", "legal", "text as CDATA", Body(good.replace("${pin}", "<![CDATA[${pin}]]>")))
    yield Form("character-reference", "legal", "a character reference", Body(good.replace("<PIN>", "<PIN>").replace("false", "&#102;alse")))
    yield Form("pairs-of-tags", "legal", "nil elements as a pair of tags", styled(empty="pair"), "TPP-REQ-XML-NIL")
    yield Form("bom", "lenient", "behind a byte order mark", Body("\ufeff" + good))
    yield Form("utf-16", "lenient", "in UTF-16 with its charset named", Body(good, "utf-16"))
    yield Form("utf-16-unnamed", "lenient", "in UTF-16 little endian without saying so", Body(good, "utf-16-le"))
    yield Form("latin-1-declared", "lenient", "declared as ISO-8859-1", Body('<?xml version="1.0" encoding="iso-8859-1"?>' + good, "latin-1"))
    yield Form("order-reversed", "lenient", "elements against the alphabet", styled(order="reversed"), "TPP-REQ-XML-ORDER")
    yield Form("order-as-in-table", "lenient", "elements in the order of the table", styled(order="given"), "TPP-REQ-XML-ORDER")
    yield Form("unknown-element", "lenient", "an element that the document does not name", Body(good.replace("<PIN>", "<Note>x</Note><PIN>")))
    yield Form("unknown-attribute", "lenient", "an attribute that the document does not name", Body(good.replace("<PIN>", '<PIN note="x">')))
    yield Form("wrong-root", "broken", "another root element", styled(rename=((root, "Cancellations"),)), "TPP-REQ-XML-ROOT")
    yield Form("root-of-one", "broken", "an instruction as root", Body(good.replace(f"{root} ", f"{item} ").replace(f"/{root}>", f"/{item}>").replace(f"<{item}><", "<").replace(f"</{item}></{item}>", f"</{item}>")), "TPP-REQ-XML-ROOT")
    yield Form("root-lower-case", "broken", "the root element in lower case", styled(rename=((root, root.lower()),)), "TPP-REQ-XML-ROOT")
    yield Form("wrong-namespace", "broken", "another namespace", styled(renamespace=((namespace, "urn:other"),)), "TPP-REQ-XML-NS")
    yield Form("no-namespace", "broken", "no namespace", Body(good.replace(f' xmlns="{namespace}"', "")), "TPP-REQ-XML-NS")
    yield Form("response-namespace", "broken", "the namespace of the answer", styled(renamespace=((namespace, namespace + "TPP.Contracts.Services.Order"),)), "TPP-REQ-XML-NS")
    yield Form("order-alphabetical", "legal", "elements in alphabetical order", Body(good), "TPP-REQ-XML-ORDER")
    yield Form("wrong-item", "ignored", "items of another name", styled(rename=((item, "Cancellation"),)), "TPP-REQ-XML-ITEM")
    yield Form("member-lower-case", "lenient", "a member in lower case", styled(rename=(("OrderID", "orderid"),)), "TPP-REQ-XML-ITEM")
    yield Form("member-namespace", "lenient", "a member in another namespace", styled(renamespace=(("OrderID", "urn:other"),)), "TPP-REQ-XML-NS")
    yield Form("nil-boolean", "lenient", "nil on the boolean", Body(good.replace("<IsInternationalOrder>false</IsInternationalOrder>", '<IsInternationalOrder i:nil="true" />')), "TPP-REQ-XML-NIL")
    yield Form("nil-with-content", "lenient", "nil on an element with content", Body(good.replace("<OrderID>", '<OrderID i:nil="true">')), "TPP-REQ-XML-NIL")
    yield Form("cut-off", "broken", "cut off before its end", Body(good[:-3]))
    yield Form("cut-in-element", "broken", "cut off in the middle", Body(good[: len(good) // 2]))
    yield Form("tag-mismatch", "broken", "tags that do not match", Body(good.replace("</PIN>", "</Pin>")))
    yield Form("two-roots", "broken", "two documents", Body(good + good))
    yield Form("text-only", "broken", "text without an element", Body("cancel everything"))
    yield Form("json", "broken", "JSON under the content type of XML", Body(render.json_text(value)))
    yield Form("undeclared-prefix", "broken", "a prefix that nothing declares", Body(good.replace("<PIN>", "<q:PIN>").replace("</PIN>", "</q:PIN>")))
    yield Form("undeclared-entity", "broken", "an entity that nothing declares", Body(good.replace("${pin}", "&pin;")))
    yield Form("bare-ampersand", "broken", "a bare ampersand", Body(good.replace("${pin}", "a & b")))
    yield Form("control-character", "broken", "a character reference that XML 1.0 forbids", Body(good.replace("${pin}", "&#1;")))
    yield Form("bad-utf8", "broken", "a byte that UTF-8 does not have", Body(good.replace("${pin}", "\xff\xfe"), "latin-1"))
    yield Form("doctype", "lenient", "a document type declaration", Body(f"<!DOCTYPE {root}>" + good))
    yield Form("internal-entity", "lenient", "an entity of its own that holds the order", Body(f'<!DOCTYPE {root} [<!ENTITY o "${{order.OrderID}}">]>' + good.replace("${order.OrderID}", "&o;")))
    yield Form("external-entity", "lenient", "an entity that points to a file", Body(f'<!DOCTYPE {root} [<!ENTITY o SYSTEM "file:///etc/hostname">]>' + good.replace("${pin}", "&o;")))
    yield Form("entity-bomb", "lenient", "entities that grow a thousand million times", Body(_bomb(root) + good.replace("${pin}", "&j;")))
    yield Form("processing-instruction", "lenient", "a processing instruction", Body("<?note x?>" + good))
    yield Form("xml-1-1", "lenient", "declared as XML 1.1", Body('<?xml version="1.1"?>' + good))
    yield Form("wrong-encoding", "lenient", "declared as UTF-16 but written in UTF-8", Body('<?xml version="1.0" encoding="utf-16"?>' + good))
    yield Form("deep", "broken", "nested two thousand levels deep", Body("<a>" * 2000 + "</a>" * 2000))


def _bomb(root: str) -> str:
    letters = "abcdefghij"
    entities = "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in itertools.pairwise(letters)
    )
    return f'<!DOCTYPE {root} [<!ENTITY a "ha">{entities}]>'
