"""Cases as plain JSON data and back, without loss: what a fixture file holds.

JSON text of a fixture file: readable, one small value a line, and the same bytes on every machine.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from conformance.errors import SpecError
from conformance.model.case import (
    Alternative,
    Beside,
    Body,
    Case,
    Expectation,
    Message,
    OwnSession,
    RaceSession,
    RaceStep,
    Repeat,
    StateNeed,
    Transport,
    Twin,
)

_LONG = 400
_PLAIN = asdict(OwnSession())
_RUN = re.compile("([^\ud800-\udfff]{1,16}?)\\1{49,}")
_SPLIT_PAIR = re.compile("(?<=[\ud800-\udbff])(?=[\udc00-\udfff])")


def to_data(case: Case) -> dict[str, Any]:
    """The case as JSON data; members at their default are left out.

    Text is a string, or a list of segments that join: strings, and `{"run": [text, times]}` for what repeats. A body
    of bytes is `{"base64": …}`.
    A state is written as in `scenarios.yaml`, its parameters beside its name.
    """
    data: dict[str, Any] = {
        "id": case.id,
        "operation": case.operation,
        "title": case.title,
        "requirements": list(case.requirements),
        "role": case.role,
        "transport": case.transport,
        "media_type": case.media_type,
        **({"edition": case.edition} if case.edition else {}),
        **({"rows": list(case.rows)} if case.rows else {}),
        "message": _message_data(case.message),
        "expect": _expect_data(case.expect),
    }
    if case.states:
        data["states"] = {name: {"state": need.state, **need.params} for name, need in case.states.items()}
    if case.before:
        data["before"] = [_message_data(one) for one in case.before]
    if case.before_role:
        data["before_role"] = case.before_role
    if case.together != 1:
        data["together"] = case.together
    if case.later:
        data["later"] = True
    data |= _sessions_data(case)
    if case.lane != "shared":
        data["lane"] = case.lane
    if case.tier != "named":
        data["tier"] = case.tier
    for name in ("code", "provoke", "accept"):
        value = getattr(case, name)
        if value is not None:
            data[name] = value
    if case.twin is not None:
        data["twin"] = _twin_data(case.twin)
    return data


def from_data(data: Mapping[str, Any]) -> Case:
    """The case that `to_data` wrote; `SpecError` names the case and the member that is missing or unknown."""
    try:
        return _case(dict(data))
    except KeyError as error:
        raise _unusable(data, f"member {error.args[0]!r} is missing") from None
    except (TypeError, AttributeError, ValueError) as error:
        raise _unusable(data, f"{error}") from None


def _unusable(data: object, why: str) -> SpecError:
    name = data.get("id", "a case") if isinstance(data, Mapping) else "a case"
    return SpecError(f"{name}: {why}", hint="Run `conformance fixtures build` to write the fixtures again.")


def _case(rest: dict[str, Any]) -> Case:
    take = rest.pop
    case = Case(
        id=take("id"),
        operation=take("operation"),
        title=take("title"),
        requirements=tuple(take("requirements")),
        role=take("role"),
        transport=Transport(take("transport")),
        media_type=take("media_type"),
        message=_message(take("message")),
        expect=_expectation(take("expect")),
        states={name: _state(need) for name, need in take("states", {}).items()},
        before=tuple([_message(one) for one in take("before", ())]),
        before_role=take("before_role", ""),
        together=take("together", 1),
        later=take("later", False),
        session=_session(take("session", None)),
        beside=tuple([Beside(_message(one["message"]), _expectation(one["expect"])) for one in take("beside", ())]),
        race=tuple([_race(dict(one)) for one in take("race", ())]),
        lane=take("lane", "shared"),
        code=take("code", None),
        provoke=take("provoke", None),
        tier=take("tier", "named"),
        accept=take("accept", None),
        twin=_twin(take("twin", None)),
        edition=take("edition", ""),
        rows=tuple(take("rows", ())),
    )
    if rest:
        raise ValueError(f"unknown member {sorted(rest)[0]!r}")
    return case


def _sessions_data(case: Case) -> dict[str, Any]:
    """The session that it has to itself, and what is under way beside its message."""
    data: dict[str, Any] = {}
    if case.session is not None:
        data["session"] = {
            name: value for name in OwnSession.__slots__ if (value := getattr(case.session, name)) != _PLAIN[name]
        }
    if case.beside:
        data["beside"] = [
            {"message": _message_data(one.message), "expect": _expect_data(one.expect)} for one in case.beside
        ]
    if case.race:
        data["race"] = [_race_data(one) for one in case.race]
    return data


def _race_data(session: RaceSession) -> dict[str, Any]:
    steps = []
    for step in session.steps:
        data: dict[str, Any] = {"does": step.does}
        if step.things:
            data["things"] = list(step.things)
        if step.message is not None:
            data["message"] = _message_data(step.message)
        if step.expect is not None:
            data["expect"] = _expect_data(step.expect)
        steps.append(data)
    return {"role": session.role, "transport": session.transport, "media_type": session.media_type, "steps": steps}


def _race(rest: dict[str, Any]) -> RaceSession:
    steps = tuple(
        RaceStep(
            step["does"],
            tuple(step.get("things", ())),
            _message(step["message"]) if "message" in step else None,
            _expectation(step["expect"]) if "expect" in step else None,
        )
        for step in rest.pop("steps")
    )
    return RaceSession(transport=Transport(rest.pop("transport")), steps=steps, **rest)


def _twin_data(twin: Twin) -> dict[str, Any]:
    data: dict[str, Any] = {
        "relation": twin.relation,
        "requirement": twin.requirement,
        "transport": twin.transport,
        "media_type": twin.media_type,
        "messages": [_message_data(one) for one in twin.messages],
    }
    if twin.role:
        data["role"] = twin.role
    if twin.accept is not None:
        data["accept"] = twin.accept
    if twin.order:
        data["order"] = list(twin.order)
    return data


def _twin(data: Mapping[str, Any] | None) -> Twin | None:
    if data is None:
        return None
    return Twin(
        data["relation"],
        data["requirement"],
        Transport(data["transport"]),
        data["media_type"],
        tuple([_message(one) for one in data["messages"]]),
        data.get("role", ""),
        data.get("accept"),
        tuple(data.get("order", ())),
    )


def _session(data: Mapping[str, Any] | None) -> OwnSession | None:
    if data is None:
        return None
    over = data.get("over")
    return OwnSession(**{**data, "over": None if over is None else Transport(over)})


def _message_data(message: Message) -> dict[str, Any]:
    data: dict[str, Any] = {"body": _body_data(message.body)}
    if message.method != "POST":
        data["method"] = message.method
    if message.path:
        data["path"] = message.path
    if message.headers:
        data["headers"] = [list(pair) for pair in message.headers]
    if message.spelling:
        data["spelling"] = message.spelling
    if message.frame is not None:
        data["frame"] = text_data(message.frame)
    return data


def _message(data: Mapping[str, Any]) -> Message:
    frame = data.get("frame")
    return Message(
        _body(data["body"]),
        data.get("method", "POST"),
        data.get("path", ""),
        tuple([(name, value) for name, value in data.get("headers", ())]),
        data.get("spelling", ""),
        None if frame is None else text_of(frame),
    )


def _body_data(body: Body) -> Any:
    if body.data is not None:
        return {"base64": b64encode(body.data).decode("ascii")}
    text = text_data(body.text)
    if body.encoding == "utf-8" and body.repeat is None:
        return text
    data: dict[str, Any] = {"text": text}
    if body.encoding != "utf-8":
        data["encoding"] = body.encoding
    if body.repeat is not None:
        repeat = body.repeat
        data["repeat"] = {
            "head": text_data(repeat.head),
            "separator": text_data(repeat.separator),
            "tail": text_data(repeat.tail),
            "count": repeat.count,
        }
    return data


def _body(data: Any) -> Body:
    if not isinstance(data, Mapping):
        return Body(text_of(data))
    if "base64" in data:
        return Body(data=b64decode(data["base64"], validate=True))
    repeat = data.get("repeat")
    return Body(
        text_of(data["text"]),
        data.get("encoding", "utf-8"),
        None
        if repeat is None
        else Repeat(text_of(repeat["head"]), text_of(repeat["separator"]), text_of(repeat["tail"]), repeat["count"]),
    )


def text_data(text: str) -> Any:
    """The text itself, or its segments where it is long and repeats, or holds a split surrogate pair."""
    segments: list[Any] = []
    end = 0
    for match in _RUN.finditer(text) if len(text) > _LONG else ():
        unit, length = match.group(1), len(match.group())
        segments.extend(_whole(text[end : match.start()]))
        segments.append({"run": [unit, length // len(unit)]})
        end = match.end()
    segments.extend(_whole(text[end:]))
    if not segments:
        return ""
    return segments[0] if len(segments) == 1 and isinstance(segments[0], str) else segments


def _whole(text: str) -> list[str]:
    """Cut between two escapes that a JSON reader would join to one character."""
    return [part for part in _SPLIT_PAIR.split(text) if part]


def text_of(data: Any) -> str:
    """The text that `text_data` wrote; `ValueError` for anything else."""
    if isinstance(data, str):
        return data
    if not isinstance(data, list):
        raise ValueError(f"text must be a string or a list of segments, not {type(data).__name__}")
    return "".join([part if isinstance(part, str) else _run(part) for part in data])


def _run(part: Any) -> str:
    unit, times = part["run"]
    if not isinstance(unit, str) or not isinstance(times, int):
        raise ValueError(f"a run is [text, times], not {part['run']!r}")
    return unit * times


def _expect_data(expect: Expectation) -> dict[str, Any]:
    data: dict[str, Any] = {"requirement": expect.requirement}
    for name in ("effect", "outside"):
        if getattr(expect, name):
            data[name] = getattr(expect, name)
    data["any_of"] = [_alternative_data(one) for one in expect.any_of]
    return data


def _expectation(data: Mapping[str, Any]) -> Expectation:
    return Expectation(
        data["requirement"],
        tuple([_alternative(one) for one in data["any_of"]]),
        data.get("effect", ""),
        data.get("outside", ""),
    )


def _alternative_data(one: Alternative) -> dict[str, Any]:
    data: dict[str, Any] = {"answer": dict(one.wanted)}
    for name in ("cancelled", "untouched", "readings", "because"):
        if getattr(one, name):
            data[name] = list(getattr(one, name))
    return data


def _alternative(data: Mapping[str, Any]) -> Alternative:
    get: Callable[..., Any] = data.get
    return Alternative(
        data["answer"],
        tuple(get("cancelled", ())),
        tuple(get("untouched", ())),
        tuple(get("readings", ())),
        tuple(get("because", ())),
    )


def _state(data: Mapping[str, Any]) -> StateNeed:
    params = dict(data)
    return StateNeed(params.pop("state"), params)


_UNSEEN = re.compile("[\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ud800-\udfff]")
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "))
_CANONICAL = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


def fixture_text(value: Any, width: int = 110) -> str:
    """Indented by one space a level; from the third level on, what fits into `width` columns takes one line.

    Ends in a line feed. Characters that an eye cannot see, and halves of surrogate pairs, are escaped.
    """
    parts: list[str] = []
    _write(value, 0, 0, width, parts)
    parts.append("\n")
    return _UNSEEN.sub(_escape, "".join(parts))


def canonical_text(value: Any) -> str:
    """One line of ASCII without spaces, members in the order given: what a digest is taken of."""
    return _CANONICAL.encode(value)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


def _write(value: Any, level: int, before: int, width: int, parts: list[str]) -> None:
    text = _COMPACT.encode(value)
    if not isinstance(value, (Mapping, list)) or not value or (level > 1 and level + before + len(text) <= width):
        parts.append(text)
        return
    opening, closing = "{}" if isinstance(value, Mapping) else "[]"
    items = value.items() if isinstance(value, Mapping) else ((None, item) for item in value)
    lead = opening
    for key, item in items:
        label = "" if key is None else f"{_COMPACT.encode(key)}: "
        parts.append(f"{lead}\n{' ' * (level + 1)}{label}")
        _write(item, level + 1, len(label), width, parts)
        lead = ","
    parts.append(f"\n{' ' * level}{closing}")
