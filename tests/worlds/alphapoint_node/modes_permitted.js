// Differences that the documents leave free: a harness must accept each of them.
import { isObject, writeJson } from "./json.js";
import { Refusal, standard } from "./answers.js";
import { everyNth, isCancel as cancels } from "./mode_parts.js";

const JSON_TYPE = { "Content-Type": "application/json" };
const INT32 = 2147483647;
const LONG = ["InstrumentId", "ClientOrderId", "ClOrderId"];

const permitted = (name, text, start) => ({ kind: "permitted", name, text, start });

/** Applies a change to every standard object in the answer of a cancelling call. */
function eachStandard(change) {
  return {
    body(body, request, refusal) {
      if (!cancels(request)) return body;
      if ("result" in body) return change({ ...body }, request, refusal);
      return Object.fromEntries(Object.entries(body).map(([leg, object]) => [leg, change({ ...object }, request, refusal)]));
    },
  };
}

function rename(value, spell) {
  if (Array.isArray(value)) return value.map((one) => rename(one, spell));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [spell(key), rename(member, spell)]));
}

const keys = (spell) => () => ({ body: (body) => rename(body, spell) });
const camel = (key) => key[0].toLowerCase() + key.slice(1);
const PASCAL = { result: "Result", errormsg: "ErrorMsg", errorcode: "ErrorCode", detail: "Detail", status: "Status", msg: "Msg" };

const statusByCode = (statuses) => () => ({
  status: (status, _request, refusal) => (refusal ? statuses[refusal.code] ?? 400 : status),
});

const ANSWERS = [
  permitted("errormsg-empty", "a success has errormsg \"\" in place of null",
    () => eachStandard((object) => ({ ...object, errormsg: object.errormsg ?? "" }))),
  permitted("detail-empty", "detail is \"\" where there is nothing to say",
    () => eachStandard((object) => ({ ...object, detail: object.detail ?? "" }))),
  permitted("detail-omitted", "detail is left out where there is nothing to say", () => eachStandard((object) => {
    if (object.detail === null) delete object.detail;
    return object;
  })),
  permitted("detail-text", "a success has a text in detail",
    () => eachStandard((object) => ({ ...object, detail: object.detail ?? "Request taken" }))),
  permitted("keys-camel", "keys of all answers start in lower case", keys(camel)),
  permitted("keys-pascal", "keys of all answers start in upper case", keys((key) => PASCAL[key] ?? key)),
  permitted("keys-lower", "keys of all answers are in lower case", keys((key) => key.toLowerCase())),
  permitted("legs-as-strings", "each result of CancelQuote is a string that holds JSON", () => ({
    body: (body, request) => (request.name === "CancelQuote" && !("result" in body)
      ? { BidResult: writeJson(body.BidResult), AskResult: writeJson(body.AskResult) } : body),
  })),
  permitted("early-error-flat", "an error found before the legs comes as one flat object", () => ({
    body: (body, request, refusal) => (request.name === "CancelQuote" && refusal && !request.legsJudged ? standard(refusal) : body),
  })),
  permitted("text-100-response", "code 100 of CancelAllOrders says Invalid Response", () => ({
    body: (body, request, refusal) => (request.name === "CancelAllOrders" && refusal?.code === 100
      ? { ...body, errormsg: "Invalid Response" } : body),
  })),
  permitted("spaced-json", "answers are indented JSON with spaces around", () => ({
    text: (text) => ` \n${writeJson(JSON.parse(text), 2)}\n`,
  })),
];

const STATUS = [
  permitted("status-400", "errors have status 400, Server Error 500", statusByCode({ 102: 500 })),
  permitted("status-404", "errors have status 404, Server Error 500", statusByCode({ 20: 404, 100: 404, 101: 404, 102: 500, 104: 404, 106: 404 })),
  permitted("status-by-code", "each error code has a 4xx of its own, Server Error 500",
    statusByCode({ 20: 403, 100: 400, 101: 409, 102: 500, 104: 404, 106: 405 })),
  permitted("no-session-standard", "a call without a session gets the standard object with code 20 over HTTP", () => ({
    sessionErrorAsObject: () => true,
  })),
  permitted("wrong-method-405", "a method that is not served gets 405 and the standard object", () => ({
    wrongMethod: () => ({ status: 405, headers: JSON_TYPE, text: writeJson(standard(new Refusal(106, "POST only"))) }),
  })),
];

const READINGS = [
  permitted("foreign-104", "another user's account is hidden: code 104", () => ({
    refuse: (refusal) => (refusal.foreign ? new Refusal(104, "Account not found") : refusal),
  })),
  permitted("unknown-account-20", "an account that does not exist gets code 20, except for an operator", () => ({
    unknownAccount: (refusal, request) => (request.user.permissions.includes("Operator") ? refusal : new Refusal(20)),
  })),
  permitted("unknown-oms-100", "an unknown OMS gets code 100 with a detail", () => ({
    refuse: (refusal) => (refusal.code === 104 && refusal.detail.startsWith("OMS") ? new Refusal(100, "OMSId is not valid") : refusal),
  })),
  permitted("int32-ids", "integers beyond 32 bits are refused with code 100, except InstrumentId and ClientOrderId", () => ({
    integer(value, _request, name) {
      if (!LONG.includes(name) && (value > INT32 || value < -INT32)) throw new Refusal(100, `${name} is out of range`);
      return value;
    },
  })),
  permitted("oms-zero", "OMSId 0 means the caller's own OMS", () => ({
    integer: (value, request, name) => (name === "OMSId" && value === 0 ? request.user?.oms ?? 11 : value),
  })),
  permitted("account-required", "CancelAllOrders without an AccountId, or with 0, is refused with code 100", () => ({
    omitted() { throw new Refusal(100, "AccountId is Required"); },
  })),
  permitted("account-zero-unknown", "AccountId 0 is an unknown account to CancelAllOrders", () => ({
    omitted: (ids, _request, { zero }) => (zero ? [0] : ids),
  })),
  permitted("account-omitted-all", "CancelAllOrders without an AccountId takes every account the caller may touch", (world) => ({
    omitted(_ids, request, { oms }) {
      if (!request.user.permissions.includes("Operator")) return request.user.accounts;
      return [...world.accounts.values()].filter((one) => one.oms === oms && !world.sickness(request.name, one)).map((one) => one.id);
    },
  })),
  permitted("cao-takes-quotes", "CancelAllOrders takes the open quotes of the account, too", (world) => ({
    targets: (orders, request) => (request.name === "CancelAllOrders"
      ? [...orders, ...request.accounts.flatMap((account) => world.openQuotes(account))] : orders),
  })),
  permitted("cao-instrument-honoured", "CancelAllOrders heeds an InstrumentId, or an IntrumentId", () => ({
    targets(orders, request) {
      if (request.name !== "CancelAllOrders") return orders;
      const wanted = Number(request.raw("InstrumentId") ?? request.raw("IntrumentId") ?? 0);
      return wanted ? orders.filter((order) => order.instrument === wanted) : orders;
    },
  })),
  permitted("mixed-legs-alone", "of one right and one wrong quote id each is judged alone", () => ({
    legs(plan, _request, { bid, ask }) {
      if (Boolean(bid) === Boolean(ask)) return plan;
      return { refusals: [bid ? null : plan.refusals[0], ask ? null : plan.refusals[1]], taken: [bid ?? ask] };
    },
  })),
  permitted("quote-gone-success", "cancelling a quote that is unknown or gone succeeds", (world) => ({
    legs(plan, request) {
      const open = ["BidQuoteId", "AskQuoteId"].some((name) => world.isOpen(world.orders.get(Number(request.raw(name)))));
      return open ? plan : { refusals: [null, null], taken: [] };
    },
  })),
];

const STATE = [
  permitted("wide-order-ids", "order and quote ids are wider than 32 bits", (world) => {
    world.nextOrderId = 2 ** 40 + 1;
    return {};
  }),
  permitted("cancels-settle-later", "an accepted cancellation shows 400 ms later", () => ({
    effect: (close, _request, order) => () => {
      order.leaving = true;
      setTimeout(close, 400);
    },
  })),
  permitted("working-local-first", "an order is WorkingLocal for 80 ms before it is Working", () => ({
    entered(order) {
      order.state = "WorkingLocal";
      setTimeout(() => { if (order.state === "WorkingLocal") order.state = "Working"; }, 80);
      return order;
    },
  })),
  permitted("quotes-in-open-orders", "GetOpenOrders shows the legs of quotes, too", (world) => ({
    openOrders: (orders, _request, account) => [...orders, ...world.book(account).filter((order) => order.isQuote)],
  })),
  permitted("one-quote-per-instrument", "a new quote replaces the account's older one on the instrument", (world) => ({
    quoting(_none, _request, account, instrument) {
      for (const leg of world.openQuotes(account)) if (leg.instrument === instrument) world.close(leg);
    },
  })),
];

const WIRE = [
  permitted("ws-error-frames", "errors over WebSocket come in frames with m 5", () => ({
    frame: (frame, _request, refusal) => (refusal ? { ...frame, m: 5 } : frame),
  })),
  permitted("ws-frame-order", "the members of a frame come in another order", () => ({
    frame: ({ m, i, n, o }) => ({ o, n, i, m }),
  })),
  permitted("ws-events", "event frames come before and after each reply", () => ({
    frame(frame, request) {
      const event = { m: 3, i: 0, n: "OrderStateEvent", o: writeJson({ OMSId: 11, OrderState: "Canceled" }) };
      return cancels(request) ? [event, frame, event] : frame;
    },
  })),
  permitted("ws-payload-objects", "a payload that is an object and no string is read", () => ({
    payload: (payload) => (isObject(payload) ? writeJson(payload) : payload),
  })),
  permitted("unparsable-error-frame", "a text that is not JSON gets a frame with m 5 and bare text", () => ({
    unreadable: (_none, connection) => connection.send({ m: 5, i: 0, n: "", o: "Invalid Frame" }),
  })),
  permitted("unparsable-standard", "a text that is not JSON gets the standard object with code 100", () => ({
    unreadable: (_none, connection) => connection.send({ m: 5, i: 0, n: "", o: writeJson(standard(new Refusal(100, "Not JSON"))) }),
  })),
  permitted("no-content-type", "answers have no Content-Type", () => ({
    wire({ headers: { "Content-Type": _type, ...headers }, ...answer }) {
      return { ...answer, headers };
    },
  })),
  permitted("chunked", "answers come in chunks of seven characters", () => ({
    wire: (answer) => ({ ...answer, chunks: answer.text.match(/[^]{1,7}/g) ?? [""] }),
  })),
  permitted("connection-close", "each answer closes its connection", () => ({
    wire: (answer) => ({ ...answer, headers: { ...answer.headers, Connection: "close" } }),
  })),
  permitted("slow-answers", "each cancelling call takes up to 250 ms", () => {
    let last = 0;
    return { after: (ms, request) => (cancels(request) ? (last = (last + 90) % 250) : ms) };
  }),
  permitted("slow-sockets", "each cancelling call over WebSocket is answered after 700 ms", () => ({
    after: (ms, request) => (cancels(request) && request.transport === "ws" ? 700 : ms),
  })),
  permitted("cookie-token", "the session token is also set and read as a cookie", () => ({
    token: (token, headers) => token ?? /(?:^|;\s*)aptoken=([\w-]+)/i.exec(headers.cookie ?? "")?.[1],
    wire: (answer) => (answer.request?.signedIn
      ? { ...answer, headers: { ...answer.headers, "Set-Cookie": `aptoken=${answer.request.signedIn.token}; Path=/; HttpOnly` } } : answer),
  })),
];

const LIMITS = [
  permitted("throttle-429", "each 40th HTTP request gets 429 with Retry-After", () => {
    const due = everyNth(40);
    return { turnedAway: (away) => (due() ? { status: 429, headers: { "Retry-After": "1" }, text: "TOO MANY REQUESTS" } : away) };
  }),
  permitted("throttle-text-200", "each 60th HTTP request gets the text TOO MANY REQUESTS with status 200", () => {
    const due = everyNth(60);
    return { turnedAway: (away) => (due() ? { status: 200, headers: { "Content-Type": "text/plain" }, text: "TOO MANY REQUESTS" } : away) };
  }),
  permitted("handshake-429", "each third WebSocket handshake gets 429 with a date in Retry-After", () => {
    const due = everyNth(3);
    const soon = () => new Date(Date.now() + 1000).toUTCString();
    return { handshake: (refusal) => refusal ?? (due() ? `429 Too Many Requests\r\nRetry-After: ${soon()}` : null) };
  }),
  permitted("balancer-503", "each 80th HTTP request gets a load balancer's own 503 page", () => {
    const due = everyNth(80);
    const page = "<html><body><h1>503 Service Unavailable</h1></body></html>";
    return { turnedAway: (away) => (due() ? { status: 503, headers: { "Content-Type": "text/html" }, text: page } : away) };
  }),
  permitted("recycled-sockets", "each socket is closed with 1012 after 30 replies", () => ({
    replied(_none, connection) {
      connection.state.replies = (connection.state.replies ?? 0) + 1;
      if (connection.state.replies === 30) connection.socket.close(1012, "restart");
    },
  })),
  permitted("sessions-dropped", "each 200th use of a session ends it", (world) => {
    const due = everyNth(200);
    return {
      session(session) {
        if (!session || !due()) return session;
        world.closeSession(session);
        return undefined;
      },
    };
  }),
];

export const PERMITTED = [...ANSWERS, ...STATUS, ...READINGS, ...STATE, ...WIRE, ...LIMITS];
