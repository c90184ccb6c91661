"""A specs folder that cannot be used is refused with its file and place, exit 2; what is remote in it is never fetched."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cli.main import main

Change = Callable[[Path], object]
LABELS, VOID = "contract/labels", "contract/labels/void"
RECURSIVE = '<xs:element name="Reason" type="Label" minOccurs="0" />'


def edited(name: str, old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def written(name: str, content: str) -> Change:
    return lambda folder: (folder / name).write_text(content, encoding="utf-8")


def gone(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def imported(location: str, kind: str = "import") -> Change:
    type_ = '<xs:complexType name="Label">'
    return edited(f"{VOID}/request.xsd", type_, f'<xs:{kind} schemaLocation="{location}" />{type_}')


def circle(folder: Path) -> None:
    path = folder / VOID / "request.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    schema["$defs"] = {"one": {"$ref": "#/$defs/two"}, "two": {"$ref": "#/$defs/one"}}
    path.write_text(json.dumps(schema), encoding="utf-8")


def judged(folder: Path, *words: str) -> Result:
    target = ["--specs", str(folder / "contract"), "--target", str(folder / "labels.toml")]
    return CliRunner().invoke(
        main, [*(words or ("run", "--generated", "0", "--report", str(folder / "report"))), *target]
    )


BROKEN: dict[str, tuple[Change, str, str]] = {
    "a circle of references": (circle, "$ref '#/$defs/two' leads back to itself", "request.schema.json#/$defs/one/$ref"),
    "a schema that refers to itself": (
        edited(f"{VOID}/error.schema.json", '"type": "string"', '"$ref": "#"'), "$ref '#' leads back", "error.schema.json#/$ref",
    ),
    "a reference to nothing": (
        edited(f"{VOID}/error.schema.json", '"type": "string"', '"$ref": "#/$defs/none"'), "names nothing", "error.schema.json",
    ),
    "an XSD that includes itself": (imported("request.xsd", "include"), "must not import/include/redefine itself", "request.xsd"),
    "an XSD that imports a missing file": (imported("none.xsd"), "none.xsd", "request.xsd"),
    "an XSD that leaves its folder": (imported("../../../labels.xsd"), "must be a file in the same folder", "request.xsd"),
    "an XSD type that contains itself": (
        edited(f"{VOID}/request.xsd", '<xs:element name="Reason" type="xs:string" minOccurs="0" />', RECURSIVE),
        "a type that contains itself", "request.xsd",
    ),
    "an XSD that is no list": (
        edited(f"{VOID}/request.xsd", ' minOccurs="0" maxOccurs="unbounded"', ""), "a list cannot be the content of Labels", "scenarios.yaml",
    ),
    "no request schema": (gone(f"{VOID}/request.schema.json"), "file is missing", "request.schema.json"),
    "no error schema": (gone(f"{VOID}/error.schema.json"), "file is missing", "error.schema.json"),
    "no requirements": (gone(f"{VOID}/requirements.yaml"), "file is missing", "requirements.yaml"),
    "an unknown key": (edited(f"{VOID}/operation.yaml", "gone:", "gonne:"), "unknown key 'gonne'", "Did you mean 'gone'?"),
    "an unknown key of a field": (
        edited(f"{VOID}/operation.yaml", "unknown:", "unknwon:"), "unknown key 'fields.Label.unknwon'", "Did you mean 'unknown'?",
    ),
    "an unknown key of a service": (edited(f"{LABELS}/service.yaml", "title:", "name:"), "unknown key 'name'", "service.yaml"),
    "an unknown key of a requirement": (
        edited(f"{VOID}/requirements.yaml", "verify: cases", "verified: cases"), "unknown key 'LV-ROUTE.verified'", "requirements.yaml",
    ),
    "a missing attribution": (
        edited(f"{VOID}/operation.yaml", "  one-each: LV-ONE-EACH\n", ""), "attribution: key 'one-each' is missing", "operation.yaml",
    ),
    "a member that is no field": (edited(f"{VOID}/operation.yaml", "Reason: damaged", "Why: damaged"), "'Why' is none of the fields", "operation.yaml"),
    "a request that is no list": (
        edited(f"{VOID}/operation.yaml", '  - {Label: "${label.Label}", Reason: damaged}', '  {Label: "${label.Label}"}'),
        "base: expected a list of instructions", "operation.yaml",
    ),
    "a transport that nobody has": (edited(f"{VOID}/operation.yaml", "[http]", "[pigeon]"), "'pigeon' is none of http, ws", "operation.yaml"),
    "a scenario that expects nothing": (
        edited(f"{VOID}/scenarios.yaml", "    requirement: LV-AGAIN\n", ""), "response/again.expect: key 'requirement' is missing", "scenarios.yaml",
    ),
    "scenarios that are no list": (written(f"{VOID}/scenarios.yaml", "a: 1"), "expected a list, found a mapping", "scenarios.yaml"),
    "brackets without end": (written(f"{VOID}/operation.yaml", "a: " + "[" * 3000), "not YAML", "operation.yaml"),
    "bytes that are no text": (lambda folder: (folder / LABELS / "service.yaml").write_bytes(b"\xff\xfe\x00"), "not UTF-8", "service.yaml"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_folder_is_refused_with_its_place(fault: str, folder: Path) -> None:
    change, message, place = BROKEN[fault]
    change(folder)
    result = judged(folder)
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert place in result.output
    assert "Traceback" not in result.output


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket on loopback that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize(
    "command", [(), ("plan", "--generated", "0"), ("list", "cases"), ("specs", "check"), ("fixtures", "build")]
)
@pytest.mark.parametrize("where", ["xsd", "schema"])
def test_a_remote_address_is_never_fetched(
    where: str, command: tuple[str, ...], folder: Path, listener: socket.socket
) -> None:
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/remote"
    if where == "xsd":
        imported(f"{address}.xsd")(folder)
    else:
        edited(f"{VOID}/error.schema.json", '"type": "string"', f'"$ref": "{address}.json"')(folder)
    result = (
        CliRunner().invoke(main, [*command, "--specs", str(folder / "contract")])
        if command and command[0] != "plan"
        else judged(folder, *command)
    )
    with pytest.raises(BlockingIOError):
        listener.accept()
    if command != ("fixtures", "build") or where == "xsd":
        assert result.exit_code in (1, 2)
        assert address in result.output
