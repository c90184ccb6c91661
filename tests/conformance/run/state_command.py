"""A state command for tests: passes each question on to the control hook whose address is its argument."""

from __future__ import annotations

import http.client
import json
import sys


def main() -> int:
    question = json.loads(sys.stdin.read())
    host, _, port = sys.argv[1].partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.request("POST", f"/_world/tpp/{question.pop('action')}", json.dumps(question))
    reply = connection.getresponse()
    sys.stdout.write(reply.read().decode())
    return 0 if reply.status == 200 else 1


sys.exit(main())
