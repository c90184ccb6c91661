// Further subtle faults: a refusal that acts, a success without effect for some callers, rare answers, loose identities.
import { Refusal, pair, standard } from "./answers.js";
import { changeLegs, everyNth, fault, isCancel, only } from "./mode_parts.js";

const hidden = fault("subtle");

const clearing = (change) => ({ targets: only("CancelAllOrders", change) });
const isOperator = (request) => request.user.permissions.includes("Operator");
const rawNumber = (request, name) => Number(request.raw(name));

/** Runs a call once more as the operator and forgets what it answers. */
function runAsOperator(world, request) {
  const asked = request.user;
  request.user = world.users[0];
  try {
    request.call.run(request);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  } finally {
    request.user = asked;
  }
}

/** A refusal is answered as it should be, and the call is carried out all the same. */
const actsWhen = (isIt) => (world) => ({
  refuse(refusal, request) {
    if (isCancel(request) && request.members && isIt(refusal, request) && !request.again) {
      request.again = true;
      runAsOperator(world, request);
      request.legsJudged = request.partRefused = undefined;
    }
    return refusal;
  },
});

const SILENT_ACTS = [
  hidden("foreign-refused-acts", "all", "a foreign account is refused with code 20, and its orders go",
    "nothing that was refused has an effect", "CancelAllOrders as trader on a foreign account, its orders afterwards",
    actsWhen((refusal) => refusal.foreign)),
  hidden("no-permission-acts", "all", "a user without permission gets code 20, and the orders go",
    "nothing that was refused has an effect", "any cancelling call as the user without permissions on his own account",
    actsWhen((refusal, request) => refusal.code === 20 && !refusal.noSession && request.user.permissions.length === 0)),
  hidden("no-session-acts", "all", "a call without a session gets 404, and is carried out",
    "nothing that was refused has an effect", "CancelAllOrders without a token on an account with an order",
    actsWhen((refusal) => refusal.noSession)),
  hidden("failed-acts", "all", "code 101 is answered after the orders are gone",
    "a failed operation has not cancelled", "code 101's account, its orders afterwards",
    (world) => ({
      refuse(refusal, request) {
        if (refusal.code !== 101 || !isCancel(request)) return refusal;
        const account = world.accounts.get(rawNumber(request, "AccountId"));
        for (const order of account ? world.book(account) : []) world.close(order);
        return refusal;
      },
    })),
  hidden("bad-type-clears-default", "CancelAllOrders", "an AccountId that is no integer is refused with code 100, and the default account is cleared",
    "nothing that was refused has an effect", "AccountId \"abc\" as trader with an order in the default account",
    (world) => ({
      refuse: only("CancelAllOrders", (refusal, request) => {
        if (refusal.detail?.startsWith("AccountId must")) {
          for (const order of world.openOrders(world.accounts.get(request.user.defaultAccount))) world.close(order);
        }
        return refusal;
      }),
    })),
  hidden("get-acts-unseen", "all", "GET gets 404, and the call is carried out",
    "a method that is excluded must not act", "GET /AP/CancelAllOrders?…, the orders afterwards",
    () => ({
      method: () => true,
      wire: (answer) => (answer.request?.method === "GET" && isCancel(answer.request)
        ? { status: 404, headers: { "Content-Type": "text/plain" }, text: "NOT FOUND" } : answer),
    })),
  hidden("ws-subscribe-acts", "all", "a frame with m 2 or 4 is carried out and answered as unknown",
    "a request has m 0", "CancelAllOrders in a frame with m 2, the orders afterwards",
    () => ({ unknownFrame(reply, run) { run(); return reply; } })),
];

const NO_EFFECT = [
  hidden("ws-cao-no-effect", "CancelAllOrders", "over WebSocket it succeeds without effect",
    "the call cancels all open orders of the account", "CancelAllOrders over WebSocket, GetOpenOrders",
    () => clearing((orders, request) => (request.transport === "ws" ? [] : orders))),
  hidden("cao-operator-no-effect", "CancelAllOrders", "an operator's call succeeds without effect",
    "an operator can cancel orders for any account", "CancelAllOrders as operator, GetOpenOrders",
    () => clearing((orders, request) => (isOperator(request) ? [] : orders))),
  hidden("cq-operator-no-effect", "CancelQuote", "an operator's call succeeds without effect",
    "an operator can cancel quotes for another user", "CancelQuote as operator, GetOpenQuotes",
    () => ({ targets: only("CancelQuote", (legs, request) => (isOperator(request) ? [] : legs)) })),
  hidden("co-client-id-no-effect", "CancelOrder", "by ClientOrderId it succeeds without effect",
    "the order is cancelled", "CancelOrder by ClientOrderId, GetOpenOrders",
    () => ({ targets: only("CancelOrder", (orders, request) => (request.raw("OrderId") === undefined ? [] : orders)) })),
  hidden("co-string-no-effect", "CancelOrder", "with the OrderId as a string it succeeds without effect",
    "the order is cancelled", "OrderId \"…\", GetOpenOrders",
    () => ({ targets: only("CancelOrder", (orders, request) => (typeof request.raw("OrderId") === "string" ? [] : orders)) })),
  hidden("cao-ten-at-most", "CancelAllOrders", "cancels at most ten orders",
    "the call cancels all open orders of the account", "eleven open orders in one account",
    () => clearing((orders) => orders.slice(0, 10))),
  hidden("cao-keeps-client-ids", "CancelAllOrders", "leaves orders that have a ClientOrderId",
    "the call cancels all open orders of the account", "an order with ClientOrderId, CancelAllOrders",
    () => clearing((orders) => orders.filter((order) => order.clientId === 0))),
  hidden("cao-own-entries", "CancelAllOrders", "takes only what the caller himself has entered",
    "all open orders of the account go, and several users may have access to it", "an order that the operator entered in a trader's account, CancelAllOrders as the trader",
    () => clearing((orders, request) => orders.filter((order) => order.user.id === request.user.id || isOperator(request)))),
  hidden("cq-newest-only", "CancelQuote", "an older quote of the account stays open after a success",
    "the quote is cancelled", "two quotes on one instrument, CancelQuote for the older",
    (world) => ({ targets: only("CancelQuote", (legs) => legs.filter((leg) => !world.openQuotes(leg.account).some((one) => one.id > leg.id && one.side === leg.side))) })),
];

const QUOTES = [
  hidden("cq-100-response", "CancelQuote", "code 100 says Invalid Response",
    "for CancelQuote code 100 says Invalid Request", "CancelQuote without ids",
    () => {
      const { body } = changeLegs((leg) => (leg.errorcode === 100 ? { ...leg, errormsg: "Invalid Response" } : leg));
      return { body: only("CancelQuote", body) };
    }),
  hidden("cq-unknown-oms", "CancelQuote", "succeeds for an OMS that does not exist",
    "success for an unknown OMS is no reading", "CancelQuote with an unknown omsId",
    () => ({ body: only("CancelQuote", (body, _request, refusal) => (refusal?.detail === "OMS not found" ? pair(null, null) : body)) })),
  hidden("cq-swapped-ids", "CancelQuote", "bid and ask ids may be exchanged",
    "BidQuoteId names the bid, AskQuoteId the ask", "the two ids exchanged",
    () => ({
      integer: only("CancelQuote", (value, request, name) => {
        const [bid, ask] = [rawNumber(request, "BidQuoteId"), rawNumber(request, "AskQuoteId")];
        if (!(bid > ask)) return value;
        return { BidQuoteId: ask, AskQuoteId: bid }[name] ?? value;
      }),
    })),
  hidden("cq-zero-any", "CancelQuote", "AskQuoteId 0 stands for the ask of that bid",
    "a quote is named by both of its ids", "a right bidQuoteId and askQuoteId 0",
    (world) => ({
      integer: only("CancelQuote", (value, request, name) => (name === "AskQuoteId" && value === 0
        ? world.orders.get(rawNumber(request, "BidQuoteId"))?.pair?.id ?? 0 : value)),
    })),
  hidden("cq-mixed-exchanged", "CancelQuote", "each leg is judged alone, and the two results are exchanged",
    "a wrong leg is never a success", "one right and one wrong id",
    () => ({
      legs(plan, _request, { bid, ask }) {
        if (Boolean(bid) === Boolean(ask)) return plan;
        const missing = plan.refusals[0];
        return { refusals: bid ? [missing, null] : [null, missing], taken: [bid ?? ask] };
      },
    })),
  hidden("cq-upper-keys", "CancelQuote", "keys in upper case are not read",
    "the letter case of keys is unimportant", "\"BIDQUOTEID\"",
    () => ({
      param: only("CancelQuote", (value, request, name) => (request.members.get(name.toLowerCase())?.key === name.toUpperCase() ? undefined : value)),
    })),
];

const VALUES = [
  hidden("cao-negative", "CancelAllOrders", "the sign of an AccountId is dropped",
    "an account that does not exist is refused", "AccountId -…",
    () => ({ integer: only("CancelAllOrders", (value, _request, name) => (name === "AccountId" && value < 0 ? Number(-value) : value)) })),
  hidden("cao-list-unwrapped", "CancelAllOrders", "a list of one AccountId is read as that account",
    "AccountId is an integer", "AccountId [...]",
    () => ({ param: only("CancelAllOrders", (value, _request, name) => (name === "AccountId" && Array.isArray(value) ? value[0] : value)) })),
  hidden("co-errormsg-text", "CancelOrder", "a success says Success in errormsg",
    "errormsg of a success is null or empty", "CancelOrder with success",
    () => ({ body: only("CancelOrder", (body, _request, refusal) => (refusal ? body : { ...body, errormsg: "Success" })) })),
  hidden("answer-says-both", "CancelAllOrders", "the text of an answer holds result twice, true and false",
    "result is one Boolean", "the raw text of any answer",
    () => ({ text: only("CancelAllOrders", (text) => text.replace(/}$/, ",\"result\":true}")) })),
  hidden("trailing-remark", "all", "an error's text has a remark behind the JSON",
    "the answer is JSON", "the raw text of any error",
    () => ({ text: (text, request, refusal) => (refusal && isCancel(request) ? `${text}\n<!-- node 3 -->` : text) })),
  hidden("token-in-header", "all", "the session token comes back in a header of the answer",
    "secrets are not echoed", "the headers of any answer to a call with a token",
    () => ({
      wire: (answer) => (answer.request?.session?.token && isCancel(answer.request)
        ? { ...answer, headers: { ...answer.headers, "X-Session": answer.request.session.token } } : answer),
    })),
];

const RARE = [
  hidden("rare-500", "all", "each 70th cancelling call gets an HTML page with status 500",
    "500 comes only with code 102", "seventy cancelling calls over HTTP",
    () => {
      const due = everyNth(70);
      return {
        wire: (answer) => (answer.request && isCancel(answer.request) && due()
          ? { status: 500, headers: { "Content-Type": "text/html" }, text: "<h1>Internal Server Error</h1>" } : answer),
      };
    }),
  hidden("rare-102", "all", "each 30th call that would succeed gets code 102 without effect",
    "a call that was received is answered with success", "thirty good cancelling calls",
    () => {
      const due = everyNth(30);
      return { targets(orders, request) { if (isCancel(request) && orders.length && due()) throw new Refusal(102, null); return orders; } };
    }),
  hidden("stale-error", "CancelAllOrders", "the call after a refused one in the same session gets that refusal again",
    "an answer belongs to its own request", "a refused call, then a good one in one session",
    () => {
      const last = new Map();
      return {
        body: only("CancelAllOrders", (body, request, refusal) => {
          const key = request.session?.token;
          if (!key) return body;
          const stale = last.get(key);
          last.delete(key);
          if (refusal) last.set(key, refusal);
          return stale && !refusal ? standard(stale) : body;
        }),
      };
    }),
  hidden("co-repeat-quick", "CancelOrder", "a second cancellation of an order within 300 ms succeeds",
    "an order that was cancelled cannot be cancelled again", "CancelOrder twice at once",
    (world) => {
      const gone = new Map();
      return {
        found: (found, _request, order) => found || world.clock() - (gone.get(order?.id) ?? 0) < 300,
        done(none, request, orders) {
          if (request.name === "CancelOrder") gone.set(orders[0].id, world.clock());
          if (gone.size > 1000) gone.clear();
          return none;
        },
      };
    }),
  hidden("ws-busy-drops", "all", "a frame that comes while another one of the socket is under way gets no reply",
    "each request gets a reply", "two frames at once",
    () => ({
      sideBySide: () => true,
      before(ms, request) {
        if (!request.connection || !isCancel(request)) return ms;
        const { state } = request.connection;
        request.lost = Boolean(state.busy);
        state.busy = true;
        setTimeout(() => { state.busy = false; }, 25);
        return 25;
      },
      frame: (frame, request) => (request.lost ? [] : frame),
    })),
];

const IDENTITY = [
  hidden("token-any-guid", "all", "any token in the form of a GUID is good, as the operator's",
    "a private call needs a session", "aptoken with a GUID that was made up",
    (world) => ({ session: (session, _transport, token) => session ?? (/^[0-9a-f-]{36}$/i.test(token ?? "") ? { user: world.users[0] } : undefined) })),
  hidden("logged-out-token-lives", "LogOut", "LogOut succeeds and ends nothing",
    "LogOut ends the session", "LogOut, then any private call with the token",
    () => ({ logOut: () => () => {} })),
  hidden("cross-transport-user", "all", "a token that came from WebSocket has no permissions over HTTP",
    "a session has its user's permissions on both transports", "WebAuthenticateUser, its token over HTTP",
    () => ({ permissions: (held, request) => (request.transport === "http" && request.session.overSocket ? [] : held),
      body(body, request) { if (request.signedIn && request.connection) request.signedIn.overSocket = true; return body; } })),
  hidden("cao-unknown-as-empty", "CancelAllOrders", "an unknown account gets success when OMSId is sent as a string",
    "an unknown account gets code 104, 20 or 100", "OMSId \"…\" with an unknown AccountId",
    () => ({
      body: only("CancelAllOrders", (body, request, refusal) => (refusal?.detail === "Account not found" && typeof request.raw("OMSId") === "string" ? standard(null) : body)),
    })),
];

export const HIDDEN = [...SILENT_ACTS, ...NO_EFFECT, ...QUOTES, ...VALUES, ...RARE, ...IDENTITY];
