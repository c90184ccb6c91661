"""Judges what a message names by the rule of its call: "" when it is in scope, else why not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from conformance.formats.members import CONTAINER, Container, Content, Found, Literal, View
from conformance.guard.ids import Ids, ids_of, numbers_in
from conformance.guard.rules import Member, Rule
from conformance.guard.texts import Token, fold, tokens_in, variants
from conformance.guard.values import Bounds

_RISKY_PARTS = (
    "account", "acct", "order", "quote", "oms", "instrument", "user", "client", "owner", "trader", "uid",
    "guid", "cancel", "all", "every", "scope", "filter", "where",
)  # fmt: skip
_RISKY_ENDS = ("id", "ids")
_PLAIN_TEXT = re.compile(r"[A-Za-z0-9 .,_+:-]*")


def judge(bounds: Bounds, rule: Rule, content: Content) -> str:
    """Why this content must not be sent to this call, "" when it may."""
    if content.refusal and not _all_unlimited(bounds, rule):
        return content.refusal
    for view in content.views:
        if reason := _view(bounds, rule, view):
            return reason
    for text in content.unreadable:
        if reason := _unreadable(bounds, rule, text):
            return reason
    if not rule.unreadable_is_everything:
        for name in dict.fromkeys(content.names):
            if any(one.isdigit() for one in name) and (reason := _tokens(bounds, rule, name)):
                return reason
    return ""


def argument_reason(bounds: Bounds, rule: Rule, name: str, readings: Iterable[str]) -> str:
    """Why a text must not stand in a path as the argument of this name, "" when it may.

    A path with another text there may be that of another call, so it must name one thing in scope, for every reader.
    """
    member = rule.by_fold.get(fold(name))
    if member is None:
        return "" if fold(name) in rule.harmless else f"{name}, in the path, is no member that the scope guard knows"
    found = [Found(member.name, text) for text in readings]
    if bounds.unlimited(member.kind) or all(
        _definite(bounds, member, one) or _is_own(bounds, member, one, ids_of(one.value)) for one in found
    ):
        return ""
    return f"{name}: {_shown(found[0])}, in the path, may be {_outside(member.kind)}, or another call"


def _view(bounds: Bounds, rule: Rule, view: View) -> str:
    for found in dict.fromkeys(view.found):
        if reason := _found(bounds, rule, view, found):
            return reason
    for member in rule.members:
        if not member.everything or bounds.unlimited(member.kind):
            continue
        definite = any(_definite(bounds, member, found) for found in view.top if found.name == member.name)
        if not definite and not _excused(bounds, rule, member, view):
            return f"{member.name} may be read as absent, which may mean every {_thing(member)}"
    return ""


def _found(bounds: Bounds, rule: Rule, view: View, found: Found) -> str:
    name = fold(found.name)
    member = rule.by_fold.get(name)
    if member is not None:
        return _declared(bounds, rule, view, member, found)
    text = _text(found)
    if name in rule.harmless:
        return _hidden(bounds, rule, text)
    if found.value is CONTAINER:
        return ""
    if not name:
        return _hidden(bounds, rule, text) if rule.unreadable_is_everything else _tokens(bounds, rule, text)
    empty = found.value is None and not rule.unreadable_is_everything
    if not empty and (name.endswith(_RISKY_ENDS) or any(part in name for part in _RISKY_PARTS)):
        widens = f"the member {found.name[:60]!a} is not known, and may widen the call"
        return "" if _all_unlimited(bounds, rule) else widens
    return _hidden(bounds, rule, text)


def _declared(bounds: Bounds, rule: Rule, view: View, member: Member, found: Found) -> str:
    if bounds.unlimited(member.kind):
        return _stray(bounds, rule, member, found)
    name = found.name[:60] if found.name.isascii() and found.name.isprintable() else f"{found.name[:60]!a}"
    shown = f"{name}: {_shown(found)}"
    if isinstance(found.value, Container):
        return f"{shown} stands where one {_thing(member)} is named"
    ids = ids_of(found.value)
    if _is_own(bounds, member, found, ids):
        return ""
    if member.kind == "uid" and isinstance(ids.exact, str):
        return f"{shown} is outside scope.uids"
    if ids.opaque:
        return f"{shown} may be read as any {_thing(member)}"
    if reason := _outside_scope(bounds, rule, member, ids):
        return f"{shown} {reason}"
    if member.everything and ids.nothing and not _excused(bounds, rule, member, view):
        return f"{shown} may be read as no {_thing(member)}, which may mean every {_thing(member)}"
    return ""


def _is_own(bounds: Bounds, member: Member, found: Found, ids: Ids) -> bool:
    """Whether every reader sees one thing in the value, and that thing may be touched."""
    if ids.exact is not None and bounds.own(member.kind, ids.exact):
        return True
    if member.kind == "uid" and isinstance(ids.exact, str):
        return bounds.permits("uid", ids.exact)
    return isinstance(found.value, str) and bounds.vouched(found.value.strip().lower())


def _outside_scope(bounds: Bounds, rule: Rule, member: Member, ids: Ids) -> str:
    """The first number or GUID in the value that some reader may see and that is outside the scope; "" for none."""
    kind = "order" if member.kind == "uid" else member.kind
    if kind in rule.kinds and not (member.kind == "uid" and ids.uids):
        for number in sorted(ids.numbers):
            if not bounds.permits(kind, number):
                what = "is" if number == ids.exact else f"may be read as {number}, which is"
                return f"{what} {_outside(kind)}"
    if "uid" in rule.kinds and not all(bounds.permits("uid", uid) for uid in ids.uids):
        return "is outside scope.uids"
    return ""


def _stray(bounds: Bounds, rule: Rule, member: Member, found: Found) -> str:
    """A GUID or a number in the place of the other, where that other is limited."""
    other = {"order": "uid", "uid": "order"}.get(member.kind)
    return _tokens(bounds, rule, _text(found)) if other in rule.kinds else ""


def _definite(bounds: Bounds, member: Member, found: Found) -> bool:
    """Whether every reader that knows the member sees one permitted thing in it."""
    ids = ids_of(found.value)
    if ids.exact is None:
        return False
    if bounds.own(member.kind, ids.exact):
        return True
    return not ids.nothing and all(bounds.permits(member.kind, number) for number in ids.numbers)


def _excused(bounds: Bounds, rule: Rule, member: Member, view: View) -> bool:
    """Whether other members already say which things are meant, each once, plainly, and within the scope."""
    if not member.unless:
        return False
    for name in member.unless:
        other = rule.by_fold[fold(name)]
        places = [found for found in view.found if fold(found.name) == fold(name)]
        top = [found for found in view.top if found.name == other.name]
        if len(places) != 1 or len(top) != 1:
            return False
        exact = ids_of(top[0].value).exact
        if exact is None or not bounds.own(other.kind, exact):
            return False
    return True


def _hidden(bounds: Bounds, rule: Rule, text: str) -> str:
    """Text in which a careless reader may find the members of the call again."""
    if not text:
        return ""
    forms = (text,) if _PLAIN_TEXT.fullmatch(text) else variants(text)
    if forms is None:
        return "a text in the body is escaped too often to tell what it says"
    for form in forms:
        folded = fold(form)
        if any(name in folded for name in rule.by_fold):
            return _unreadable(bounds, rule, text)
    return ""


def _unreadable(bounds: Bounds, rule: Rule, text: str) -> str:
    if rule.unreadable_is_everything:
        for member in rule.members:
            if member.everything and not bounds.unlimited(member.kind):
                return f"text that cannot be read may be taken for a call without {member.name}"
    if "<!DOCTYPE" in text.upper() and not _all_unlimited(bounds, rule):
        return "the body has a DOCTYPE, whose entities may stand for any id"
    return _tokens(bounds, rule, text)


def _tokens(bounds: Bounds, rule: Rule, text: str) -> str:
    """Every number and GUID in the text must be in scope, whatever it may stand for."""
    if _all_unlimited(bounds, rule):
        return ""
    tokens = tokens_in(text)
    if tokens is None:
        return "a text in the body is written in a way that hides its ids"
    return next((reason for token in tokens if (reason := _token(bounds, rule, token))), "")


def _token(bounds: Bounds, rule: Rule, token: Token) -> str:
    if token.text in bounds.granted.harmless_values and fold(token.name) in rule.harmless:
        return ""
    if token.affirms and fold(token.name) not in rule.by_fold:
        return ""
    outside = f"{token.text[:60]!a}, in text that cannot be read, may be an id outside the scope"
    if token.opaque:
        return outside
    numeric = [kind for kind in rule.kinds if kind != "uid"]
    numbers = token.numbers or _numbers_of_uid(rule, token)
    if not all(bounds.permits(kind, number) for kind in numeric for number in numbers):
        return outside
    if "uid" in rule.kinds and not all(bounds.permits("uid", uid) for uid in token.uids):
        return outside
    return ""


def _numbers_of_uid(rule: Rule, token: Token) -> frozenset[int]:
    """The numbers that a GUID may be read as in the place of a number: many readers take the digits that a text begins with."""
    members = (rule.by_fold.get(fold(name)) for name in token.beside)
    return numbers_in(token.text) if any(one is not None and one.kind != "uid" for one in members) else frozenset()


def _all_unlimited(bounds: Bounds, rule: Rule) -> bool:
    return all(bounds.unlimited(kind) for kind in rule.kinds)


def _thing(member: Member) -> str:
    names = {"oms": "Order Management System", "uid": "order by GUID", "client": "order by its client's number"}
    return names.get(member.kind, member.kind)


def _outside(kind: str) -> str:
    if kind == "client":
        return "no order number that this run has given as a client"
    if kind == "user":
        return "a user, whose accounts nobody knows: that takes every account in scope"
    return f"outside scope.{kind if kind == 'oms' else f'{kind}s'}"


def _shown(found: Found) -> str:
    if isinstance(found.value, Container):
        return "a list or an object"
    return f"{found.value[:60]!a}" if isinstance(found.value, str) else _text(found)[:60] or repr(found.value)


def _text(found: Found) -> str:
    """The text of a string or a number, "" for anything else."""
    if isinstance(found.value, str):
        return found.value
    return found.value.text if isinstance(found.value, Literal) else ""
