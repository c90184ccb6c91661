"""Build the server, start it, and check request and answer pairs over raw sockets: smoke.py [FOLDER FOR THE BUILD]."""

import json
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATH = "/api/orders/cancellations"
PATH_OF_ONE = "/api/orders/cancellation"
JSON, XML = "application/json", "application/xml"
REQUESTS = "http://schemas.datacontract.org/2004/07/"
RESULTS = REQUESTS + "TPP.Contracts.Services.Order"
TIMEOUT_S = 10


def read_answer(stream, *, head_only=False):
    """Return status, headers and body of the next answer on a stream; interim answers are passed over."""
    status = 100
    while status == 100:
        status = int(stream.readline().split()[1])
        headers = {}
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
    if head_only:
        return status, headers, b""
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while (size := int(stream.readline(), 16)) > 0:
            body += stream.read(size)
            stream.readline()
        stream.readline()
        return status, headers, body
    return status, headers, stream.read(int(headers["content-length"]))


def message(body, content_type=None, accept=None, *, method="POST", path=PATH, more=()):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *more]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    if accept:
        lines.append(f"Accept: {accept}")
    if not any(line.startswith("Transfer-Encoding") for line in more):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    def __init__(self, exe, *modes):
        arguments = [part for mode in modes for part in ("--mode", mode)]
        self.process = subprocess.Popen(["mono", exe, *arguments], stdout=subprocess.PIPE, text=True)
        self.port, self.hook_port = (int(re.search(r":(\d+)", self.process.stdout.readline())[1]) for _ in range(2))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(TIMEOUT_S)

    def raw(self, data, answers=1, port=None):
        """Send bytes on a new connection and return that many answers."""
        with socket.create_connection(("127.0.0.1", port or self.port), TIMEOUT_S) as connection:
            connection.sendall(data)
            stream = connection.makefile("rb")
            return [read_answer(stream) for _ in range(answers)]

    def ask(self, body, content_type=None, accept=None, **options):
        return self.raw(message(body, content_type, accept, **options))[0]

    def hook(self, question, body):
        data = message(json.dumps(body).encode(), JSON, path="/orders/" + question)
        return json.loads(self.raw(data, port=self.hook_port)[0][2])["orders"]

    def order(self, state="open-order"):
        return self.hook("state", {"state": state, "count": 1})[0]

    def state(self, order):
        return self.hook("observe", {"orders": [order]})[0]["state"]

    def json(self, instructions, **options):
        status, _, body = self.ask(json.dumps(instructions).encode(), JSON, **options)
        return status, json.loads(body)


def xml_list(*items):
    inner = "".join(f"<CancellationCreation>{item}</CancellationCreation>" for item in items)
    return f'<ArrayOfCancellationCreation xmlns="{REQUESTS}">{inner}</ArrayOfCancellationCreation>'.encode()


def international(order, **more):
    return {"IsInternationalOrder": True, "CreatorID": 55001, **order, **more}


class Checks:
    def __init__(self):
        self.count = self.failed = 0

    def equal(self, name, expected, actual):
        self.count += 1
        if expected != actual:
            self.failed += 1
            sys.stdout.write(f"FAILED {name}\n  expected {expected!r}\n  actual   {actual!r}\n")


def result(order, errors=None):
    return {
        "OrderID": order.get("OrderID"),
        "InternationalOrderUID": order.get("InternationalOrderUID"),
        "Success": errors is None,
        "Errors": errors,
    }


def check_rules(checks, server):
    order = server.order()
    checks.equal("an open order is cancelled", (200, [result(order)]), server.json([order]))
    checks.equal("its state", "cancelled", server.state(order))
    inactive = ["Order is not active."]
    checks.equal("not twice", (200, [result(order, inactive)]), server.json([order]))
    executed = server.order("executed-order")
    checks.equal("an executed order stays", (200, [result(executed, inactive)]), server.json([executed]))
    unknown = {"OrderID": 1987654321}
    checks.equal("an unknown order", (200, [result(unknown, ["Order was not found."])]), server.json([unknown]))
    abroad = server.order("open-international-order")
    without = international(abroad)
    del without["CreatorID"]
    needed = ["CreatorID is required for an international order."]
    checks.equal("the creator is required", (200, [result(abroad, needed)]), server.json([without]))
    checks.equal("an international order", (200, [result(abroad)]), server.json([international(abroad)]))
    checks.equal("ids are required", (200, [result({}, ["OrderID is required."])]), server.json([{}]))
    pin = server.order("pin-order")
    wrong = result(pin, ["PIN is not valid."])
    missing = result(pin, ["PIN is required."])
    bare = {"OrderID": pin["OrderID"]}
    checks.equal("PINs", (200, [missing, wrong, result(pin)]), server.json([bare, {**bare, "PIN": "0"}, pin]))


def check_one(checks, server):
    """The call for one order, in JSON and XML."""
    order, abroad = server.order(), server.order("open-international-order")
    checks.equal("one order", (200, result(order)), server.json(order, path=PATH_OF_ONE))
    checks.equal("its state", "cancelled", server.state(order))
    checks.equal("one international order", (200, result(abroad)), server.json(international(abroad), path=PATH_OF_ONE))
    again = result(order, ["Order is not active."])
    checks.equal("not twice", (200, again), server.json(order, path=PATH_OF_ONE))
    needed = "A cancellation instruction is required."
    checks.equal("no instruction", (400, needed), server.json(None, path=PATH_OF_ONE))
    checks.equal("no list", 400, server.json([server.order()], path=PATH_OF_ONE)[0])
    order = server.order()
    one = f'<CancellationCreation xmlns="{REQUESTS}"><OrderID>{order["OrderID"]}</OrderID></CancellationCreation>'
    expected = (
        f'<CancellationCreationResult xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="{RESULTS}">'
        '<Errors xmlns:d2p1="http://schemas.microsoft.com/2003/10/Serialization/Arrays" i:nil="true" />'
        f'<InternationalOrderUID i:nil="true" /><OrderID>{order["OrderID"]}</OrderID><Success>true</Success>'
        "</CancellationCreationResult>"
    )
    checks.equal("one order in XML", expected, server.ask(one.encode(), XML, path=PATH_OF_ONE)[2].decode())
    checks.equal("no XML list", 400, server.ask(xml_list(""), XML, path=PATH_OF_ONE)[0])


def check_negotiation(checks, server):
    listed = xml_list("<OrderID>1987654321</OrderID>")
    expected = (
        f'<ArrayOfCancellationCreationResult xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns="{RESULTS}">'
        '<CancellationCreationResult><Errors xmlns:d3p1="http://schemas.microsoft.com/2003/10/Serialization/Arrays">'
        '<d3p1:string>Order was not found.</d3p1:string></Errors><InternationalOrderUID i:nil="true" />'
        "<OrderID>1987654321</OrderID><Success>false</Success></CancellationCreationResult>"
        "</ArrayOfCancellationCreationResult>"
    )
    status, headers, body = server.ask(listed, XML)
    checks.equal(
        "XML in, XML out",
        (200, "application/xml; charset=utf-8", expected),
        (status, headers["content-type"], body.decode()),
    )
    for accept, media_type in [
        ("*/*", JSON),
        ("text/xml", "text/xml"),
        ("text/json", "text/json"),
        ("application/xml, application/json", JSON),
        ("application/xml, application/json;q=0.5", XML),
        ("application/xml;q=0.2, */*;q=0.1", XML),
        ("image/png", "text/xml"),
        ("application/*", JSON),
    ]:
        _, headers, _ = server.ask(listed, "text/xml", accept)
        checks.equal(f"Accept: {accept}", f"{media_type}; charset=utf-8", headers["content-type"])
    _, headers, body = server.ask(b"[]", JSON, more=["Accept-Charset: utf-16"])
    checks.equal(
        "UTF-16 answer", ("application/json; charset=utf-16", "[]"), (headers["content-type"], body.decode("utf-16"))
    )
    trap = xml_list(
        "<OrderID>1987654321</OrderID><CreatorID>55001</CreatorID><IsInternationalOrder>true</IsInternationalOrder>"
    )
    _, _, body = server.ask(trap, XML, JSON)
    checks.equal("elements out of order are lost", 1987654321, json.loads(body)[0]["OrderID"])
    _, _, body = server.ask('[{"OrderID":5}]'.encode("utf-16"), JSON + "; charset=utf-16")
    checks.equal("UTF-16 JSON request", 5, json.loads(body)[0]["OrderID"])
    _, _, body = server.ask(xml_list("<OrderID>5</OrderID>").decode().encode("utf-16"), XML + "; charset=utf-16", JSON)
    checks.equal("UTF-16 XML request", 5, json.loads(body)[0]["OrderID"])


def check_errors(checks, server):
    message_only = {"Message": "The request entity's media type is not supported for this resource."}
    status, _, body = server.ask(b"x", "text/plain")
    checks.equal("415", (415, message_only), (status, json.loads(body)))
    status, _, body = server.ask(b"x", None, XML)
    checks.equal(
        "415 in XML", (415, f"<Error><Message>{message_only['Message']}</Message></Error>"), (status, body.decode())
    )
    status, headers, _ = server.ask(b"", method="GET")
    checks.equal("405", (405, "POST"), (status, headers["allow"]))
    checks.equal("404", 404, server.ask(b"", path=PATH + "x")[0])
    checks.equal("path in another case", 400, server.ask(b"", path=PATH.upper() + "/")[0])
    unreadable = "The list of cancellation instructions could not be read."
    for body in [
        b"{}",
        b"[",
        b'[{"OrderID":1.5}]',
        b'[{"OrderID":4294967297}]',
        b'[{"IsInternationalOrder":"x"}]',
        b"\xff",
        b"[" * 5000,
    ]:
        status, _, answer = server.ask(body, JSON)
        checks.equal(f"JSON {body[:30]!r}", (400, unreadable), (status, json.loads(answer)))
    error = f'<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">{unreadable}</string>'
    good = xml_list("<OrderID>5</OrderID>")
    for body in [
        b"<a/>",
        b"<!DOCTYPE a>" + good,
        b"<?p i?>" + good,
        xml_list("<OrderID></OrderID>"),
        xml_list("<OrderID>5.0</OrderID>"),
        good[:-3],
    ]:
        status, headers, answer = server.ask(body, XML)
        checks.equal(
            f"XML {body[:30]!r}",
            (400, "application/xml; charset=utf-8", error),
            (status, headers["content-type"], answer.decode()),
        )


def check_http(checks, server):
    one = message(b"[]", JSON)
    checks.equal("pipelining", [(200, b"[]")] * 50, [(status, body) for status, _, body in server.raw(one * 50, 50)])
    chunked = message(b"1\r\n[\r\n1;x=y\r\n]\r\n0\r\nTrailer: 1\r\n\r\n", JSON, more=["Transfer-Encoding: chunked"])
    checks.equal(
        "chunked request", [(200, b"[]")] * 2, [(status, body) for status, _, body in server.raw(chunked * 2, 2)]
    )
    checks.equal("100-continue", b"[]", server.ask(b"[]", JSON, more=["Expect: 100-continue"])[2])
    for bad in [
        b"hello\r\n\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        message(b"[]", JSON, more=["Content-Length: 3"]),
        b"\0" * 100,
        b"\r\n\r\n",
    ]:
        checks.equal(f"not HTTP {bad[:30]!r}", 400, server.raw(bad)[0][0])
    checks.equal("head too large", 431, server.raw(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 200000)[0][0])
    for _ in range(300):
        with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as connection:
            connection.sendall(one[:40])
    checks.equal("alive after broken connections", 200, server.raw(one)[0][0])


def check_modes(checks, exe):
    listed = subprocess.run(
        ["mono", exe, "--list-modes"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for kind, least in [("permitted", 18), ("fault", 40)]:
        checks.equal(f"{kind} modes", True, sum(line.startswith(kind + " ") for line in listed) >= least)
    readme = (HERE / "README.md").read_text(encoding="utf-8")
    table = subprocess.run(["mono", exe, "--modes-table"], capture_output=True, text=True, check=True).stdout.strip()
    checks.equal("the table of README.md is up to date", True, table in readme)
    with Server(exe, "chunked", "prefix-a", "nulls-left-out") as server:
        order = server.order()
        _, headers, body = server.ask(xml_list(f"<OrderID>{order['OrderID']}</OrderID>"), XML)
        checks.equal("chunked", "chunked", headers.get("transfer-encoding"))
        checks.equal("nulls left out", (False, False), (b"nil" in body, b"Errors" in body))
    with Server(exe, "nothing-cancelled") as server:
        order = server.order()
        checks.equal("a fault", (True, "open"), (server.json([order])[1][0]["Success"], server.state(order)))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()
    subprocess.run([HERE / "build.sh", folder], check=True)
    exe = str(Path(folder) / "tpp_mono.exe")
    checks = Checks()
    with Server(exe) as server:
        for check in (check_rules, check_one, check_negotiation, check_errors, check_http):
            check(checks, server)
        checks.equal("still running", None, server.process.poll())
    check_modes(checks, exe)
    sys.stdout.write(f"{checks.count} checks, {checks.failed} failed\n")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
