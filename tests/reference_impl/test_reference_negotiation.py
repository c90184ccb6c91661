"""Media types and charsets of api/orders/cancellations, and the framework's own errors."""

from __future__ import annotations

import pytest
from reference_support import CANCELLATIONS, XMLNS, Server

from reference_impl.tpp.values import Result
from reference_impl.tpp.write_xml import write_error, write_results

pytestmark = pytest.mark.timeout(120)

BODY = {"application/json": "[]", "text/json": "[]"}
EMPTY_XML = f"<ArrayOfCancellationCreation {XMLNS}/>"


@pytest.mark.parametrize(
    ("accept", "content_type", "answered"),
    [
        (None, "application/json", "application/json"),
        (None, "text/json", "text/json"),
        (None, "application/xml", "application/xml"),
        (None, "text/xml", "text/xml"),
        (None, "Text/XML; charset=utf-8", "text/xml"),
        ("application/json", "application/xml", "application/json"),
        ("text/json", "application/json", "text/json"),
        ("text/xml", "application/json", "text/xml"),
        ("APPLICATION/XML", "application/json", "application/xml"),
        ("*/*", "application/xml", "application/json"),
        ("text/*", "application/xml", "text/json"),
        ("application/*", "text/xml", "application/json"),
        ("application/xml, application/json", "text/xml", "application/json"),
        ("application/xml, */*", "application/json", "application/xml"),
        ("application/xml;q=0.5, application/json;q=0.4", "application/json", "application/xml"),
        ("application/json;q=0.5, */*", "application/json", "application/json"),
        ("text/xml;q=0.9, text/json;q=0.90", "application/json", "text/json"),
        ("application/json;q=0, */*", "application/json", "text/json"),
        ("application/*;q=0, text/*;q=0, */*", "text/xml", "text/xml"),
        ("application/xml;q=7", "application/json", "application/json"),
        ("image/png", "text/xml", "text/xml"),
        ("nonsense", "application/json", "application/json"),
        ("", "application/xml", "application/xml"),
    ],
)
def test_the_answers_media_type(server: Server, accept: str | None, content_type: str, answered: str) -> None:
    headers = {"Content-Type": content_type, **({} if accept is None else {"Accept": accept})}
    body = EMPTY_XML if "xml" in content_type.lower() else "[]"
    reply = server.request("POST", CANCELLATIONS, body, headers)
    assert (200, f"{answered}; charset=utf-8") == (reply.status, reply.type)
    assert (reply.text == "[]") == answered.endswith("json")


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "garbage", "application/json; x", "*/*", "multipart/form-data"]
)
def test_a_body_of_no_supported_type_is_415(server: Server, content_type: str | None) -> None:
    (order,) = server.state("open-order")
    headers = {"Content-Type": content_type} if content_type else {}
    reply = server.request("POST", CANCELLATIONS, f'[{{"OrderID":{order["OrderID"]}}}]', headers)
    message = "The request entity's media type is not supported for this resource."
    assert (415, {"Message": message}) == (reply.status, reply.json)
    assert server.observe(order) == ["open"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_405_in_the_frameworks_form(server: Server, method: str) -> None:
    reply = server.request(method, CANCELLATIONS, headers={"Accept": "application/xml"})
    message = f"The requested resource does not support http method '{method}'."
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert f"<Error><Message>{message}</Message></Error>" == reply.text


def test_head_is_405_without_a_body(server: Server) -> None:
    reply = server.request("HEAD", CANCELLATIONS)
    assert (reply.status, reply.body) == (405, b"")


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/cancellations/1", "/"])
def test_another_path_is_404_in_the_frameworks_form(server: Server, path: str) -> None:
    reply = server.request("POST", path, "[]", {"Content-Type": "text/json"})
    assert (reply.status, reply.type, list(reply.json)) == (404, "text/json; charset=utf-8", ["Message"])


@pytest.mark.parametrize("path", ["/API/Orders/Cancellations", "/api/orders/cancellations/"])
def test_path_case_and_a_trailing_slash_do_not_matter(server: Server, path: str) -> None:
    assert server.request("POST", path, "[]", {"Content-Type": "application/json"}).status == 200


@pytest.mark.parametrize(
    ("accept_charset", "charset"),
    [("utf-16", "utf-16"), ("utf-8, utf-16;q=0.5", "utf-8"), ("utf-8;q=0.1, *", "utf-16"), ("latin-1", "utf-8"), ("utf-16;q=x", "utf-8")],
)  # fmt: skip
def test_the_answers_charset(server: Server, accept_charset: str, charset: str) -> None:
    reply = server.cancel_json({"OrderID": 1}, Accept_Charset=accept_charset)
    assert f"application/json; charset={charset}" == reply.type
    assert reply.body.decode(charset).startswith('[{"OrderID":1,')
    assert reply.body.startswith(b"\xff\xfe") == (charset == "utf-16")


@pytest.mark.parametrize(
    ("parameter", "encoding"),
    [
        ("utf-16", "utf-16"),
        ("utf-16", "utf-16-le"),
        ('"UTF-16BE"', "utf-16-be"),
        ("utf-8", "utf-8"),
        ("latin-1", "utf-8"),
    ],
)
def test_the_requests_charset(server: Server, parameter: str, encoding: str) -> None:
    (order,) = server.state("open-order")
    body = f'[{{"OrderID":{order["OrderID"]},"PIN":"é"}}]'.encode(encoding)
    headers = {"Content-Type": f"application/json; charset={parameter}"}
    assert server.request("POST", CANCELLATIONS, body, headers).json[0]["Success"]


def test_xml_stays_well_formed_whatever_the_text() -> None:
    results = write_results([Result(None, "<&>", False, ("a\x01<b>\ud800",)), Result(1, None, False, ())])
    assert "<InternationalOrderUID>&lt;&amp;&gt;</InternationalOrderUID>" in results
    assert "<d3p1:string>a\ufffd&lt;b&gt;\ufffd</d3p1:string>" in results
    assert '<Errors xmlns:d3p1="http://schemas.microsoft.com/2003/10/Serialization/Arrays" /><Int' in results
    assert write_error("]]>").endswith(">]]&gt;</string>")
