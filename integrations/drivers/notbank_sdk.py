"""Driver of `conformance client` for the SDK `notbank` of PyPI: CancelOrder and CancelAllOrders over HTTP.

Needs the package `notbank`. The address is set to that of the mock before the first call.
"""

import json
import sys

from notbank_python_sdk.client_connection import ClientConnection
from notbank_python_sdk.error import NotbankException
from notbank_python_sdk.notbank_client import NotbankClient
from notbank_python_sdk.requests_models import AuthenticateRequest, CancelAllOrdersRequest, CancelOrderRequest
from notbank_python_sdk.rest.rest_client_connection import RestClientConnection
from requests import RequestException

ALL, ONE = "alphapoint.cancel_all_orders", "alphapoint.cancel_order"
LOST = (-300, -100, -1)
"""Codes of the SDK's own: timed out, an answer that it cannot read, unknown."""


def not_there(*_arguments):
    raise NotImplementedError


class OnLoopback(RestClientConnection):
    """The same connection over plain HTTP; the SDK puts https:// before every address."""

    def _get_host_url(self, host):
        return host


def sign_in(start):
    rest = OnLoopback(start["url"])
    rest._rest_session.trust_env = False
    connection = ClientConnection(
        rest.post, rest.get, rest.delete, not_there, not_there, rest.authenticate_user, not_there, rest.close
    )
    client = NotbankClient(connection)
    client.authenticate(AuthenticateRequest(start["api_key"], start["api_secret"], start["user_id"]))
    return client


def cancel(client, asked):
    members = asked["members"]
    if asked["operation"] == ALL:
        client.cancel_all_orders(CancelAllOrdersRequest(account_id=members["AccountId"]))
        return
    client.cancel_order(
        CancelOrderRequest(
            account_id=members["AccountId"],
            order_id=members.get("OrderId"),
            cl_order_id=members.get("ClientOrderId"),
        )
    )


def answer(client, asked):
    """What the SDK's user knows after the call: it returned, or it raised an error with a code."""
    try:
        cancel(client, asked)
    except NotbankException as error:
        code = getattr(error.code, "value", error.code)
        told = {"outcome": "unknown"} if code in LOST else {"outcome": "refused", "code": code}
        return {"believed": [told]}
    except RequestException:
        return {"believed": [{"outcome": "unknown"}]}
    except Exception as error:
        return {"crashed": f"{type(error).__name__}: {error}"}
    return {"believed": [{"outcome": "cancelled"}]}


def say(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


client = sign_in(json.loads(sys.stdin.readline()))
say({"ready": True, "calls": [{"operation": ALL}, {"operation": ONE}]})
for line in sys.stdin:
    asked = json.loads(line)
    say({"id": asked["id"], **answer(client, asked)})
