"""Violations by readers of XML that open what a document type, or a hint at a schema, names.

They open nothing but addresses on 127.0.0.1 and files in the folder for temporary files, so that nobody who serves them by
mistake is pointed at anything else.
"""

from __future__ import annotations

import re
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from reference_impl.tpp.changes import on_request_text, tpp_fault
from reference_impl.tpp.changes_of_one import on_body, one_fault
from reference_impl.tpp.values import UnreadableList
from reference_impl.variants import Variant

_GENERAL = re.compile(r'<!ENTITY\s+(\w+)\s+SYSTEM\s+"([^"]*)"')
_PARAMETER = re.compile(r'<!ENTITY\s+%\s+(\w+)\s+SYSTEM\s+"([^"]*)"')
_SUBSET = re.compile(r'<!DOCTYPE\s+\w+\s+SYSTEM()\s+"([^"]*)"')
_LOCATION = re.compile(r'schemaLocation=()"\S+\s+([^"]*)"')
_DOCTYPE = re.compile(r"<!DOCTYPE[^\[>]*(?:\[.*?\])?>", re.DOTALL)
_PATIENCE_S = 1.0


def _opened(name: str) -> str:
    """What an address on this machine, or a file in the temporary folder, holds; nothing for any other."""
    parts = urlsplit(name)
    if parts.scheme == "http" and parts.hostname == "127.0.0.1" and parts.port is not None:
        return _fetched(parts.port, parts.path)
    path = Path(parts.path).resolve()
    if parts.scheme == "file" and path.is_relative_to(Path(tempfile.gettempdir()).resolve()) and path.is_file():
        return path.read_text("utf-8")
    return ""


def _fetched(port: int, path: str) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as peer:
            peer.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            received = b""
            while piece := peer.recv(4096):
                received += piece
    except OSError:
        return ""
    return received.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")


def _opens(pattern: re.Pattern[str]) -> Callable[[str], str]:
    """Opens what is named so, and then reads the document as before."""

    def change(text: str) -> str:
        named = [name for _, name in pattern.findall(text)]
        for name in named:
            _opened(name)
        return f"{text}\n" if named else text  # the white space counts the fault, and changes nothing

    return change


def _expanded(text: str) -> str:
    """Puts the files in the place of the entities that name them, and takes the document type away."""
    found = dict(_GENERAL.findall(text))
    contents = {name: _opened(place) for name, place in found.items() if place.startswith("file:")}
    if not any(contents.values()):
        return text
    text = _DOCTYPE.sub("", text)
    for name, content in contents.items():
        text = text.replace(f"&{name};", escape(content))
    return text


def _quoted(text: str) -> str:
    """Refuses what is no number, and quotes it."""
    for _, place in _GENERAL.findall(text):
        content = _opened(place) if place.startswith("file:") else ""
        if content and not content.isdigit():
            raise UnreadableList(f"The value '{content}' is not valid for OrderID.")
    return text


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-entity-address-opened",
        "Opens the address that an external entity names, and refuses the list",
        on_request_text("xml", _opens(_GENERAL)),
        "NOTHING-OPENED",
    ),
    tpp_fault(
        "tpp-parameter-entity-opened",
        "Opens the address that a parameter entity names, and refuses the list",
        on_request_text("xml", _opens(_PARAMETER)),
        "NOTHING-OPENED",
    ),
    tpp_fault(
        "tpp-external-subset-opened",
        "Opens the address that a document type names, and refuses the list",
        on_request_text("xml", _opens(_SUBSET)),
        "NOTHING-OPENED",
    ),
    tpp_fault(
        "tpp-schema-location-opened",
        "Opens the address of a schema that a request hints at",
        on_request_text("xml", _opens(_LOCATION)),
        "NOTHING-OPENED",
    ),
    tpp_fault(
        "tpp-entity-file-read",
        "Reads the file that an external entity names in its place",
        on_request_text("xml", _expanded),
        "NOTHING-OPENED",
    ),
    tpp_fault(
        "tpp-entity-file-quoted",
        "Refuses what stands in the file that an external entity names, and quotes it",
        on_request_text("xml", _quoted),
        "NOTHING-OPENED",
    ),
    one_fault(
        "tpp1-entity-address-opened",
        "Opens the address that an external entity names, and refuses the call",
        on_body("xml", _opens(_GENERAL)),
        "NOTHING-OPENED",
    ),
    one_fault(
        "tpp1-entity-file-read",
        "Reads the file that an external entity names in its place",
        on_body("xml", _expanded),
        "NOTHING-OPENED",
    ),
)
