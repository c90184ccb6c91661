// Plain faults: a look at one request and its answer, or its effect, is enough to see them.
import { Refusal, pair, standard } from "./answers.js";
import { writeJson } from "./json.js";
import { CANCELS, changeLegs, fault, isCancel, only } from "./mode_parts.js";

const TEXT = { "Content-Type": "text/plain" };
const JSON_TYPE = { "Content-Type": "application/json" };

const plain = fault("plain");

const EFFECTS = [
  plain("cao-keeps-orders", "CancelAllOrders", "succeeds and cancels nothing",
    "the call cancels all open orders of the account",
    "one open order, CancelAllOrders, GetOpenOrders",
    () => ({ targets: only("CancelAllOrders", () => []) })),
  plain("cao-keeps-newest", "CancelAllOrders", "leaves the newest order open",
    "the call cancels all open orders of the account",
    "two open orders, CancelAllOrders, GetOpenOrders",
    () => ({ targets: only("CancelAllOrders", (orders) => orders.slice(0, Math.max(1, orders.length - 1))) })),
  plain("cao-takes-whole-oms", "CancelAllOrders", "cancels the orders of every account on the OMS",
    "only the named account's orders are cancelled",
    "an order in a foreign account, CancelAllOrders for the own one",
    (world) => ({
      targets: only("CancelAllOrders", (_orders, request) => [...world.accounts.values()]
        .filter((account) => account.oms === request.accounts[0].oms).flatMap((account) => world.openOrders(account))),
    })),
  plain("cao-takes-foreign-account", "CancelAllOrders", "a trader may name any account",
    "a user with Trading permission cancels his own orders alone",
    "CancelAllOrders as trader with a foreign AccountId",
    () => ({ reach: only("CancelAllOrders", () => true) })),
  plain("cao-without-permission", "CancelAllOrders", "a user without permissions may call it",
    "the call needs Operator or Trading permission",
    "CancelAllOrders as the user without permissions",
    () => ({ permissions: only("CancelAllOrders", (held) => (held.length ? held : ["Trading"])) })),
  plain("cao-unknown-oms", "CancelAllOrders", "succeeds for an OMS that does not exist",
    "success for an unknown OMS is no reading",
    "CancelAllOrders with an unknown OMSId",
    () => ({
      body: only("CancelAllOrders", (body, _request, refusal) => (refusal?.detail === "OMS not found" ? standard(null) : body)),
    })),
  plain("cao-oms-optional", "CancelAllOrders", "takes the caller's OMS when none is named",
    "OMSId is required",
    "CancelAllOrders without OMSId",
    () => ({ integer: only("CancelAllOrders", (value, request, name) => (name === "OMSId" ? value ?? request.user.oms : value)) })),
  plain("cq-ask-optional", "CancelQuote", "cancels without an AskQuoteId",
    "a quote is named by both of its ids",
    "CancelQuote with BidQuoteId alone",
    (world) => ({
      integer: only("CancelQuote", (value, request, name) => (name === "AskQuoteId" && value === undefined
        ? world.orders.get(Number(request.raw("BidQuoteId")))?.pair?.id : value)),
    })),
  plain("cq-keeps-ask", "CancelQuote", "cancels the bid leg and reports both",
    "the quote is cancelled",
    "CancelQuote, then GetOpenQuotes",
    () => ({ targets: only("CancelQuote", (legs) => legs.filter((leg) => leg.side === "Buy")) })),
  plain("cq-takes-foreign-quote", "CancelQuote", "a market maker may cancel another user's quote",
    "only an operator cancels quotes for another user",
    "CancelQuote as market maker on a foreign account",
    () => ({ reach: only("CancelQuote", () => true) })),
  plain("cq-traders-too", "CancelQuote", "Trading permission is enough",
    "the call needs Operator or MarketMaker permission",
    "CancelQuote as trader, any ids: no code 20",
    () => ({ permissions: only("CancelQuote", (held) => (held.includes("Trading") ? [...held, "MarketMaker"] : held)) })),
  plain("co-takes-foreign-order", "CancelOrder", "a trader may cancel any order by its id",
    "a user with Trading permission cancels his own orders alone",
    "CancelOrder as trader with a bystander's OrderId",
    () => ({ reach: only("CancelOrder", () => true) })),
  plain("co-repeats", "CancelOrder", "cancelling a cancelled order succeeds each time",
    "an order that was cancelled cannot be cancelled again",
    "CancelOrder twice with one OrderId",
    (world) => ({ found: (found, request, order) => found || Boolean(order && !order.isQuote && world.orders.has(order.id)) })),
  plain("co-unknown-succeeds", "CancelOrder", "an order that does not exist is cancelled with success",
    "an unknown id gets code 104 or 100",
    "CancelOrder with an unknown OrderId",
    () => ({
      body: only("CancelOrder", (body, _request, refusal) => (refusal?.detail === "Order not found" ? standard(null) : body)),
    })),
];

const ANSWERS = [
  plain("errorcode-string", "all", "errorcode is a string",
    "errorcode is an integer", "any cancelling call",
    () => changeLegs((leg) => ({ ...leg, errorcode: String(leg.errorcode) }))),
  plain("result-string", "all", "result is the string \"true\" or \"false\"",
    "result is a Boolean", "any cancelling call",
    () => changeLegs((leg) => ({ ...leg, result: String(leg.result) }))),
  plain("error-without-text", "all", "an error has errormsg null",
    "an error comes with its text", "any refused call",
    () => changeLegs((leg) => ({ ...leg, errormsg: null }))),
  plain("error-text-own", "all", "code 104 says Not Found",
    "the text of code 104 is Resource Not Found", "any unknown id",
    () => changeLegs((leg) => (leg.errorcode === 104 ? { ...leg, errormsg: "Not Found" } : leg))),
  plain("error-with-true", "all", "an error has result true",
    "result is false for a call that failed", "any refused call",
    () => changeLegs((leg) => ({ ...leg, result: true }))),
  plain("code-107", "all", "Server Error comes as code 107, Operation In Process",
    "errorcode is one of the documented list", "the account on which code 102 is provoked",
    () => changeLegs((leg) => (leg.errorcode === 102 ? { ...leg, errorcode: 107, errormsg: "Operation In Process" } : leg))),
  plain("errormsg-missing", "CancelAllOrders", "a success has no errormsg",
    "the answer is the standard response object", "CancelAllOrders with success",
    () => ({ body: only("CancelAllOrders", ({ errormsg, ...body }, _request, refusal) => (refusal ? { errormsg, ...body } : body)) })),
  plain("cq-flat-success", "CancelQuote", "a success comes as one flat object",
    "two objects are returned, one for each leg", "CancelQuote with success",
    () => ({ body: only("CancelQuote", (body, _request, refusal) => (refusal ? body : standard(null))) })),
  plain("cq-sample-form", "CancelQuote", "each leg is an object set in quotes, as the page's sample prints it",
    "the answer is JSON", "any CancelQuote",
    () => ({
      text: only("CancelQuote", (text, request, refusal) => (refusal && !request.legsJudged ? text
        : text.replaceAll("{\"result\"", "\"{\"result\"").replaceAll("}", "}\"").replace(/"$/, ""))),
    })),
  plain("stack-trace", "all", "a wrong type gets 500 with a stack trace in the text",
    "500 comes only with code 102, and never a stack trace", "AccountId \"abc\"",
    () => ({
      wire: (answer) => (answer.refusal?.detail?.endsWith("must be an integer")
        ? { status: 500, headers: TEXT, text: "FormatException: Input string was not in a correct format.\n   at Gateway.Parse(String s)\n   at Gateway.Dispatch()" }
        : answer),
    })),
  plain("token-in-detail", "CancelAllOrders", "detail of a success names the session token",
    "secrets are not echoed", "CancelAllOrders with a session token",
    () => ({
      body: only("CancelAllOrders", (body, request, refusal) => (!refusal && request.session.token
        ? { ...body, detail: `session ${request.session.token}` } : body)),
    })),
];

const TRANSPORT = [
  plain("ws-sequence-zero", "all", "i of every reply is 0",
    "the reply echoes i", "a frame with i 4",
    () => ({ frame: (frame) => ({ ...frame, i: 0 }) })),
  plain("ws-payload-object", "all", "o of a reply is an object and no string",
    "o is the payload as a JSON string", "any reply",
    () => ({ frame: (frame, request) => (isCancel(request) ? { ...frame, o: JSON.parse(frame.o) } : frame) })),
  plain("ws-name-lost", "all", "n of a reply is empty",
    "the reply echoes n", "any reply",
    () => ({ frame: (frame, request) => (isCancel(request) ? { ...frame, n: "" } : frame) })),
  plain("ws-replies-twice", "all", "each reply is sent twice",
    "one request has one reply", "any cancelling frame, then listen",
    () => ({ frame: (frame, request) => (isCancel(request) ? [frame, frame] : frame) })),
  plain("ws-unparsable-closes", "all", "a text that is not JSON closes the socket",
    "the socket stays open after a text that is not JSON", "send {, then Ping",
    () => ({ unreadable: (_none, connection) => connection.socket.close(1003) })),
  plain("get-cancels", "all", "GET carries out cancelling calls",
    "the calls are POST; a method that is excluded must not act", "GET /AP/CancelAllOrders?OMSId=..&AccountId=..",
    () => ({ method: () => true })),
  plain("no-session-serves", "all", "a call without a session runs as the operator",
    "the calls need a permission, so a session", "any cancelling call without a token",
    (world) => ({ actor: (user, request) => user ?? (CANCELS.includes(request.name) ? world.users[0] : user) })),
  plain("unknown-call-succeeds", "all", "a call that does not exist gets the standard success over HTTP",
    "an unknown call gets 404", "POST /AP/CancelEverything",
    () => ({ unknownCall: () => ({ status: 200, headers: JSON_TYPE, text: writeJson(standard(null)) }) })),
  plain("not-json-succeeds", "all", "a body that is not JSON gets success",
    "a success that is not one is no reading", "POST {",
    () => ({
      body: (body, request, refusal) => (refusal && isCancel(request) && request.members === null
        ? (request.name === "CancelQuote" ? pair(null, null) : standard(null)) : body),
    })),
  plain("refusals-swapped", "all", "code 20 and code 104 are exchanged",
    "code 20 says Not Authorized; a missing permission is not a missing thing", "any cancelling call as the user without permissions",
    () => ({
      refuse(refusal, request) {
        if (!isCancel(request) || refusal.noSession || refusal.foreign) return refusal;
        return { 20: new Refusal(104, "No such thing"), 104: new Refusal(20, "No such thing") }[refusal.code] ?? refusal;
      },
    })),
];

export const PLAIN = [...EFFECTS, ...ANSWERS, ...TRANSPORT];
