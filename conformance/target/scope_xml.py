"""All values of an XML text, by local name alone, in pieces as careless readers see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from conformance.target.scope_members import CONTAINER, Content, Found, View

MAX_DEPTH = 100


@dataclass(slots=True)
class _Element:
    name: str
    pieces: list[str] = field(default_factory=list)
    has_children: bool = False


@dataclass(slots=True)
class _Reader:
    """Collects what expat reports; some reader takes each of its text events for the whole."""

    stack: list[_Element] = field(default_factory=lambda: [_Element("")])
    found: list[Found] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def start(self, name: str, attributes: list[str]) -> None:
        local = name.rpartition(":")[2]
        self.stack[-1].has_children = True
        if len(self.stack) > MAX_DEPTH:
            raise ValueError("nested too deeply")
        self.stack.append(_Element(local))
        self.names.append(local)
        for key, value in zip(attributes[::2], attributes[1::2], strict=True):
            if key.partition(":")[0] != "xmlns" and key.rpartition(":")[2] != "nil":
                self.found.append(Found(key.rpartition(":")[2], value))

    def end(self, _name: str) -> None:
        element = self.stack.pop()
        pieces = [piece for piece in element.pieces if piece.strip()]
        if element.has_children:
            self.found.append(Found(element.name, CONTAINER))
        elif not pieces:
            self.found.append(Found(element.name, None))
        whole = ["".join(element.pieces), "".join(pieces)] if pieces else []
        for text in dict.fromkeys([*whole, *pieces]):
            self.found.append(Found(element.name, text))

    def text(self, data: str) -> None:
        self.stack[-1].pieces.append(data)

    def note(self, *texts: str) -> None:
        """A comment or an instruction: a reader that looks for tags alone sees into it."""
        self.found.append(Found("", " ".join(texts)))


def xml_content(text: str) -> Content:
    """The view of a well-formed XML text, namespaces and prefixes ignored. Errors: ValueError."""
    if "<!DOCTYPE" in text.upper():
        return Content(refusal="the body has a DOCTYPE, whose entities may stand for any id")
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.ordered_attributes = True
    parser.buffer_text = False
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.CommentHandler = reader.note
    parser.ProcessingInstructionHandler = reader.note
    try:
        parser.Parse(text.encode("utf-8", "strict"), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise ValueError(f"not well-formed XML: {error}") from error
    return Content((View(found=tuple(reader.found)),), names=tuple(reader.names))
