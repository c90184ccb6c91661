"""Each harness over its seeds, and over the shortest inputs that a search has found a broken promise with; without atheris."""

from __future__ import annotations

import pytest
from harnesses import BY_NAME, HARNESSES, Look
from second_readers import BROKEN, CLOSED, OPEN, web_socket_stream

UID = b"6269c403-5b9f-47dd-b8c3-7ecbef8f686d"
KEPT: dict[str, dict[str, bytes]] = {
    "json": {
        "a number that is infinite, in a member that is given again": b'\x00{"a":9e4005,"a":1}',
        "half a surrogate pair, in a member that is given again": b'\x00{"a":"\\ud800","a":1}',
    },
    "xml": {
        "a type that no schema has": b'\x00\x00<ArrayOfCancellationCreation xmlns:i="http://www.w3.org/2001/XMLSchema-instance"'
        b' xmlns="http://schemas.datacontract.org/2004/07/"><CancellationCreation><CreatorID i:type="int">1</CreatorID>'
        b"</CancellationCreation></ArrayOfCancellationCreation>",
    },
    "frames": {
        "a fault in a text message that is not whole, before a close": b"+\x01\x14" + b"a" * 17 + b"\x8a\xe9\x03\x88\x00",
        "half the header of a masked close": b"\x00\x88\xe9",
        "a long text message that is no text in its second byte": b"\x03\x01\x14\x00\x89\x00\x89\x00",
    },
    "http": {"a status that no class has": b"\x00HTTP/1.1 039 No\r\nContent-Length: 0\r\n\r\n"},
    "guard": {
        "a reason with characters that no terminal should see": '\x03\x00{"OMSId":1,"Account\x9b\u202eId":[]}'.encode(),
        "a GUID behind the tag of a number": b"\x01\x01<OrderID x>" + UID + b"</a>",
        "a GUID behind the tag of a number, with the name of a GUID in it": b"\x01\x01<OrderID InternationalOrderUID>" + UID + b"</a>",
        "a GUID in the member of a number": b'\x01\x00[{"OrderID":"' + UID + b'"',
        **{
            f"a number that is cut by {cut!r}, which a mending reader leaves out": b"\x01\x01<a><OrderID>50001" + cut + b"0</OrderID>"
            for cut in (b"&", b"&foo;", b"&#0;", b"<", b"<?", b"</b></c>", b"&<", "\ufffe".encode())
        },
    },
    "target": {"a secret that is written into the file": b'name = "t"\n[services.tpp.roles.client]\npassword = "hunter2hunter2"\n'},
}  # fmt: skip
"""By harness: what is odd about an input, and the input."""


@pytest.fixture(scope="module")
def looks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Look]:
    return {one.name: one.load(tmp_path_factory.mktemp(one.name)) for one in HARNESSES}


@pytest.mark.parametrize("name", BY_NAME)
def test_every_reader_keeps_its_promises_over_seeds_and_kept_inputs(looks: dict[str, Look], name: str) -> None:
    seeds = list(BY_NAME[name].seeds())
    assert len(seeds) >= 10
    for data in (b"", *seeds, *KEPT[name].values()):
        looks[name](data)


@pytest.mark.parametrize(("name", "data"), [
    ("json", b"\x00[1"), ("xml", b"\x00\x00<a"), ("http", b"\x00HTTP/1.1 200"), ("guard", b"\x04\x00{"), ("target", b"= 5"),
])  # fmt: skip
def test_a_harness_takes_only_what_a_reader_declares(
    looks: dict[str, Look], name: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A harness would be worth nothing if it caught everything."""
    looks[name](data)

    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(_INNERMOST[name], breaks)
    with pytest.raises(ZeroDivisionError):
        looks[name](data)


_INNERMOST = {
    "json": "conformance.formats.json.read._check_depth",
    "xml": "conformance.formats.xml.read._refuse_doctype",
    "http": "conformance.wire.http.reply.ReplyReader.end",
    "guard": "conformance.guard.messages.read_json",
    "target": "conformance.endpoint.file.read_text",
}


@pytest.mark.parametrize(
    ("data", "messages", "end"),
    [
        (b"", (), OPEN),
        (b"\x81\x01a\x82\x01\xff", ((False, b"a"), (True, b"\xff")), OPEN),
        (b"\x01\x01a\x89\x00\x80\x01b", ((False, b"ab"),), OPEN),
        (b"\x81\x01a\x88\x02\x03\xe8", ((False, b"a"),), CLOSED),
        (b"\x81\x01\xff", (), BROKEN),
        (b"\x80\x01a", (), BROKEN),
        (b"\x88\x01\x03", (), BROKEN),
        (b"\x88\x02\x03\xec", (), BROKEN),
        (b"\x09\x00", (), BROKEN),
        (b"\xc1\x00", (), BROKEN),
        (b"\x82\x7e\x00\x05hello", (), BROKEN),
    ],
)
def test_the_second_reader_of_frames_reads_as_its_document_says(
    data: bytes, messages: tuple[tuple[bool, bytes], ...], end: str
) -> None:
    read = web_socket_stream(data)
    assert (read.messages, read.end) == (messages, end)
