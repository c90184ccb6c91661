// Subtle faults: they depend on data, history, role, transport, spelling, width of numbers, timing or other sessions.
import { Refusal, notFound, standard } from "./answers.js";
import { changeLegs, everyNth, fault, isCancel, only } from "./mode_parts.js";

const subtle = fault("subtle");

const clearing = (change) => ({ targets: only("CancelAllOrders", change) });
const sessionKey = (request) => request.session.token ?? request.user.id;

const WHICH_ORDERS = [
  subtle("cao-three-at-most", "CancelAllOrders", "cancels at most three orders",
    "the call cancels all open orders of the account", "four open orders in one account",
    () => clearing((orders) => orders.slice(0, 3))),
  subtle("cao-keeps-sells", "CancelAllOrders", "leaves sell orders open",
    "the call cancels all open orders of the account", "a buy and a sell order",
    () => clearing((orders) => orders.filter((order) => order.side === "Buy"))),
  subtle("cao-one-instrument", "CancelAllOrders", "cancels on the instrument of the oldest order alone",
    "the call cancels all open orders of the account", "orders on two instruments",
    () => clearing((orders) => orders.filter((order) => order.instrument === orders[0].instrument))),
  subtle("cao-keeps-sevenths", "CancelAllOrders", "leaves orders whose id can be divided by 7",
    "the call cancels all open orders of the account", "seven orders made one after another",
    () => clearing((orders) => orders.filter((order) => order.id % 7 !== 0))),
  subtle("cao-default-in-place", "CancelAllOrders", "an account that is not the caller's default one is confused with it",
    "the named account's orders are cancelled, no others", "a trader's second account",
    (world) => clearing((orders, request) => (request.user.accounts.slice(1).includes(request.accounts[0].id)
      ? world.openOrders(world.accounts.get(request.user.defaultAccount)) : orders))),
  subtle("cao-operator-loses-own", "CancelAllOrders", "an operator's own orders go, too",
    "the named account's orders are cancelled, no others", "an order in the operator's account, CancelAllOrders for another",
    (world) => clearing((orders, request) => (request.user.permissions.includes("Operator")
      ? [...new Set([...orders, ...world.openOrders(world.accounts.get(request.user.defaultAccount))])] : orders))),
  subtle("cao-takes-foreign-quotes", "CancelAllOrders", "takes quotes of other accounts on the instruments of the orders",
    "the named account's orders are cancelled, no others", "a quote in a foreign account on the same instrument",
    (world) => clearing((orders, request) => [...orders, ...[...world.accounts.values()]
      .filter((account) => !request.accounts.includes(account)).flatMap((account) => world.openQuotes(account))
      .filter((leg) => orders.some((order) => order.instrument === leg.instrument))])),
  subtle("cao-omitted-takes-oms", "CancelAllOrders", "a trader who names no account cancels everybody's orders",
    "an omitted account means the caller's own, or those he may touch", "CancelAllOrders as trader without AccountId",
    (world) => ({
      omitted(_ids, request, { oms }) {
        request.takesAll = true;
        return [...world.accounts.values()].filter((one) => one.oms === oms && one.open.size > 0).map((one) => one.id);
      },
      reach: (may, request) => may || Boolean(request.takesAll),
    })),
  subtle("cao-empty-refused", "CancelAllOrders", "code 104 when the account has nothing open",
    "a call that was received is answered with success", "CancelAllOrders twice",
    () => ({ body: only("CancelAllOrders", (body, request, refusal) => (refusal || request.count ? body : standard(notFound("Orders")))),
      done(none, request, orders) { request.count = orders.length; return none; } })),
  subtle("co-takes-twins", "CancelOrder", "cancels the account's other orders of that side, price and instrument, too",
    "one order is cancelled", "two equal orders, CancelOrder for one",
    (world) => ({
      targets: only("CancelOrder", ([order]) => world.openOrders(order.account)
        .filter((one) => one.side === order.side && one.price === order.price && one.instrument === order.instrument)),
    })),
  subtle("co-client-id-elsewhere", "CancelOrder", "a ClientOrderId that two accounts use takes the other account's order",
    "a user with Trading permission cancels his own orders alone", "one ClientOrderId in two accounts, CancelOrder by it",
    (world) => ({
      clientOrder: (order) => [...world.accounts.values()].filter((account) => account !== order.account)
        .flatMap((account) => world.openOrders(account)).find((one) => one.clientId === order.clientId) ?? order,
    })),
  subtle("co-account-ignored", "CancelOrder", "an AccountId that does not hold the order is ignored",
    "nothing that was not asked for is cancelled", "CancelOrder with the user's other AccountId",
    () => ({ sameAccount: () => true })),
];

const QUOTES = [
  subtle("cq-crossed-ids", "CancelQuote", "the bid of one quote and the ask of another are cancelled",
    "both ids together identify one quote", "two quotes of one account, ids crossed",
    () => ({ legs: (plan, _request, { bid, ask }) => (bid && ask ? { refusals: [null, null], taken: [bid, ask] } : plan) })),
  subtle("cq-account-ignored", "CancelQuote", "a quote in another account of the user is found whatever AccountId says",
    "the account identifies the quote", "CancelQuote with the user's other AccountId",
    () => ({ quoteAccount: (mine, request, leg) => mine || (request.raw("AccountId") !== undefined && request.user.accounts.includes(leg.account.id)) })),
  subtle("cq-no-default-account", "CancelQuote", "without AccountId, quotes of every account of the user are found",
    "a missing account means the default account", "a quote in the second account, no AccountId",
    () => ({ quoteAccount: (mine, request, leg) => mine || (request.raw("AccountId") === undefined && request.user.accounts.includes(leg.account.id)) })),
  subtle("cq-instrument-ignored", "CancelQuote", "a wrong InstrumentId is ignored",
    "the instrument identifies the quote", "CancelQuote with the other InstrumentId",
    () => ({ quoteInstrument: () => true })),
  subtle("cq-takes-all-quotes", "CancelQuote", "without InstrumentId all quotes of the account go",
    "the quote is named by its two ids", "two quotes, CancelQuote for one without InstrumentId",
    (world) => ({
      targets: only("CancelQuote", (legs, request) => (legs.length && request.raw("InstrumentId") === undefined
        ? world.openQuotes(legs[0].account) : legs)),
    })),
  subtle("cq-mixed-lie", "CancelQuote", "one right and one wrong id are both reported as success",
    "a wrong leg is never a success", "a right BidQuoteId and an unknown AskQuoteId",
    () => ({ legs: (plan, _request, { bid, ask }) => (Boolean(bid) === Boolean(ask) ? plan : { refusals: [null, null], taken: [bid ?? ask] }) })),
  subtle("cq-mixed-acts", "CancelQuote", "of one right and one wrong id both are refused, and the right leg goes",
    "a leg that was reported refused is not cancelled", "a right BidQuoteId and an unknown AskQuoteId, GetOpenQuotes",
    () => ({ legs: (plan, _request, { bid, ask }) => (Boolean(bid) === Boolean(ask) ? plan : { ...plan, taken: [bid ?? ask] }) })),
  subtle("cq-takes-orders", "CancelQuote", "the account's orders on the instrument go with the quote",
    "nothing that was not asked for is cancelled", "an order and a quote in one account",
    (world) => ({
      targets: only("CancelQuote", (legs) => (legs.length ? [...legs, ...world.openOrders(legs[0].account)
        .filter((order) => order.instrument === legs[0].instrument)] : legs)),
    })),
  subtle("cq-first-try-ignored", "CancelQuote", "the first cancellation of a quote succeeds and leaves it open",
    "a quote that stays open after a success is a violation", "CancelQuote twice: both succeed",
    () => {
      const tried = new Set();
      return { targets: only("CancelQuote", (legs) => legs.filter((leg) => tried.has(leg.id) || !tried.add(leg.id))) };
    }),
  subtle("cq-ask-code-zero", "CancelQuote", "the ask leg of a refused quote has errorcode 0 beside its text",
    "an error has one of the listed codes", "CancelQuote with unknown ids",
    () => ({
      body: only("CancelQuote", (body, _request, refusal) => (refusal?.code === 104
        ? { ...body, AskResult: { ...body.AskResult, errorcode: 0 } } : body)),
    })),
  subtle("cq-judged-flat", "CancelQuote", "unknown quote ids get one flat object over HTTP",
    "two objects are returned once the legs were looked at", "CancelQuote with unknown ids over HTTP",
    () => ({ body: only("CancelQuote", (body, request, refusal) => (request.legsJudged && refusal && request.transport === "http" ? standard(refusal) : body)) })),
];

const VALUES = [
  subtle("cao-lower-key", "CancelAllOrders", "the key accountid, all in lower case, is not read",
    "the letter case of keys is unimportant", "\"accountid\" of the second account",
    () => ({
      param: only("CancelAllOrders", (value, request, name) => (name === "AccountId"
        && request.members.get("accountid")?.key === "accountid" ? undefined : value)),
    })),
  subtle("cao-key-order", "CancelAllOrders", "AccountId is not read when OMSId stands before it",
    "the order of keys changes nothing", "{\"OMSId\":…, \"AccountId\": the second account}",
    () => ({
      param: only("CancelAllOrders", (value, request, name) => {
        const keys = [...request.members.keys()];
        return name === "AccountId" && keys.indexOf("omsid") < keys.indexOf("accountid") ? undefined : value;
      }),
    })),
  subtle("cao-string-ignored", "CancelAllOrders", "an AccountId that is sent as a string is not read",
    "integers sent as strings are understood, and no other account is touched", "AccountId \"…\" of the second account",
    () => ({ param: only("CancelAllOrders", (value, _request, name) => (name === "AccountId" && typeof value === "string" ? undefined : value)) })),
  subtle("cao-32-bit", "CancelAllOrders", "AccountId is cut to 32 bits",
    "an account that does not exist is refused", "AccountId plus 4294967296",
    () => ({ integer: only("CancelAllOrders", (value, _request, name) => (name === "AccountId" ? cutTo32(value) : value)) })),
  subtle("co-32-bit", "CancelOrder", "OrderId is cut to 32 bits",
    "an order that does not exist is refused", "OrderId plus 4294967296",
    () => ({ integer: only("CancelOrder", (value, _request, name) => (name === "OrderId" ? cutTo32(value) : value)) })),
  subtle("cao-fraction-cut", "CancelAllOrders", "the fraction of an AccountId is cut off",
    "AccountId is an integer", "an AccountId with .7 behind it",
    () => ({ param: only("CancelAllOrders", (value, _request, name) => (name === "AccountId" && typeof value === "number" ? Math.trunc(value) : value)) })),
  subtle("co-number-prefix", "CancelOrder", "an OrderId is read as far as it has digits",
    "OrderId is an integer", "OrderId \"600001abc\"",
    () => ({ param: only("CancelOrder", (value, _request, name) => (name === "OrderId" && typeof value === "string" ? Number.parseInt(value, 10) : value)) })),
  subtle("cq-null-account-102", "CancelQuote", "AccountId null gets Server Error",
    "null counts as absent; code 102 is not for input", "\"accountId\": null",
    () => ({
      integer: only("CancelQuote", (value, request, name) => {
        if (name === "AccountId" && request.members.get("accountid")?.value === null) throw new Refusal(102, null);
        return value;
      }),
    })),
  subtle("extra-member-refused", "all", "a member beyond the table is refused with code 100",
    "members beyond the document are ignored or honoured", "any cancelling call with \"Comment\"",
    () => ({
      permissions(held, request) {
        const known = ["omsid", "accountid", "instrumentid", "intrumentid", "bidquoteid", "askquoteid", "orderid", "clientorderid", "clorderid"];
        const extra = isCancel(request) && [...request.members.keys()].find((key) => !known.includes(key));
        if (extra) throw new Refusal(100, `${extra} is not expected`);
        return held;
      },
    })),
  subtle("cao-operator-unknown-account", "CancelAllOrders", "succeeds for an operator who names an unknown account",
    "an unknown account gets code 104, 20 or 100", "CancelAllOrders as operator with an unknown AccountId",
    () => ({
      body: only("CancelAllOrders", (body, request, refusal) => (refusal?.detail === "Account not found"
        && request.user.permissions.includes("Operator") ? standard(null) : body)),
    })),
  subtle("co-code-106-as-101", "CancelOrder", "an OMS that cannot cancel gets code 101",
    "Operation Not Supported is code 106", "CancelOrder on the OMS without cancelling",
    () => ({ refuse: only("CancelOrder", (refusal) => (refusal.code === 106 ? new Refusal(101, refusal.detail) : refusal)) })),
  subtle("cao-other-oms", "CancelAllOrders", "acts on the account whatever OMS is named",
    "the OMS is the one under which the account operates", "AccountId with the other OMSId",
    () => ({ onSystem: only("CancelAllOrders", () => true) })),
];

const TIME = [
  subtle("cao-late", "CancelAllOrders", "takes effect six seconds after its answer",
    "the call cancels the open orders", "GetOpenOrders within five seconds",
    (world) => ({
      effect: only("CancelAllOrders", (close, _request, order) => () => {
        order.leaving = true;
        setTimeout(() => world.close(order), 6000).unref();
      }),
    })),
  subtle("cao-reopens", "CancelAllOrders", "the newest cancelled order is open again after 600 ms",
    "a cancelled order stays cancelled", "GetOpenOrders a second later",
    (world) => ({
      done(none, request, orders) {
        if (request.name === "CancelAllOrders" && orders.length) setTimeout(() => world.reopen(orders.at(-1)), 600).unref();
        return none;
      },
    })),
  subtle("cao-deduplicates", "CancelAllOrders", "a second call for an account within two seconds succeeds without effect",
    "the call cancels all open orders of the account", "CancelAllOrders, SendOrder, CancelAllOrders",
    (world) => {
      const last = new Map();
      return clearing((orders, request) => {
        const [{ id }] = request.accounts;
        const again = world.clock() - (last.get(id) ?? 0) < 2000;
        last.set(id, world.clock());
        return again ? [] : orders;
      });
    }),
  subtle("cao-tired-session", "CancelAllOrders", "from a session's 12th call on it succeeds without effect",
    "the call cancels all open orders of the account", "twelve calls in one session",
    () => {
      const calls = new Map();
      return clearing((orders, request) => {
        const count = (calls.get(sessionKey(request)) ?? 0) + 1;
        calls.set(sessionKey(request), count);
        return count >= 12 ? [] : orders;
      });
    }),
  subtle("cao-busy-engine", "CancelAllOrders", "while another one is under way it succeeds without effect",
    "the call cancels all open orders of the account", "two calls for two accounts at the same moment",
    () => {
      let busy = 0;
      return {
        before(ms, request) {
          if (request.name !== "CancelAllOrders") return ms;
          request.dropped = busy > 0;
          busy += 1;
          setTimeout(() => { busy -= 1; }, 30);
          return 30;
        },
        targets: only("CancelAllOrders", (orders, request) => (request.dropped ? [] : orders)),
      };
    }),
  subtle("co-every-ninth-lost", "CancelOrder", "each ninth call succeeds without effect",
    "the order is cancelled", "nine CancelOrder calls",
    () => {
      const due = everyNth(9);
      return { targets: only("CancelOrder", (orders) => (due() ? [] : orders)) };
    }),
  subtle("session-fixed-life", "all", "a session ends five seconds after its sign-in, used or not",
    "a session lasts an hour after its last activity", "sign in, call for six seconds",
    (world) => ({
      session: (session) => (session?.token && world.clock() - session.opened > 5000 ? undefined : session),
    })),
];

const WHO = [
  subtle("ws-cq-no-permission", "CancelQuote", "over WebSocket no permission is needed",
    "the call needs Operator or MarketMaker permission", "CancelQuote over WebSocket as trader",
    () => ({ permissions: only("CancelQuote", (held, request) => (request.transport === "ws" ? [...held, "MarketMaker"] : held)) })),
  subtle("ws-cao-reach-grows", "CancelAllOrders", "after one success on a socket its user may name foreign accounts",
    "a user with Trading permission cancels his own orders alone", "on one socket: own account, then a foreign one",
    () => ({
      reach: only("CancelAllOrders", (may, request) => may || Boolean(request.connection?.state.trusted)),
      done(none, request) {
        if (request.connection) request.connection.state.trusted = true;
        return none;
      },
    })),
  subtle("identity-race", "all", "a request runs as the user of the latest request",
    "each user cancels for himself", "requests of two users at the same moment",
    () => {
      let latest;
      const arrives = (request) => { if (request.user) latest = request.user; };
      return {
        before(ms, request) { arrives(request); return request.user ? 8 : ms; },
        actor: (user) => (user ? latest : user),
      };
    }),
  subtle("last-login-default", "CancelAllOrders", "an omitted AccountId means the account of whoever signed in last",
    "an omitted account means the caller's own", "two users sign in, the first calls without AccountId",
    () => {
      let last;
      return {
        body(body, request) { last = request.signedIn?.user ?? last; return body; },
        omitted(ids, request) { request.takesAll = true; return last ? [last.defaultAccount] : ids; },
        reach: (may, request) => may || Boolean(request.takesAll),
      };
    }),
  subtle("ws-logout-forgets-http", "LogOut", "LogOut over WebSocket leaves the token good for HTTP",
    "LogOut ends the session", "WebAuthenticateUser, LogOut, the token over HTTP",
    () => ({ logOut: (close, request) => (request.transport === "ws" ? () => {} : close) })),
  subtle("ws-first-user-stays", "all", "a second sign-in on a socket succeeds, and the first user stays",
    "a call runs as the user who signed in", "on one socket: sign in as operator, then as trader",
    () => ({
      body(body, { connection, signedIn }) {
        if (!connection || !signedIn) return body;
        connection.state.first ??= signedIn;
        connection.session = connection.state.first;
        return body;
      },
    })),
  subtle("token-header-spelling", "all", "the header is read as aptoken and APToken alone",
    "the header's letter case is free", "ApToken or APTOKEN",
    () => ({
      headers(headers, raw) {
        const at = raw.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === "aptoken");
        return at < 0 || ["aptoken", "APToken"].includes(raw[at]) ? headers : { ...headers, aptoken: undefined };
      },
    })),
  subtle("signature-unchecked", "sign-in", "any signature is good",
    "the signature is the HMAC of nonce, user id and key", "signed headers with a wrong signature",
    () => ({ signature: () => true })),
];

const FRAMES = [
  subtle("ws-sequence-32-bit", "all", "i of a reply is cut to 32 bits",
    "the reply echoes i", "a frame with i 4294967300",
    () => ({ frame: (frame) => ({ ...frame, i: cutTo32(frame.i) }) })),
  subtle("ws-crossed-replies", "all", "two calls under way on one socket exchange their sequence numbers",
    "the reply echoes i", "two frames at once, with different outcomes",
    () => ({
      sideBySide: () => true,
      before(ms, request) {
        if (!request.connection || !isCancel(request)) return ms;
        (request.connection.state.flight ??= new Set()).add(request);
        return 25;
      },
      frame(frame, request) {
        const flight = request.connection.state.flight;
        if (!flight?.delete(request)) return frame;
        const [other] = flight;
        if (!other) return { ...frame, i: request.frame.i };
        [request.frame.i, other.frame.i] = [other.frame.i, request.frame.i];
        return { ...frame, i: request.frame.i };
      },
    })),
  subtle("ws-detail-number", "CancelOrder", "detail of a success is 0 over WebSocket",
    "detail is a string", "CancelOrder over WebSocket",
    () => {
      const { body } = changeLegs((leg) => (leg.result ? { ...leg, detail: 0 } : leg));
      return { body: only("CancelOrder", (answer, request) => (request.transport === "ws" ? body(answer, request) : answer)) };
    }),
  subtle("ws-text-letter-case", "all", "code 20 says Not authorized over WebSocket",
    "the text of code 20 is Not Authorized", "any cancelling frame as the user without permissions",
    () => {
      const { body } = changeLegs((leg) => (leg.errorcode === 20 ? { ...leg, errormsg: "Not authorized" } : leg));
      return { body: (answer, request) => (request.transport === "ws" ? body(answer, request) : answer) };
    }),
];

function cutTo32(value) {
  return typeof value === "bigint" || Number.isInteger(value) ? Number(BigInt.asIntN(32, BigInt(value))) : value;
}

export const SUBTLE = [...WHICH_ORDERS, ...QUOTES, ...VALUES, ...TIME, ...WHO, ...FRAMES];
