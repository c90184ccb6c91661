// The three calls that cancel: CancelAllOrders, CancelQuote and CancelOrder.
import { Refusal, foreign, notFound, pair, standard } from "./answers.js";
import { accountOn, cancellingSystem, integer, isOperator, mayTouch, needPermission, openAccount, required } from "./params.js";

/** Takes orders off the book, as the modes see fit. */
function takeOff(request, orders) {
  for (const order of request.gateway.hook("targets", orders, request)) {
    const close = request.gateway.hook("effect", () => request.world.close(order), request, order);
    close();
  }
  request.gateway.hook("done", null, request, orders);
}

function failIfSick(request, account, orderId) {
  const code = request.world.sickness(request.name, account, orderId);
  if (code) throw new Refusal(code, code === 101 ? "The account is frozen" : null);
}

// ---- CancelAllOrders ----

export function cancelAllOrders(request) {
  needPermission(request, "Operator", "Trading");
  const oms = cancellingSystem(request);
  const accounts = accountsToClear(request, oms);
  request.accounts = accounts;
  for (const account of accounts) failIfSick(request, account);
  takeOff(request, accounts.flatMap((account) => request.world.openOrders(account)));
  return standard(null);
}

function accountsToClear(request, oms) {
  const id = integer(request, "AccountId");
  if (id !== undefined && id !== 0) return [openAccount(request, oms, id)];
  const own = [request.user.defaultAccount];
  const ids = request.gateway.hook("omitted", own, request, { zero: id === 0, oms });
  return ids.map((one) => openAccount(request, oms, one));
}

// ---- CancelOrder ----

export function cancelOrder(request) {
  needPermission(request, "Operator", "Trading");
  const oms = cancellingSystem(request);
  const order = namedOrder(request, oms);
  failIfSick(request, order.account, order.id);
  takeOff(request, [order]);
  return standard(null);
}

function namedOrder(request, oms) {
  const id = integer(request, "OrderId") || undefined;
  const clientId = integer(request, "ClientOrderId") || integer(request, "ClOrderId") || undefined;
  if (id === undefined && clientId === undefined) throw new Refusal(100, "OrderId is Required");
  const account = chosenAccount(request, oms);
  const order = id === undefined ? orderOfClient(request, oms, clientId, account) : orderOfId(request, oms, id, account);
  if (clientId !== undefined && order.clientId !== clientId) throw notFound("Order");
  return order;
}

function chosenAccount(request, oms) {
  const id = integer(request, "AccountId");
  return id === undefined || id === 0 ? null : openAccount(request, oms, id);
}

function orderOfId(request, oms, id, account) {
  const order = request.world.orders.get(id);
  const found = order && !order.isQuote && order.oms === oms && request.world.isOpen(order);
  if (!request.gateway.hook("found", Boolean(found), request, order)) throw notFound("Order");
  if (!mayTouch(request, order.account)) throw foreign();
  const matches = !account || order.account === account;
  if (!request.gateway.hook("sameAccount", matches, request, order)) throw notFound("Order in this account");
  return order;
}

function orderOfClient(request, oms, clientId, account) {
  const orders = accountsOf(request, oms, account)
    .flatMap((one) => request.world.openOrders(one))
    .filter((order) => order.clientId === clientId);
  if (orders.length > 1) throw new Refusal(100, "ClientOrderId stands for several orders");
  if (orders.length === 0) throw notFound("Order");
  return request.gateway.hook("clientOrder", orders[0], request);
}

function accountsOf(request, oms, account) {
  if (account) return [account];
  const all = [...request.world.accounts.values()].filter((one) => one.oms === oms);
  return isOperator(request) ? all : all.filter((one) => mayTouch(request, one));
}

// ---- CancelQuote ----

export function cancelQuote(request) {
  needPermission(request, "Operator", "MarketMaker");
  const oms = cancellingSystem(request);
  const ids = { bid: required(request, "BidQuoteId"), ask: required(request, "AskQuoteId") };
  const instrument = integer(request, "InstrumentId");
  const account = accountOn(request, oms);
  const legs = { bid: leg(request, account, instrument, ids.bid, "Buy"), ask: leg(request, account, instrument, ids.ask, "Sell") };
  return cancelLegs(request, account, legs);
}

/** The open leg of that id, side, account and instrument, or null. */
function leg(request, account, instrument, id, side) {
  const order = request.world.orders.get(id);
  if (!order || !order.isQuote || order.side !== side || !request.world.isOpen(order)) return null;
  const mine = request.gateway.hook("quoteAccount", order.account === account, request, order);
  const traded = instrument === undefined || instrument === 0 || order.instrument === instrument;
  return mine && request.gateway.hook("quoteInstrument", traded, request, order) ? order : null;
}

/** Both legs of one quote go, or none does. */
function cancelLegs(request, account, { bid, ask }) {
  const whole = Boolean(bid && ask && bid.pair === ask);
  const missing = notFound("Quote");
  const plan = request.gateway.hook("legs", {
    refusals: whole ? [null, null] : [missing, missing],
    taken: whole ? [bid, ask] : [],
  }, request, { bid, ask, account });
  if (plan.taken.length > 0) failIfSick(request, account, plan.taken[0].id);
  request.partRefused = plan.refusals.find(Boolean);
  request.legsJudged = true;
  takeOff(request, plan.taken);
  return pair(...plan.refusals);
}
