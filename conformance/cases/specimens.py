"""The bodies of named cases with made-up ids in their places, for checks that need bytes and no target."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.cases.build import build_all
from conformance.cases.template import fill_body, is_text, places
from conformance.model.case import Body, Case
from conformance.model.spec import Contract
from conformance.specs.check_model import CaseSet, Specimen

_FIRST_ID = 1001
_LONGEST_LIST = 50


def case_set(contract: Contract) -> CaseSet:
    """The cases that the contract's data gives now, and their bodies."""
    cases = build_all(contract)
    return CaseSet(cases, tuple(specimens(cases)))


def specimens(cases: tuple[Case, ...]) -> Iterator[Specimen]:
    """One for each message of each case; a long list is cut to fifty items, which are all alike."""
    for case in cases:
        sent = [(case.media_type, case.message)]
        sent += [(case.twin.media_type, message) for message in case.twin.messages] if case.twin else []
        for media_type, message in sent:
            form = "xml" if media_type.endswith("xml") else "json"
            yield Specimen(case.id, case.operation, form, _filled(message.body, form))


def _filled(body: Body, form: str) -> bytes:
    if body.repeat is not None and body.repeat.count > _LONGEST_LIST:
        repeat = type(body.repeat)(body.repeat.head, body.repeat.separator, body.repeat.tail, _LONGEST_LIST)
        body = Body(body.text, body.encoding, repeat)
    count = body.repeat.count if body.repeat else 1
    names = dict.fromkeys(
        name.replace("#", str(index)) for name in places(body.text) for index in range(count if "#" in name else 1)
    )
    bindings = {name: _made_up(name, number) for number, name in enumerate(names, _FIRST_ID)}
    return fill_body(body, bindings, form)


def _made_up(name: str, number: int) -> int | str:
    if not is_text(name):
        return number
    return f"{number % 10_000:04d}" if name.lower().endswith("pin") else f"6269c403-5b9f-47dd-b8c3-{number:012d}"
