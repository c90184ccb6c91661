"""Violations of POST api/orders/cancellations: the shape of the list and the types of a result's members, in JSON."""

from __future__ import annotations

from typing import Any

from reference_impl.tpp.changes import on_items, on_json, tpp_fault
from reference_impl.variants import Variant

_ZEROS = "00000000-0000-0000-0000-000000000000"


def _with(item: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {**item, **members}


def _without(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != name}


def _camel(item: dict[str, Any]) -> dict[str, Any]:
    return {key[0].lower() + key[1:]: value for key, value in item.items()}


def _renamed(item: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if key == old else key: value for key, value in item.items()}


def _each_error(item: dict[str, Any], change: Any) -> dict[str, Any]:
    return _with(item, Errors=change(item["Errors"])) if item["Errors"] else item


def _guid(item: dict[str, Any], change: Any) -> dict[str, Any]:
    uid = item["InternationalOrderUID"]
    return _with(item, InternationalOrderUID=change(uid)) if uid else item


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-json-list-in-object",
        "Puts the list of results inside an object",
        on_json(lambda items: {"Results": items}),
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-json-single-result-bare",
        "Answers a list of one with the result itself",
        on_json(lambda items: items[0] if len(items) == 1 else items),
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-json-list-in-list",
        "Answers with a list inside a list",
        on_json(lambda items: [items]),
        "RESP-LIST",
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-json-keyed-by-id",
        "Answers with an object that has a member for each order",
        on_json(lambda items: {str(item["OrderID"] or item["InternationalOrderUID"]): item for item in items}),
        "RESP-LIST",
    ),
    tpp_fault(
        "tpp-json-flags-alone",
        "Answers with the list of the Success flags alone",
        on_json(lambda items: [item["Success"] for item in items]),
        "RESP-LIST",
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-json-camel-case",
        "Writes the members of a result in camel case",
        on_items(_camel),
        "RESP-SUCCESS",
        "RESP-IDENTITY",
        "RESP-SAMPLE-JSON",
    ),
    tpp_fault(
        "tpp-json-uid-spelt-otherwise",
        "Calls the UID of a result InternationalOrderUid",
        on_items(lambda item: _renamed(item, "InternationalOrderUID", "InternationalOrderUid")),
        "RESP-UID",
        "RESP-IDENTITY",
    ),
    tpp_fault(
        "tpp-json-success-as-text",
        "Writes Success as text",
        on_items(lambda item: _with(item, Success=str(item["Success"]).lower())),
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-json-success-as-number",
        "Writes Success as 1 or 0",
        on_items(lambda item: _with(item, Success=int(item["Success"]))),
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-json-success-null-on-failure",
        "Writes null in place of false",
        on_items(lambda item: _with(item, Success=item["Success"] or None)),
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-json-success-left-out-on-failure",
        "Leaves Success out when it is false, as a writer that skips default values does",
        on_items(lambda item: item if item["Success"] else _without(item, "Success")),
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-json-orderid-as-text",
        "Writes OrderID as text",
        on_items(lambda item: item if item["OrderID"] is None else _with(item, OrderID=str(item["OrderID"]))),
        "RESP-ORDERID",
    ),
    tpp_fault(
        "tpp-json-orderid-as-fraction",
        "Writes OrderID with a half",
        on_items(lambda item: item if item["OrderID"] is None else _with(item, OrderID=item["OrderID"] + 0.5)),
        "RESP-ORDERID",
    ),
    tpp_fault(
        "tpp-json-orderid-false-for-null",
        "Writes false in place of an OrderID that is null",
        on_items(lambda item: _with(item, OrderID=False) if item["OrderID"] is None else item),
        "RESP-ORDERID",
    ),
    tpp_fault(
        "tpp-json-null-as-text",
        "Writes a null UID as the text null",
        on_items(lambda item: _with(item, InternationalOrderUID=item["InternationalOrderUID"] or "null")),
        "RESP-UID",
    ),
    tpp_fault(
        "tpp-json-null-uid-empty",
        "Writes a null UID as an empty text",
        on_items(lambda item: _with(item, InternationalOrderUID=item["InternationalOrderUID"] or "")),
        "RESP-UID",
    ),
    tpp_fault(
        "tpp-json-null-uid-zeros",
        "Writes a null UID as a GUID of zeros",
        on_items(lambda item: _with(item, InternationalOrderUID=item["InternationalOrderUID"] or _ZEROS)),
        "RESP-UID",
        "RESP-IDENTITY",
    ),
    tpp_fault(
        "tpp-json-null-orderid-zero",
        "Writes a null OrderID as 0",
        on_items(lambda item: _with(item, OrderID=item["OrderID"] or 0)),
        "RESP-ORDERID",
        "RESP-IDENTITY",
    ),
    tpp_fault(
        "tpp-json-uid-without-dashes",
        "Writes a UID as 32 digits",
        on_items(lambda item: _guid(item, lambda uid: uid.replace("-", ""))),
        "RESP-UID",
    ),
    tpp_fault(
        "tpp-json-uid-in-braces",
        "Writes a UID in braces",
        on_items(lambda item: _guid(item, lambda uid: f"{{{uid}}}")),
        "RESP-UID",
    ),
    tpp_fault(
        "tpp-json-errors-as-text",
        "Writes Errors as one text",
        on_items(lambda item: _each_error(item, "; ".join)),
        "RESP-ERRORS",
    ),
    tpp_fault(
        "tpp-json-null-among-errors",
        "Writes a null behind the texts of Errors",
        on_items(lambda item: _each_error(item, lambda errors: [*errors, None])),
        "RESP-ERRORS",
    ),
    tpp_fault(
        "tpp-json-errors-wrapped",
        "Writes Errors as an object that holds the list, as a converter from XML does",
        on_items(lambda item: _each_error(item, lambda errors: {"string": errors})),
        "RESP-ERRORS",
    ),
    tpp_fault(
        "tpp-json-errors-as-objects",
        "Writes each error as an object with a code",
        on_items(lambda item: _each_error(item, lambda errors: [{"Code": 1, "Message": e} for e in errors])),
        "RESP-ERRORS",
    ),
    tpp_fault(
        "tpp-json-errors-as-codes",
        "Writes each error as a number",
        on_items(lambda item: _each_error(item, lambda errors: [17 for _ in errors])),
        "RESP-ERRORS",
    ),
    tpp_fault(
        "tpp-json-errors-false-on-success",
        "Writes false in place of Errors that are null",
        on_items(lambda item: _with(item, Errors=item["Errors"] or False)),
        "RESP-ERRORS",
    ),
    tpp_fault(
        "tpp-json-success-said-in-status",
        "Says how it went in a member Status in place of Success",
        on_items(lambda item: {**_without(item, "Success"), "Status": "OK" if item["Success"] else "FAILED"}),
        "RESP-SUCCESS",
    ),
)
