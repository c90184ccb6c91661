"""The rule that whatever one of JSON Schema and XSD allows, the other allows, shown on generated instances."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conformance.contract.check.agreement import LocatedSchema, Pair, facts_of, pairs_of, structural
from conformance.contract.check.problems import Outcomes, Problem
from conformance.contract.problem_text import shown
from conformance.contract.schemas import DIALECT
from conformance.formats.errors import CodecError
from conformance.formats.xml.xsd import INTEGER_BITS, NUMBERS, Element, ListOf, Record, Scalar
from conformance.model.spec import Contract

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

EXAMPLES = 100
_MOST_ITEMS = 3
_DEEPEST = 12


class _DisagreementError(Exception):
    """An instance that the two contracts judge differently; Hypothesis raises the smallest last."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def instances_agree(contract: Contract) -> Outcomes:
    """A hundred instances of each schema are written and judged by the XSD, and a hundred the other way.

    The instances are the same in every run. Conditions between members, and least lengths, are no matter of form
    and left out; nil for a root or for an item of a class is left to the schema.
    """
    with _no_traces():
        for _, _, pair in pairs_of(contract):
            if isinstance(pair, Problem):
                continue  # the field by field rule reports it
            for direction in (_schema_to_xsd, _xsd_to_schema):
                yield from _hold(pair, direction)


def _hold(pair: Pair, direction: Callable[[Pair, list[int]], Callable[[], None]]) -> Outcomes:
    from hypothesis.errors import HypothesisException

    tried: list[int] = []
    try:
        direction(pair, tried)()
    except HypothesisException as error:
        hint = "Bounds, patterns or required members may leave no value at all."
        yield Problem("instances-agree", pair.where, f"no instance can be made: {error}", hint)
    except _DisagreementError as found:
        hint = "The smallest such instance is shown; decide by the document which contract is wrong."
        yield Problem("instances-agree", pair.where, found.message, hint)
    else:
        yield from (None for _ in tried)


def _schema_to_xsd(pair: Pair, tried: list[int]) -> Callable[[], None]:
    form = _form_validator(pair)

    def check(value: Any) -> None:
        if not form(value):
            return
        tried.append(1)
        try:
            data = pair.xml.encode(value)
            reading = pair.xml.read(data)
        except CodecError as error:
            raise _DisagreementError(f"the schema allows {shown(value)}, which has no XML form: {error}") from None
        if reading.problems:
            raise _DisagreementError(
                f"the schema allows {shown(value)}, the XSD does not: {reading.problems[0].message}"
            )
        if reading.value != value:
            raise _DisagreementError(f"{shown(value)} comes back from XML as {shown(reading.value)}")

    return _bounded(_of_schema(pair, (pair.start,)), check)


def _xsd_to_schema(pair: Pair, tried: list[int]) -> Callable[[], None]:
    form = _form_validator(pair)

    def check(value: Any) -> None:
        tried.append(1)
        reading = pair.xml.read(pair.xml.encode(value))
        if reading.problems:
            message = f"{shown(value)} follows the XSD's types, yet lxml refuses it: {reading.problems[0].message}"
            raise _DisagreementError(message)
        if not form(reading.value):
            raise _DisagreementError(f"the XSD allows {shown(reading.value)}, the schema does not")

    return _bounded(_of_element(pair.xml.root, may_be_nil=False), check)


def _bounded(strategy: SearchStrategy[Any], check: Callable[[Any], None]) -> Callable[[], None]:
    """A run over EXAMPLES values, the same ones every time, without deadline or memory."""
    from hypothesis import HealthCheck, Phase, given, settings

    phases = (Phase.explicit, Phase.generate, Phase.shrink)
    bounds = settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=phases,
        suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    run: Callable[[], None] = bounds(given(strategy)(check))
    return run


def _form_validator(pair: Pair) -> Callable[[Any], bool]:
    import jsonschema_rs

    forms = [(uri, _without(one, pair.beside)) for uri, one in structural(pair.files).items()]
    registry = jsonschema_rs.Registry(forms, draft=jsonschema_rs.Draft202012)
    schema = {"$schema": DIALECT, "$ref": f"{pair.files.start}#"}
    return jsonschema_rs.Draft202012Validator(schema, registry=registry, offline=True).is_valid


def _without(schema: Any, names: frozenset[str]) -> Any:
    """The schema that does not demand these members."""
    if isinstance(schema, list):
        return [_without(one, names) for one in schema]
    if not isinstance(schema, dict) or not names:
        return schema
    found = {key: _without(one, names) for key, one in schema.items()}
    if isinstance(found.get("required"), list):
        found["required"] = [one for one in found["required"] if one not in names]
    return found


def _of_schema(pair: Pair, schemas: tuple[LocatedSchema, ...], depth: int = 0) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    if depth > _DEEPEST:  # a schema that contains itself: no XSD of this kind does
        return st.nothing()
    facts = facts_of(pair.files, schemas)
    if facts.options is not None:
        return st.sampled_from(facts.options)
    if "date-time" in facts.formats:
        return st.datetimes().map(lambda one: one.isoformat()) | (st.none() if facts.nullable else st.nothing())
    choices: list[SearchStrategy[Any]] = []
    for kind in sorted(facts.types):
        if kind == "null":
            choices.append(st.none())
        elif kind == "boolean":
            choices.append(st.booleans())
        elif kind in ("integer", "number"):
            choices.append(st.integers(facts.minimum, facts.maximum))
        elif kind == "string":
            patterns = tuple(re.compile(one) for one in facts.patterns)
            choices.append(_text(patterns, facts.max_length, facts.min_length))
        elif kind == "array":
            item = _of_schema(pair, facts.items, depth + 1)
            choices.append(st.lists(item, max_size=_MOST_ITEMS))
        elif kind == "object":
            beside = frozenset[str]() if depth else pair.beside
            named = {name: schema for name, schema in facts.members.items() if name not in beside}
            members = {name: _of_schema(pair, schema, depth + 1) for name, schema in named.items()}
            always = {name: members.pop(name) for name in sorted(facts.required & members.keys())}
            choices.append(st.fixed_dictionaries(always, optional=members))
    return st.one_of(choices)


def _of_element(element: Element, *, may_be_nil: bool) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    content = element.content
    filled: SearchStrategy[Any]
    if isinstance(content, Record):
        members = {one.name: _of_element(one, may_be_nil=True) for one in content.members}
        always = {one.name: members.pop(one.name) for one in content.members if one.required}
        filled = st.fixed_dictionaries(always, optional=members)
    elif isinstance(content, ListOf):
        item = _of_element(content.item, may_be_nil=isinstance(content.item.content, Scalar))
        most = _MOST_ITEMS if content.maximum is None else min(_MOST_ITEMS, content.maximum)
        filled = st.lists(item, min_size=content.minimum, max_size=max(most, content.minimum))
    else:
        filled = _of_scalar(content)
    return st.none() | filled if element.nillable and may_be_nil else filled


def _of_scalar(scalar: Scalar) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    if scalar.base == "boolean":
        return st.booleans()
    if scalar.base in INTEGER_BITS:
        limit = 1 << (INTEGER_BITS[scalar.base] - 1)
        low = -limit if scalar.minimum is None else max(-limit, scalar.minimum)
        return st.integers(low, limit - 1 if scalar.maximum is None else min(limit - 1, scalar.maximum))
    if scalar.numbers:
        return st.sampled_from(sorted(scalar.numbers.values()))
    if scalar.base == "dateTime":
        return st.datetimes().map(lambda one: one.isoformat())
    if scalar.base in NUMBERS:
        return st.integers(-(10**9), 10**9).map(lambda number: number / 4)
    if scalar.enumeration is not None:
        return st.sampled_from(sorted(scalar.enumeration))
    whole = tuple(re.compile(f"^(?:{one.pattern})$") for one in scalar.patterns)
    return _text(whole, scalar.max_length, scalar.min_length)


def _text(patterns: tuple[re.Pattern[str], ...], longest: int | None, shortest: int = 0) -> SearchStrategy[str]:
    """Text that XML can carry; a last line feed, which `$` lets pass, is cut off."""
    from hypothesis import strategies as st

    if not patterns:
        letters = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
        return st.text(letters.filter(_fits_xml), min_size=shortest, max_size=longest)
    first = st.from_regex(patterns[0]).map(lambda text: text.removesuffix("\n"))
    return first.filter(
        lambda text: (
            all(one.search(text) for one in patterns)
            and shortest <= len(text) <= (len(text) if longest is None else longest)
        )
    )


def _fits_xml(character: str) -> bool:
    return character in "\t\n" or (character >= " " and not "\ufffe" <= character <= "\uffff")


@contextmanager
def _no_traces() -> Iterator[None]:
    """Hypothesis keeps tables of characters on disk: in a folder that goes away, not in the user's."""
    from hypothesis import configuration

    before = configuration.storage_directory(intent_to_write=False).home_directory
    with tempfile.TemporaryDirectory() as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)
