"""The readers of foreign bytes, each as a function of bytes that raises where a promise is broken; see `docs/fuzzing.md`.

A harness is a module of its own, which is imported when it is loaded: what is instrumented must be imported before. It has
`harness`, of a folder that it may write to, and `seeds`. What a reader may raise is caught in it; anything else that comes
out of it is a finding.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fuzz_kit import ROOT, Look

__all__ = ["BY_NAME", "HARNESSES", "Harness", "Look"]

sys.path += [str(ROOT / "tests" / "conformance" / name) for name in ("guard", "formats")]


@dataclass(frozen=True, slots=True)
class Harness:
    """One reader: what is instrumented, and what the search should know to write."""

    name: str
    modules: tuple[str, ...]
    words: tuple[str, ...]

    def load(self, folder: Path) -> Look:
        """The function of bytes."""
        look: Look = importlib.import_module(f"fuzz_{self.name}").harness(folder)
        return look

    def seeds(self) -> Iterator[bytes]:
        """The inputs that a search begins with."""
        yield from importlib.import_module(f"fuzz_{self.name}").seeds()


_TEXTS = ("conformance.formats.text", "conformance.formats.json.pointer")
HARNESSES: tuple[Harness, ...] = (
    Harness(
        name="json",
        modules=(
            *(f"conformance.formats.{name}" for name in ("json.read", "json.write", "frames", "members")),
            *_TEXTS,
        ),
        words=('"a":', "\\u0000", "\\ud800", "1e400", "-0", "NaN", "//", "null", "true", "[[[[[[[["),
    ),
    Harness(
        name="xml",
        modules=(*(f"conformance.formats.xml.{name}" for name in ("read", "contract", "write", "xsd")), *_TEXTS),
        words=(
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<!DOCTYPE",
            "&#1;",
            'i:nil="true"',
            "i:type",
            "<?x ?>",
            "&amp;",
            "xmlns=",
            "schemaLocation",
        ),
    ),
    Harness(
        name="frames",
        modules=(
            "conformance.wire.ws.session",
            "conformance.formats.frames",
            "wsproto.frame_protocol",
            "wsproto.connection",
            "wsproto.handshake",
        ),
        words=("\x81", "\x88\x02\x03\xe8", "\x89\x00", "\x01", "\x80", "\x82\x7e", "HTTP/1.1 101"),
    ),
    Harness(
        name="http",
        modules=("conformance.wire.http.reply",),
        words=(
            "HTTP/1.1 ",
            "HTTP/1.0 ",
            "\r\n\r\n",
            "Content-Length: ",
            "Transfer-Encoding: chunked",
            "Content-Encoding: ",
            "gzip",
            "deflate",
            "Connection: ",
            "0\r\n\r\n",
        ),
    ),
    Harness(
        name="guard",
        modules=(
            *(
                f"conformance.guard.{name}"
                for name in ("guard", "ids", "judge", "messages", "rules", "texts", "values")
            ),
            "conformance.formats.members",
            *_TEXTS,
        ),
        words=(
            "AccountId",
            "OrderID",
            "InternationalOrderUID",
            "77",
            "61",
            "9",
            "50001",
            "\\u0041",
            "<!--",
            "/*",
            "*/",
            "0x",
            "<OrderID>",
            "%41",
            "&#65;",
        ),
    ),
    Harness(
        name="target",
        modules=tuple(f"conformance.endpoint.{name}" for name in ("file", "model", "complaints", "secrets")),
        words=(
            "services.tpp",
            "roles",
            "login",
            "scope",
            "states",
            "lacks",
            "waivers",
            "limits",
            "desks",
            "bindings",
            "readings",
            "true",
            "[[",
            "]]",
            "1979-05-27",
            "inf",
        ),
    ),
)
BY_NAME = {one.name: one for one in HARNESSES}
