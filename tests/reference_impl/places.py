"""Documents that name an address or a file, and who opens them."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

WORD = "canary-word"
_TIMEOUT_S = 5.0


@contextlib.contextmanager
def listening() -> Iterator[tuple[str, list[int]]]:
    """An address, and a list with an entry for each time that somebody connected there."""
    opened: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    opened.append(1)
                    peer.close()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", opened
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(_TIMEOUT_S)


def named_places(root: str, good: str, order: int, send: Callable[[str], Any]) -> Any:
    """What comes of documents that name a place in each way, with whether an address was opened; no address is told."""
    told: list[Any] = []
    entity = f'<!DOCTYPE {root} [<!ENTITY o SYSTEM "{{}}">]>{good.replace(str(order), "&o;")}'
    parameter = f'<!DOCTYPE {root} [<!ENTITY % p SYSTEM "{{}}">%p;]>{good}'
    subset = f'<!DOCTYPE {root} SYSTEM "{{}}">{good}'
    located = good.replace(f"<{root}", f'<{root} xmlns:x="urn:x" x:schemaLocation="urn:y {{}}"', 1)
    with listening() as (address, opened), tempfile.TemporaryDirectory() as folder:
        for document in (entity, parameter, subset):
            told.append((send(document.format(address)), len(opened)))
        for content in (WORD, str(order)):
            file = Path(folder) / "named"
            file.write_text(content, encoding="utf-8")
            told.append(send(entity.format(file.as_uri())))
        told.append((send(located.format(address)), len(opened)))
    internal = f'<!DOCTYPE {root} [<!ENTITY o "{order}">]>{good.replace(str(order), "&o;")}'
    return [*told, send(internal)]
