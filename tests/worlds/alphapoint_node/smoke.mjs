// A smoke test: starts the gateway and compares some forty answers over HTTP and WebSocket. Run: node smoke.mjs
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import WebSocket from "ws";
import { World } from "./world.js";

const OK = { result: true, errormsg: null, errorcode: 0, detail: null };
const users = new Map(new World().users.map((one) => [one.name, one]));
let count = 0;

async function start() {
  const server = fileURLToPath(new URL("server.js", import.meta.url));
  const child = spawn(process.execPath, [server], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const http = (await lines.next()).value.replace("listening on ", "");
  return { child, http, ws: (await lines.next()).value };
}

function check(actual, expected, what) {
  assert.deepEqual(actual, expected, what);
  count += 1;
}

async function call(http, name, payload, { token, method = "POST", headers = {}, query = "" } = {}) {
  const body = method === "POST" ? (typeof payload === "string" ? payload : JSON.stringify(payload)) : undefined;
  const all = token ? { ApToken: token, ...headers } : headers;
  const reply = await fetch(`${http}/AP/${name}${query}`, { method, body, headers: all });
  const text = await reply.text();
  try {
    return { status: reply.status, body: JSON.parse(text) };
  } catch {
    return { status: reply.status, body: text };
  }
}

async function signIn(http, name) {
  const basic = Buffer.from(`${name}:${users.get(name).password}`).toString("base64");
  const { body } = await call(http, "Authenticate", "", { method: "GET", headers: { Authorization: `Basic ${basic}` } });
  check([body.Authenticated, body.User.UserName], [true, name], `sign-in of ${name}`);
  return body.SessionToken;
}

function signedHeaders(name, nonce) {
  const { id, apiKey, apiSecret } = users.get(name);
  const Signature = createHmac("sha256", apiSecret).update(`${nonce}${id}${apiKey}`).digest("hex");
  return { APIKey: apiKey, Signature, UserId: String(id), Nonce: nonce };
}

async function openSocket(address) {
  const socket = new WebSocket(address);
  const waiting = [];
  const early = [];
  socket.on("message", (data) => {
    const frame = JSON.parse(data.toString());
    if (waiting.length) waiting.shift()(frame);
    else early.push(frame);
  });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const next = () => (early.length ? Promise.resolve(early.shift()) : new Promise((resolve) => waiting.push(resolve)));
  const ask = (frame) => {
    socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    return next();
  };
  return { socket, ask, call: async (n, payload, i = 2) => JSON.parse((await ask({ m: 0, i, n, o: JSON.stringify(payload) })).o) };
}

const order = (AccountId, more = {}) => (
  { OMSId: 11, AccountId, InstrumentId: 501, Side: 0, Quantity: 1, OrderType: 2, LimitPrice: 10, TimeInForce: 1, ...more });
const refused = (errorcode, errormsg, detail = null) => ({ result: false, errormsg, errorcode, detail });
const quote = { OMSId: 11, AccountId: 3211, InstrumentId: 501, Bid: 9, BidQty: 1, Ask: 11, AskQty: 1 };

async function overHttp(http) {
  const token = await signIn(http, "trader-1");
  const operator = { headers: signedHeaders("ops", "17") };
  const send = async (...parameters) => (await call(http, "SendOrder", order(...parameters), { token })).body.OrderId;
  const open = async (AccountId) => (await call(http, "GetOpenOrders", { OMSId: 11, AccountId }, operator)).body.map((one) => one.OrderId);
  const all = async (payload, more = { token }) => (await call(http, "CancelAllOrders", payload, more)).body;

  const [first, second, other] = [await send(3111), await send(3111, { InstrumentId: 502, Side: 1 }), await send(3112)];
  check(await open(3111), [first, second], "open orders");
  check(await all({ OMSId: 11, AccountId: 3111 }), OK, "cancel all");
  check([await open(3111), await open(3112)], [[], [other]], "only the named account");
  check(await all({ OMSId: 11, AccountId: 3111 }), OK, "cancel all with nothing open");
  const third = await send(3111);
  check(await all({ omsid: "11" }), OK, "default account, key case, integer as a string");
  check([await open(3111), await open(3112)], [[], [other]], "the default account alone");
  check(await all({ AccountId: 3111 }), refused(100, "Invalid Request", "OMSId is Required"), "no OMS");
  check(await all({ OMSId: 11, AccountId: 3111.5 }), refused(100, "Invalid Request", "AccountId must be an integer"), "fraction");
  check(await all({ OMSId: 11, AccountId: 3511 }), refused(20, "Not Authorized"), "foreign account");
  check(await all({ OMSId: 5, AccountId: 3111 }), refused(104, "Resource Not Found", "OMS not found"), "unknown OMS");
  check((await all({ OMSId: 12, AccountId: 3111 })).errorcode, 104, "account of another OMS");
  check(await all("{\"OMSId\":11,\"AccountId\":9007199254740993}"), refused(104, "Resource Not Found", "Account not found"), "long id");
  check((await all("{\"OMSId\":11,")).errorcode, 100, "not JSON");
  check((await all({ OMSId: 11, AccountId: 3901 }, operator)).errorcode, 101, "operation failed");
  check((await all({ OMSId: 11, AccountId: 3902 }, operator)).errorcode, 102, "server error");
  check((await all({ OMSId: 19, AccountId: 3903 }, operator)).errorcode, 106, "not supported");
  const one = async (payload) => (await call(http, "CancelOrder", payload, { token })).body;
  check(await one({ OMSId: 11, OrderId: other }), OK, "cancel order");
  check((await one({ OMSId: 11, OrderId: other })).errorcode, 104, "cancel order again");
  check((await one({ OMSId: 11, OrderId: third })).errorcode, 104, "order gone with cancel all");
  await send(3112, { ClientOrderId: 88 });
  check(await one({ OMSId: 11, ClOrderId: 88, AccountId: 3112 }), OK, "by client id");
  check(await call(http, "CancelAllOrders", { OMSId: 11 }), { status: 404, body: "NOT FOUND" }, "no session");
  check(await call(http, "CancelEverything", {}, { token }), { status: 404, body: "NOT FOUND" }, "unknown call");
  check((await call(http, "CancelAllOrders", "", { token, method: "GET", query: "?OMSId=11" })).status, 404, "GET does not cancel");
  check((await call(http, "GetUserAccounts", "", { token, method: "GET", query: "?omsid=11" })).body, [3111, 3112], "GET reads");
  check((await call(http, "LogOut", {}, { token })).body, OK, "log out");
  check((await call(http, "GetUserAccounts", { OMSId: 11 }, { token })).status, 404, "the token is gone");
}

async function overWebSocket(address, http) {
  const { socket, ask, call: send } = await openSocket(address);
  const bad = { BidResult: refused(104, "Resource Not Found", "Quote not found"), AskResult: refused(104, "Resource Not Found", "Quote not found") };
  check(await ask({ m: 0, i: 0, n: "Ping", o: "{}" }), { m: 1, i: 0, n: "Ping", o: "{\"msg\":\"PONG\"}" }, "ping with i 0");
  check((await ask("{\"m\":0,\"i\":4,\"n\":\"NoCall\",\"o\":\"{}\"}")), { m: 5, i: 4, n: "NoCall", o: "Endpoint Not Found" }, "unknown call");
  check((await send("CancelQuote", {})).BidResult.errorcode, 20, "no session");
  check((await send("WebAuthenticateUser", { UserName: "maker-1", Password: "wrong" })).Authenticated, false, "wrong password");
  const login = await send("WebAuthenticateUser", { UserName: "maker-1", Password: users.get("maker-1").password });
  check([login.Authenticated, login.User.AccountId], [true, 3211], "sign-in");
  socket.send("this is not JSON");
  const { BidQuoteId: bid, AskQuoteId: askId } = await send("CreateQuote", quote);
  const cancel = (more) => send("CancelQuote", { omsId: 11, bidQuoteId: bid, askQuoteId: askId, ...more });
  check(await cancel({ askQuoteId: 1 }), bad, "one wrong id");
  check(await cancel({ instrumentId: 502 }), bad, "wrong instrument");
  check(await cancel({ accountId: 3212 }), bad, "the maker's other account");
  check((await cancel({ accountId: 3511 })).AskResult.errorcode, 20, "foreign account");
  check((await cancel({ askQuoteId: null })).BidResult.detail, "AskQuoteId is Required", "no AskQuoteId");
  check((await send("GetOpenQuotes", { OMSId: 11, AccountId: 3211, InstrumentId: 501 })).Bid.OrderId, bid, "still open");
  check(await cancel({}), { BidResult: OK, AskResult: OK }, "cancel quote");
  check(await send("GetOpenQuotes", { OMSId: 11, AccountId: 3211, InstrumentId: 501 }), { Bid: null, Ask: null }, "gone");
  check(await cancel({}), bad, "cancel quote again");
  check((await send("CancelAllOrders", { OMSId: 11 })).errorcode, 20, "market makers cancel no orders");
  check((await call(http, "GetUserAccounts", { OMSId: 11 }, { token: login.SessionToken })).body, [3211, 3212], "the token serves HTTP");
  socket.close();
}

const { child, http, ws } = await start();
try {
  await overHttp(http);
  await overWebSocket(ws, http);
  console.log(`${count} checks passed`);
} finally {
  child.kill();
}
