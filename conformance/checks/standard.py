"""Reads AlphaPoint's standard response object, alone or as the two legs of a pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.checks import answer as forms
from conformance.checks.answer import Answer, Leg
from conformance.checks.kit import MEMBERS, PAIRS, READABLE, SCHEMA, Kit, page_or_trace, repeated_members, shorten
from conformance.checks.registry import Check, Stage
from conformance.contract.operation import RequirementKey
from conformance.contract.problem_text import kind_of, shown
from conformance.contract.schemas import SchemaValidator
from conformance.formats.errors import BeyondError, CodecError, Number
from conformance.formats.json.read import decode_json
from conformance.model.verdict import Finding

LEG_FORM = Check(
    "leg-form",
    "a leg is an object, or a string that holds one",
    Stage.READING,
    (RequirementKey("leg-form", PAIRS),),
    of=PAIRS,
)
_LEG_MEMBERS = frozenset({"result", "errormsg", "errorcode", "detail"})


def read_standard(kit: Kit, value: Any, status: int | None) -> Answer:
    """The answer to a call whose response is one standard object."""
    folded, styles, findings = _fold(kit, value)
    if not isinstance(folded, dict) or not _LEG_MEMBERS & folded.keys():
        return _nothing(kit, value, status)
    readings = _key_case([styles])
    findings.extend(_schema_findings(kit.response, folded, kit.requirement("schema")))
    leg = _leg(folded)
    readings.extend(_leg_readings(kit, folded, leg))
    findings.extend(_traces(kit, folded, ""))
    return Answer(
        forms=frozenset({forms.STANDARD}),
        status=status,
        legs=(leg,),
        value=folded,
        findings=tuple(findings),
        readings=tuple(readings),
        summary=leg.says,
    )


def read_pair(kit: Kit, value: Any, status: int | None) -> Answer:
    """The answer to a call whose response has a leg for bid and one for ask, or is one flat error."""
    folded, styles, findings = _fold(kit, value)
    names = tuple(kit.operation.legs.values())
    if not isinstance(folded, dict) or not folded.keys() & {*names, *_LEG_MEMBERS}:
        return _nothing(kit, value, status)
    if not any(name in folded for name in names):
        return _flat(kit, folded, _key_case([styles]), findings, status)
    levels, readings = [styles], []
    for name in names:
        if isinstance(folded.get(name), str):
            folded[name] = _parsed_leg(kit, name, folded[name], findings)
            readings.append("leg-form=string")
        elif isinstance(folded.get(name), dict):
            readings.append("leg-form=object")
        if isinstance(folded.get(name), dict):
            folded[name], its_styles, its_findings = _fold(kit, folded[name], f"/{name}")
            levels.append(its_styles)
            findings.extend(its_findings)
    readings = [*_key_case(levels), *readings]
    findings.extend(_schema_findings(kit.response, folded, kit.requirement("schema")))
    legs = tuple(_leg(folded.get(name)) for name in names)
    if len({leg.code for leg in legs}) == 1 and legs[0].code not in (0, None):
        readings.append("early-error=pair")
    for name, leg in zip(names, legs, strict=True):
        part = folded.get(name)
        if isinstance(part, dict):
            readings.extend(_leg_readings(kit, part, leg))
            findings.extend(_traces(kit, part, f"/{name}"))
    return Answer(
        forms=frozenset({forms.PAIR}),
        status=status,
        legs=legs,
        value=folded,
        findings=tuple(findings),
        readings=tuple(dict.fromkeys(readings)),
        summary="; ".join(f"{name}: {leg.says}" for name, leg in zip(names, legs, strict=True)),
    )


def _nothing(kit: Kit, value: Any, status: int | None) -> Answer:
    """JSON with not one documented member in it."""
    if isinstance(value, dict):
        found = f"an object with {shorten(', '.join(sorted(value)))}" if value else "an empty object"
    else:
        found = "null" if value is None else f"{kind_of(value)} {shown(value)}"
    message = "the answer is not the documented object"
    finding = READABLE.finding(kit.operation, message, "a standard response object", found, "body")
    return Answer(frozenset(), status, value=value, unreadable=finding, summary=found)


def _flat(kit: Kit, folded: dict[str, Any], readings: list[str], findings: list[Finding], status: int | None) -> Answer:
    assert kit.flat is not None
    findings.extend(_schema_findings(kit.flat, folded, kit.requirement("early-error")))
    leg = _leg(folded)
    readings.extend(("early-error=flat", *_leg_readings(kit, folded, leg)))
    findings.extend(_traces(kit, folded, ""))
    return Answer(
        forms=frozenset({forms.FLAT}),
        status=status,
        legs=(leg,),
        value=folded,
        findings=tuple(findings),
        readings=tuple(readings),
        summary=f"one flat object: {leg.says}",
    )


def _parsed_leg(kit: Kit, name: str, text: str, findings: list[Finding]) -> Any:
    try:
        document = decode_json(text.encode(errors="surrogatepass"))
    except BeyondError:
        raise
    except CodecError as error:
        message = f"{name} is a string that holds no JSON: {error}"
        findings.append(
            LEG_FORM.finding(kit.operation, message, "an object, or a string that holds one", shorten(text), f"/{name}")
        )
        return text
    findings.extend(repeated_members(kit, document.notes, f"/{name}"))
    return document.value


def _fold(kit: Kit, value: Any, at: str = "") -> tuple[Any, tuple[str, ...], list[Finding]]:
    """Members under their documented names: published AlphaPoint documents declare the case of keys unimportant.

    With them, the styles that their names may be written in. `at` is the place of a leg, empty for the whole value.
    """
    if not isinstance(value, dict):
        return value, (), []
    folded: dict[str, Any] = {}
    findings = []
    for name, content in value.items():
        documented = kit.members.get(name.lower(), name)
        if documented in folded:
            message = f"two members differ from {documented} in letter case alone"
            key, place = "leg" if at else "schema", f"{at}/{name}"
            seen = f"{name} as well"
            findings.append(MEMBERS.finding(kit.operation, message, f"one {documented}", seen, place, key=key))
        folded[documented] = content
    return (
        folded,
        _styles([(name, kit.members[name.lower()]) for name in value if name.lower() in kit.members]),
        findings,
    )


def _styles(names: list[tuple[str, str]]) -> tuple[str, ...]:
    """Every style that all these names agree with, each name beside its documented form; `camel` where none fits.

    A single word in lower case is documented, camel and lower at once: alone it does not tell which.
    """
    fitting = {
        "documented": all(name == documented for name, documented in names),
        "camel": all(name[:1].islower() and (name != name.lower() or documented[1:].islower()) for name, documented in names),
        "pascal": all(name[:1].isupper() and (name != name.upper()) for name, _ in names),
        "lower": all(name == name.lower() for name, _ in names),
    }  # fmt: skip
    return tuple(style for style, fits in fitting.items() if fits) or ("camel",)


def _key_case(levels: Sequence[tuple[str, ...]]) -> list[str]:
    """The style of the whole answer, or those between which it does not decide; of levels at odds, that of each."""
    common = [style for style in levels[0] if all(style in styles for styles in levels)]
    return [f"response-key-case={'|'.join(styles)}" for styles in ([common] if common else dict.fromkeys(levels))]


def _leg(value: Any) -> Leg:
    if not isinstance(value, dict):
        return Leg(None, None)
    code, result = value.get("errorcode"), value.get("result")
    if isinstance(code, Number) and code.is_integer():
        code = int(code)
    good_code = code if isinstance(code, int) and not isinstance(code, bool) else None
    return Leg(good_code, result if isinstance(result, bool) else None, bool(value.get("detail")))


def _leg_readings(kit: Kit, value: Mapping[str, Any], leg: Leg) -> Iterator[str]:
    if leg.code == 0 and leg.result:
        if "errormsg" in value:
            yield f"errormsg-on-success={'null' if value['errormsg'] is None else 'empty'}"
        detail = value.get("detail", ...)
        if detail is ... or not detail:
            yield f"detail-on-success={'omitted' if detail is ... else 'null' if detail is None else 'empty'}"
    for reading, texts in kit.operation.reading_texts.items():
        message = value.get("errormsg")
        if isinstance(message, str) and message in texts:
            yield f"{reading}={texts[message]}"


def _traces(kit: Kit, value: Mapping[str, Any], at: str) -> Iterator[Finding]:
    for name, content in value.items():
        if isinstance(content, str):
            yield from page_or_trace(kit, content, f"{at}/{name}")


def _schema_findings(validator: SchemaValidator, value: Any, fallback: str) -> Iterator[Finding]:
    if validator.is_valid(value):
        return
    for problem in validator.problems(value):
        requirement = problem.requirement or fallback
        yield SCHEMA.finding_on(requirement, problem.message, problem.expected, problem.actual, problem.pointer)
