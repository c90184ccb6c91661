"""Driver of `conformance client` for ccxt's exchange `ndax`: CancelOrder and CancelAllOrders over HTTP.

Needs the package `ccxt`. Every address is set to that of the mock before the first call.
"""

import json
import re
import sys

import ccxt

ALL, ONE = "alphapoint.cancel_all_orders", "alphapoint.cancel_order"
CODE = re.compile(r'"errorcode"\s*:\s*(\d+)', re.IGNORECASE)


def sign_in(start):
    """A session with the mock. ccxt signs in only where a second factor is set up; the call that it makes is the same."""
    exchange = ccxt.ndax(
        {
            "apiKey": start["api_key"],
            "secret": start["api_secret"],
            "uid": str(start["user_id"]),
            "login": start["user"],
            "password": start["password"],
            "timeout": int(start["timeout_s"] * 1000),
            "enableRateLimit": False,
        }
    )
    exchange.urls["api"] = {"public": f"{start['url']}/AP", "private": f"{start['url']}/AP"}
    exchange.session.trust_env = False
    exchange.load_markets()
    exchange.load_accounts()
    return exchange


def cancel(exchange, asked):
    members = asked["members"]
    if asked["operation"] == ALL:
        exchange.cancel_all_orders(None, {"AccountId": members["AccountId"]})
    elif "OrderId" in members:
        exchange.cancel_order(str(members["OrderId"]), None, {"AccountId": members["AccountId"]})
    else:
        exchange.cancel_order(
            None, None, {"clientOrderId": members["ClientOrderId"], "AccountId": members["AccountId"]}
        )


def answer(exchange, asked):
    """What ccxt's user knows after the call: it returned, or it raised an error of a class that says what is known."""
    try:
        cancel(exchange, asked)
    except (ccxt.RequestTimeout, ccxt.ExchangeNotAvailable, ccxt.NetworkError):
        return {"believed": [{"outcome": "unknown"}]}
    except ccxt.BaseError as error:
        found = CODE.search(str(error))
        return {"believed": [{"outcome": "refused", "code": int(found[1]) if found else None}]}
    except Exception as error:
        return {"crashed": f"{type(error).__name__}: {error}"}
    return {"believed": [{"outcome": "cancelled"}]}


def say(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


exchange = sign_in(json.loads(sys.stdin.readline()))
say({"ready": True, "calls": [{"operation": ALL}, {"operation": ONE}]})
for line in sys.stdin:
    asked = json.loads(line)
    say({"id": asked["id"], **answer(exchange, asked)})
