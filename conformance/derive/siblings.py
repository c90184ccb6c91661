"""The other operations of a service, as far as a page is compared with them or a draft takes from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.contract.load import read_operation, read_requirements
from conformance.derive.page import Departure, Page
from conformance.errors import SpecError
from conformance.model.spec import Operation, Requirement


@dataclass(frozen=True, slots=True)
class Sibling:
    """One operation of the service, which may be a draft, and its requirements."""

    operation: Operation
    requirements: tuple[Requirement, ...] = ()

    @property
    def document(self) -> str:
        """The name of its page."""
        return self.operation.document

    @property
    def codes(self) -> dict[str, tuple[str, ...]]:
        """Code to its messages."""
        return {one.code: one.messages for one in self.operation.codes}


def siblings_in(service: Path, besides: str) -> tuple[Sibling, ...]:
    """The operations in a service's folder whose document is another than `besides`, by name of folder.

    Errors: `SpecError` for one that cannot be read; what a draft still lacks is no error.
    """
    found = []
    for path in sorted(service.glob("*/operation.yaml")):
        operation = read_operation(path.parent, partial=True)
        if operation.document != besides:
            listed = (path.parent / "requirements.yaml").exists()
            found.append(Sibling(operation, read_requirements(path.parent, operation.id) if listed else ()))
    return tuple(found)


def elsewhere(page: Page, siblings: Sequence[Sibling]) -> Iterator[Departure]:
    """Each code of the page that another operation knows only with other messages."""
    for code in page.codes:
        others = {sibling.document: sibling.codes.get(code.code, ()) for sibling in siblings}
        apart = {document: known for document, known in others.items() if known and code.message not in known}
        if not code.message or not apart:
            continue
        texts = sorted({text for known in apart.values() for text in known})
        alternatives = {_slug(code.message): f"{code.message}, as this page prints it"}
        for text in texts:
            alternatives[_slug(text)] = (
                f"{text}, as for {', '.join(name for name, known in apart.items() if text in known)}"
            )
        question = f"Which text comes with code {code.code}?"
        at, reading = f"codes/{code.code}", f"code-{code.code}-text"
        yield Departure(
            "code-elsewhere", at, code.message, " | ".join(texts), code.place, question, alternatives, reading
        )


def service_folder(page: Page, folder: Path, specs: Path, service: str | None) -> tuple[Path | None, str]:
    """The folder of the service that a draft belongs to, and why it is taken to be that one.

    Named outright; else the folder above, when it is one; else one that has the same document, or whose operation
    answers with the same members. Errors: `SpecError` for a name that no service has.
    """
    folders = sorted(path.parent for path in specs.glob("*/service.yaml"))
    if service is not None:
        named = [one for one in folders if one.name == service]
        if not named:
            hint = f"One of {', '.join(one.name for one in folders) or 'none'}; or leave --service out."
            raise SpecError(f"no service {service!r}", where=str(specs), hint=hint)
        return named[0], "named by --service"
    if (folder.absolute().parent / "service.yaml").is_file():
        return folder.absolute().parent, "the folder above is a service's"
    for one in folders:
        if any(sibling.document == page.name for sibling in siblings_in(one, besides="")):
            return one, "one of its operations has the same document"
    mine = {code.code for code in page.codes}
    for one in folders:
        for sibling in siblings_in(one, besides=page.name):
            if mine and mine <= set(sibling.codes):
                return one, f"{sibling.document} lists the same codes"
    return None, "no service is like it"


def _slug(text: str) -> str:
    return "-".join(text.casefold().split())
