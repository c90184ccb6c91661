"""The forms in which instructions are written, right, odd and broken, and what each must come to.

The error string, nothing done, or done all the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.cases import expect, make, message
from conformance.cases.expect import Ruling
from conformance.cases.families.object.malformed import broken_texts
from conformance.cases.kinds import OTHER, first_kind, members_of_type, naming_member, other_state, undocumented
from conformance.cases.make import Channel, channels
from conformance.errors import SpecError
from conformance.formats.base import Format, Writing
from conformance.formats.json.format import JSON, json_text
from conformance.formats.json.write import JsonStyle
from conformance.formats.xml.contract import XmlContract, XmlStyle
from conformance.formats.xml.format import XML
from conformance.formats.xml.xsd import XSI, ListOf, Record
from conformance.model.case import Alternative, Body, Case, Expectation, StateNeed
from conformance.model.spec import Operation

EMPTY_LISTS = {
    "empty": "no-list",
    "blank": "",
    "null": "no-list",
    "empty-text": "",
    "empty-text-and-more": "",
    "list-nil": "",
}
"""The forms that some readers take for a request without instructions, and the reading that each of them shows."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a request, and the general check that speaks for it (empty: that of malformed requests).

    `kind` is "legal" (it must be carried out), "lenient", "ignored" (nothing may be carried out), "broken" (it cannot
    be read), "items" (some of its items are no instructions), "no-instruction" (a value in its place that is none) or
    "reference" (a character reference that XML forbids).
    """

    name: str
    kind: str
    title: str
    body: Body
    check: str = ""
    items: tuple[bool, ...] = ()
    """Of a form of the kind "items": which of its items are instructions."""
    charset: str = ""
    """What is put behind the content type."""
    reading: str = "unusable-item"
    """Of a form of the kind "items": the reading that it shows."""
    canary: StateNeed | None = None
    """What the body names as a place, which nobody may open."""


def forms_of(operation: Operation, channel: Channel) -> Iterator[Form]:
    """Every form of the operation's legal request: those written out here, else those that the format knows."""
    written_out = _WRITTEN_OUT.get(channel.format)
    yield from written_out(operation) if written_out is not None else _wire_forms(operation, channel)


def _wire_forms(operation: Operation, channel: Channel) -> Iterator[Form]:
    writing = Writing(operation.valid, message.codec_of(operation, channel.format))
    for form in channel.format.forms:
        body = form.write(writing)
        if body is not None:
            kind = form.standing if form.sure else "lenient"
            yield Form(form.name, kind, form.title, body, charset=form.charset)


def json_forms(operation: Operation) -> Iterator[Form]:
    """Every form of the operation's legal request."""
    good = json_text(operation.valid)
    for broken in broken_texts(good):
        legal = broken.name in ("white-space",)
        kind = "legal" if legal else "lenient" if broken.lenient or broken.name in EMPTY_LISTS else "broken"
        if not operation.shape.listed and broken.name in _NO_INSTRUCTION:
            kind = "no-instruction"
        yield Form(broken.name, kind, broken.title, Body(broken.text, broken.encoding))
    yield Form("empty-text", "lenient", "an empty text", Body('""'))
    yield Form("empty-text-and-more", "lenient", "an empty text and something behind it", Body('"" x'))
    yield from _json_lists(good) if operation.shape.listed else _json_objects(good)
    yield from _json_styles(operation, good)


_NO_INSTRUCTION = ("number", "word", "true", "deep", "deep-objects")
"""Values that JSON has and that are no instructions: where a list is asked for, they are none either.

A reader that goes as deep as the last two finds an object, or a list, without a member that it knows.
"""


def _json_objects(good: str) -> Iterator[Form]:
    """What stands where one instruction belongs."""
    yield Form("in-list", "no-instruction", "the instruction inside a list", Body(f"[{good}]"))
    yield Form("empty-list", "no-instruction", "an empty list", Body("[]"))
    yield Form("empty-object", "no-instruction", "an object without members", Body("{}"))
    wrapped = Body(f'{{"instruction":{good}}}')
    yield Form("wrapped", "no-instruction", "the instruction inside another object", wrapped)


def _json_lists(good: str) -> Iterator[Form]:
    """What stands where a list belongs, and lists of something else than instructions."""
    item = good[1:-1]
    yield Form("object", "broken", "one instruction without its list", Body(item))
    yield Form("empty-object", "broken", "an object without members", Body("{}"))
    for name, title, text, items in (
        ("list-of-numbers", "a list of numbers", "[1,2]", (False, False)),
        ("list-of-text", "a list of strings", '["a"]', (False,)),
        ("list-of-null", "a list of one null", "[null]", (False,)),
        ("list-in-list", "a list inside a list", f"[{good}]", (False,)),
        ("list-with-null", "a list with null behind the instruction", f"[{item},null]", (True, False)),
        ("list-with-null-first", "a list with null before the instruction", f"[null,{item}]", (False, True)),
        ("list-with-number", "a list with a number behind the instruction", f"[{item},7]", (True, False)),
        ("list-with-text", "a list with a string behind the instruction", f'[{item},"a"]', (True, False)),
        ("list-with-flag", "a list with a boolean behind the instruction", f"[{item},true]", (True, False)),
        ("list-with-list", "a list with an empty list behind the instruction", f"[{item},[]]", (True, False)),
    ):
        reading = "null-item" if "null" in name else "unusable-item"
        yield Form(name, "items", title, Body(text), items=items, reading=reading)
    yield Form("wrapped", "broken", "the list inside an object", Body(f'{{"instructions":{good}}}'))


def _json_styles(operation: Operation, good: str) -> Iterator[Form]:
    """Members in another order or letter case, left out where they are null, and keys written otherwise."""
    kind = first_kind(operation)
    named, plain = naming_member(kind, operation), kind.item

    def of(item: Mapping[str, Any]) -> Body:
        return Body(json_text(operation.shape.request([item])))

    yield Form("members-reversed", "legal", "members in another order", of(dict(reversed(list(plain.items())))))
    yield Form(
        "indented",
        "legal",
        "indented over several lines",
        Body(json_text(operation.valid, JsonStyle(indent="  ", key_separator=" : "))),
    )
    yield Form(
        "escaped-keys",
        "legal",
        "keys written with escapes",
        Body(good.replace(named, f"\\u{ord(named[0]):04x}{named[1:]}", 1)),
    )
    yield Form(
        "nulls-left-out", "legal", "null members left out", of({k: v for k, v in plain.items() if v is not None})
    )
    yield Form("keys-lower-case", "lenient", "keys in lower case", of({k.lower(): v for k, v in plain.items()}))
    yield Form(
        "keys-camel-case", "lenient", "keys in camel case", of({k[0].lower() + k[1:]: v for k, v in plain.items()})
    )


ROOT, NAMESPACE, ITEM, ORDER, NIL = (f"request-xml-{part}" for part in ("root", "namespace", "item", "order", "nil"))


@dataclass(frozen=True, slots=True)
class Written:
    """The operation's legal request as XML, and the names in it that the forms play with; no `item` where it is no list.

    `named` names the thing, `first` stands first; `text` and `flag` are a text and a boolean, empty where the request
    has none; `here` and `content` are what stands in `named` and in `text`.
    """

    contract: XmlContract
    value: Any
    good: str
    item: str
    named: str
    here: str
    first: str
    text: str
    content: str
    flag: str

    @property
    def root(self) -> str:
        """The name of the root element."""
        return self.contract.root.name

    @property
    def namespace(self) -> str:
        """The namespace of the root element."""
        return self.contract.root.namespace

    def styled(self, **style: Any) -> Body:
        """The request in another style."""
        return Body(self.contract.encode(self.value, XmlStyle(**style)).decode("utf-8"))

    def changed(self, before: str, after: str) -> Body:
        """The request with one text in the place of another."""
        return Body(self.good.replace(before, after))


def xml_forms(operation: Operation) -> Iterator[Form]:
    """Every form of the operation's legal request; those on a text or a boolean where it has one."""
    written = _written(operation)
    yield from _legal(written)
    yield from _odd(written, operation)
    yield from _misnamed(written, operation)
    yield from _broken(written)
    yield from _entities(written)
    yield from _places(written)


def _written(operation: Operation) -> Written:
    contract = message.xml_contract(operation)
    kind = first_kind(operation)
    item, record = _instruction(operation, contract)
    named = naming_member(kind, operation)
    text = next(members_of_type(operation, "string"), "")
    return Written(
        contract,
        operation.valid,
        contract.encode(operation.valid).decode("utf-8"),
        item,
        named,
        str(kind.item[named]),
        next(one.name for one in record.members if kind.item.get(one.name) is not None),
        text,
        str(kind.item[text]) if text else "",
        next(members_of_type(operation, "boolean"), ""),
    )


def _instruction(operation: Operation, contract: XmlContract) -> tuple[str, Record]:
    """The element of an instruction in a list, empty where the root is the instruction; and its members."""
    content = contract.root.content
    if not operation.shape.listed and isinstance(content, Record):
        return "", content
    if operation.shape.listed and isinstance(content, ListOf) and isinstance(content.item.content, Record):
        return content.item.name, content.item.content
    asked, hint = "instruction", "members"
    if operation.shape.listed:
        asked, hint = "list of instructions", "one repeated element, which is a sequence of members"
    hint = f"A root element whose type is a sequence of {hint}."
    raise SpecError(f"the XSD of the request is no {asked}", where=str(contract.path), hint=hint)


def _legal(written: Written) -> Iterator[Form]:
    yield Form("prefix", "legal", "a prefix for every element", written.styled(prefix="c"), NAMESPACE)
    yield Form("nil-prefix", "legal", "another prefix for nil", written.styled(nil_prefix="xsi"), NIL)
    yield Form("nil-one", "legal", "nil written as 1", written.styled(nil="1"), NIL)
    yield Form("nulls-left-out", "legal", "null elements left out", written.styled(nulls="absent"), NIL)
    yield Form("declaration", "legal", "with an XML declaration", written.styled(declaration=True))
    commented = written.changed(f"<{written.first}>", f"<!-- who --><{written.first}>")
    yield Form("comment", "legal", "with comments", commented)
    yield Form("indented", "legal", "indented over several lines", written.styled(indent="  "))
    if written.text:
        cdata = written.changed(written.content, f"<![CDATA[{written.content}]]>")
        yield Form("cdata", "legal", "text as CDATA", cdata)
    if written.flag:
        yield Form("character-reference", "legal", "a character reference", written.changed("false", "&#102;alse"))
    yield Form("pairs-of-tags", "legal", "nil elements as a pair of tags", written.styled(empty="pair"), NIL)
    yield Form("order-alphabetical", "legal", "elements in alphabetical order", Body(written.good), ORDER)


def _odd(written: Written, operation: Operation) -> Iterator[Form]:
    good, text = written.good, written.text or written.named
    nil = f'<{written.root} xmlns:i="{XSI}" i:nil="true" xmlns="{written.namespace}" />'
    note = undocumented(operation, "Note")
    yield Form("empty", "lenient", "nothing at all", Body(""))
    yield Form("blank", "lenient", "white space alone", Body(" \n\t "))
    if written.item:
        yield Form("list-nil", "lenient", "a list that is nil", Body(nil))
        end = f"</{written.root}>"
        without = written.changed(end, f'<{written.item} i:nil="true" />{end}')
        behind, items = "a nil item behind the instruction", (True, False)
        yield Form("item-nil", "items", behind, without, items=items, reading="null-item")
    else:
        yield Form("root-nil", "no-instruction", "an instruction that is nil", Body(nil))
    yield Form("bom", "lenient", "behind a byte order mark", Body("\ufeff" + good))
    yield Form("utf-16", "lenient", "in UTF-16 with its charset named", Body(good, "utf-16"))
    yield Form("utf-16-unnamed", "lenient", "in UTF-16 little endian without saying so", Body(good, "utf-16-le"))
    latin = Body('<?xml version="1.0" encoding="iso-8859-1"?>' + good, "latin-1")
    yield Form("latin-1-declared", "lenient", "declared as ISO-8859-1", latin)
    yield Form("order-reversed", "lenient", "elements against the alphabet", written.styled(order="reversed"), ORDER)
    yield Form(
        "order-as-in-table", "lenient", "elements in the order of the table", written.styled(order="given"), ORDER
    )
    element = written.changed(f"<{text}>", f"<{note}>x</{note}><{text}>")
    yield Form("unknown-element", "lenient", "an element that the document does not name", element)
    attribute = written.changed(f"<{text}>", f'<{text} note="x">')
    yield Form("unknown-attribute", "lenient", "an attribute that the document does not name", attribute)
    instruction = Body("<?note x?>" + good)
    yield Form("processing-instruction", "lenient", "a processing instruction", instruction)
    yield Form("xml-1-1", "lenient", "declared as XML 1.1", Body('<?xml version="1.1"?>' + good))
    utf16 = Body('<?xml version="1.0" encoding="utf-16"?>' + good)
    yield Form("wrong-encoding", "lenient", "declared as UTF-16 but written in UTF-8", utf16)
    if written.flag:
        false = f"<{written.flag}>false</{written.flag}>"
        yield Form(
            "nil-boolean",
            "lenient",
            "nil on the boolean",
            written.changed(false, f'<{written.flag} i:nil="true" />'),
            NIL,
        )
    filled = written.changed(f"<{written.named}>", f'<{written.named} i:nil="true">')
    yield Form("nil-with-content", "lenient", "nil on an element with content", filled, NIL)


def _misnamed(written: Written, operation: Operation) -> Iterator[Form]:
    """Roots, items and members of another name, or in another namespace."""
    root, item, namespace, named = written.root, written.item, written.namespace, written.named
    answer = message.xml_contract(operation, "response").root.namespace
    stray = "Cancellations" if root != "Cancellations" else "Others"
    yield Form("wrong-root", "broken", "another root element", written.styled(rename=((root, stray),)), ROOT)
    if item:
        one = written.good.replace(f"{root} ", f"{item} ").replace(f"/{root}>", f"/{item}>").replace(f"<{item}><", "<")
        one = one.replace(f"</{item}></{item}>", f"</{item}>")
        yield Form("root-of-one", "broken", "an instruction as root", Body(one), ROOT)
    else:
        several = f'<ArrayOf{root} xmlns="{namespace}">{written.good}</ArrayOf{root}>'
        yield Form("root-of-list", "broken", "the instruction inside a list", Body(several), ROOT)
    if root.lower() != root:
        lower = written.styled(rename=((root, root.lower()),))
        yield Form("root-lower-case", "broken", "the root element in lower case", lower, ROOT)
    other = written.styled(renamespace=((namespace, "urn:other"),))
    yield Form("wrong-namespace", "broken", "another namespace", other, NAMESPACE)
    if namespace:
        bare = written.changed(f' xmlns="{namespace}"', "")
        yield Form("no-namespace", "broken", "no namespace", bare, NAMESPACE)
    if answer != namespace:
        answers = written.styled(renamespace=((namespace, answer),))
        yield Form("response-namespace", "broken", "the namespace of the answer", answers, NAMESPACE)
    if item:
        wrong = written.styled(rename=((item, "Cancellation" if item != "Cancellation" else "Other"),))
        yield Form("wrong-item", "ignored", "items of another name", wrong, ITEM)
    if named.lower() != named:
        small = written.styled(rename=((named, named.lower()),))
        yield Form("member-lower-case", "lenient", "a member in lower case", small, ITEM)
    elsewhere = written.styled(renamespace=((named, "urn:other"),))
    yield Form("member-namespace", "lenient", "a member in another namespace", elsewhere, NAMESPACE)


def _broken(written: Written) -> Iterator[Form]:
    good, text = written.good, written.text or written.named
    content = written.content or written.here
    other = text.capitalize() if text.capitalize() != text else text.lower()
    prefixed = good.replace(f"<{text}>", f"<q:{text}>").replace(f"</{text}>", f"</q:{text}>")
    bad_bytes = Body(good.replace(content, "\xff\xfe"), "latin-1")
    yield Form("cut-off", "broken", "cut off before its end", Body(good[:-3]))
    yield Form("cut-in-element", "broken", "cut off in the middle", Body(good[: len(good) // 2]))
    yield Form("tag-mismatch", "broken", "tags that do not match", written.changed(f"</{text}>", f"</{other}>"))
    yield Form("two-roots", "broken", "two documents", Body(good + good))
    yield Form("text-only", "broken", "text without an element", Body("cancel everything"))
    yield Form("json", "broken", "JSON under the content type of XML", Body(json_text(written.value)))
    yield Form("undeclared-prefix", "lenient", "a prefix that nothing declares", Body(prefixed))
    yield Form("undeclared-entity", "broken", "an entity that nothing declares", written.changed(content, "&pin;"))
    yield Form("bare-ampersand", "broken", "a bare ampersand", written.changed(content, "a & b"))
    forbidden = written.changed(content, "&#1;")
    yield Form("control-character", "reference", "a character reference that XML 1.0 forbids", forbidden)
    yield Form("raw-control-character", "broken", "a control character as it is", written.changed(content, "\x01"))
    yield Form("bad-utf8", "broken", "a byte that UTF-8 does not have", bad_bytes)
    yield Form("deep", "broken", "nested two thousand levels deep", Body("<a>" * 2000 + "</a>" * 2000))


def _entities(written: Written) -> Iterator[Form]:
    """Document types, and entities that stand for a thing, a file, or far too much."""
    root, good = written.root, written.good
    content = written.content or written.here
    own = f'<!DOCTYPE {root} [<!ENTITY o "{written.here}">]>' + good.replace(written.here, "&o;")
    yield Form("doctype", "lenient", "a document type declaration", Body(f"<!DOCTYPE {root}>" + good))
    yield Form("internal-entity", "lenient", "an entity of its own that holds the order", Body(own))
    declares = f"<!ENTITY % p \"<!ENTITY o '{written.here}'>\">%p;"
    nested = f"<!DOCTYPE {root} [{declares}]>" + good.replace(written.here, "&o;")
    yield Form(
        "parameter-entity", "lenient", "a parameter entity that declares one which holds the order", Body(nested)
    )
    bomb = Body(_bomb(root) + good.replace(content, "&j;"))
    yield Form("entity-bomb", "lenient", "entities that grow a thousand million times", bomb)


NOTHING_OPENED = "nothing-opened"
"""The key of `attribution` that speaks for a body that names a place."""
CANARY_ADDRESS, CANARY_FILE = "canary-address", "canary-file"
"""The states that have such a place."""
HOLDS = "holds"
"""The parameter of a file with what it holds; without it, it holds a word of its own."""
_CANARY = "canary"
_PLACE = f"${{{_CANARY}}}"


def _places(written: Written) -> Iterator[Form]:
    """Bodies that name an address or a file: entities, the rest of a document type, and a hint at a schema."""
    root, good, here = written.root, written.good, written.here
    address, word, value = (
        StateNeed(CANARY_ADDRESS),
        StateNeed(CANARY_FILE),
        StateNeed(CANARY_FILE, {HOLDS: here}),
    )
    for name, title, declared, body, canary in (
        ("external-entity", "an entity that points to a file", f'<!ENTITY o SYSTEM "{_PLACE}">', "&o;", word),
        ("external-entity-id", "an entity that points to a file with the id", f'<!ENTITY o SYSTEM "{_PLACE}">', "&o;", value),
        ("external-entity-address", "an entity that points to an address", f'<!ENTITY o SYSTEM "{_PLACE}">', "&o;", address),
        ("external-parameter-entity", "a parameter entity that points to an address", f'<!ENTITY % p SYSTEM "{_PLACE}">%p;', here, address),
    ):  # fmt: skip
        text = f"<!DOCTYPE {root} [{declared}]>" + good.replace(here, body)
        kind = "ignored" if body != here else "lenient"
        yield Form(name, kind, title, Body(text), NOTHING_OPENED, canary=canary)
    subset = Body(f'<!DOCTYPE {root} SYSTEM "{_PLACE}">{good}')
    title = "a document type that is at an address"
    yield Form("external-subset", "lenient", title, subset, NOTHING_OPENED, canary=address)
    hint = f' xmlns:xsi="{XSI}" xsi:schemaLocation="{written.namespace} {_PLACE}"'
    located = Body(good.replace(f"<{root}", f"<{root}{hint}", 1))
    yield Form("schema-location", "legal", "a hint at a schema at an address", located, NOTHING_OPENED, canary=address)


def _bomb(root: str) -> str:
    letters = "abcdefghij"
    entities = "".join(f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in itertools.pairwise(letters))
    return f'<!DOCTYPE {root} [<!ENTITY a "ha">{entities}]>'


_WRITTEN_OUT: Mapping[Format, Callable[[Operation], Iterator[Form]]] = {JSON: json_forms, XML: xml_forms}


def malformed_list_cases(operation: Operation) -> Iterator[Case]:
    """Every broken and odd form of the request in every media type, if the operation has its requirement."""
    for channel in channels(operation):
        for form in forms_of(operation, channel):
            if not form.check or form.check in operation.attribution:
                yield _case(operation, channel, form)


def _case(operation: Operation, channel: Channel, form: Form) -> Case:
    requirement = operation.attribution[form.check or "malformed"]
    also = [operation.attribution["bad-input"]] if form.kind == "broken" else []
    code = "error-string" if form.name == "cut-off" and _has_code(operation) else None
    if form.name == "cut-off":
        also.extend((operation.attribution["error-string"], operation.error_media[channel.format.name]))
        also.extend(operation.attribution[check] for check in ("error-status",) if check in operation.attribution)
    kind = first_kind(operation)
    canary = {} if form.canary is None else {_CANARY: form.canary}
    right = _expectation(operation, requirement, form, kind.thing)
    expectation = expect.or_too_long(right, form.body, (kind.thing, OTHER))
    if canary:
        expectation = _unopened(expectation, requirement)
    return make.case(
        operation,
        channel,
        f"forms/{form.name}",
        f"Body: {form.title}",
        also,
        make.message(
            operation, channel, form.body, headers=make.headers_of(channel, form.charset) if form.charset else None
        ),
        expectation,
        states={kind.thing: kind.need, **other_state(operation), **canary},
        code=code,
        accept=channel.media_type,
    )


def _unopened(right: Expectation, requirement: str) -> Expectation:
    """The same, and the place that the body names is left alone."""
    every = tuple(replace(one, untouched=(*one.untouched, _CANARY)) for one in right.any_of)
    return replace(right, any_of=every, outside=requirement)


def _has_code(operation: Operation) -> bool:
    """Whether the operation's table of codes has the error string as a row of its own."""
    return any(row.code == "error-string" for row in operation.codes)


def _expectation(operation: Operation, requirement: str, form: Form, thing: str) -> Expectation:
    effect, both = operation.attribution["effect"], (thing, OTHER)
    if form.kind == "legal":
        success = expect.done(operation, requirement, (thing,))
        kept = tuple(Alternative(one.wanted, one.cancelled, (OTHER,)) for one in success.any_of)
        return Expectation(requirement, kept, effect=success.effect, outside=effect)
    if form.kind == "no-instruction" or (form.name in EMPTY_LISTS and not operation.shape.listed):
        return expect.failed_or_refused(operation, requirement, both)
    if form.name in EMPTY_LISTS:
        reading = EMPTY_LISTS[form.name]
        right = tuple(
            Alternative(
                answer,
                untouched=both,
                readings=(f"{reading}={name}",) if reading else (),
                because=() if reading else (Ruling.NO_LIST,),
            )
            for name, answer in (("empty-result", {"results": []}), ("refused", {"form": "refused"}))
        )
        return Expectation(requirement, right, effect=effect)
    if form.kind == "items":
        return expect.unusable_items(operation, requirement, form.items, thing, OTHER, form.reading)
    if form.kind == "broken":
        return expect.refused(operation, requirement, both)
    if form.kind == "reference":
        return expect.forbidden_reference(operation, requirement, thing, OTHER)
    because = (Ruling.LENIENT_READER,)
    every = expect.nothing_else(operation, requirement, (thing,), (OTHER,), because)
    if form.body.encoding != "utf-8" or form.charset or "encoding" in form.name:  # the framework may refuse a charset
        charset = Alternative({"form": "framework"}, untouched=both, because=because)
        every = replace(every, any_of=(*every.any_of, charset))
    if form.kind != "ignored":
        return every
    return Expectation(requirement, every.any_of[1:], effect=every.effect, outside=every.outside)
