// The calls that make orders and quotes, and those that show them.
import { INSTRUMENTS, PRODUCTS } from "./world.js";
import { Refusal, foreign, notFound, showOrder, standard } from "./answers.js";
import { accountOn, integer, mayTouch, needPermission, positive, required, system } from "./params.js";

const SIDES = new Map([[0, "Buy"], [1, "Sell"], ["buy", "Buy"], ["sell", "Sell"]]);

function instrumentOf(request) {
  const id = required(request, "InstrumentId");
  if (!INSTRUMENTS.some((one) => one.id === id)) throw notFound("Instrument");
  return id;
}

function sideOf(request) {
  const raw = request.raw("Side");
  const side = SIDES.get(typeof raw === "string" && !/^\d+$/.test(raw) ? raw.toLowerCase() : Number(raw));
  if (!side) throw new Refusal(100, "Side must be 0 or 1");
  return side;
}

function needRoom(request, account) {
  if (request.world.isFull(account)) throw new Refusal(101, "Too many open orders");
}

export function sendOrder(request) {
  needPermission(request, "Operator", "Trading");
  const account = accountOn(request, system(request));
  const instrument = instrumentOf(request);
  const side = sideOf(request);
  const quantity = positive(request, "Quantity");
  const price = request.raw("LimitPrice") === undefined ? 1 : positive(request, "LimitPrice");
  const clientId = integer(request, "ClientOrderId") ?? 0;
  needRoom(request, account);
  const order = request.world.addOrder(account, { user: request.user, instrument, side, quantity, price, clientId });
  request.gateway.hook("entered", order, request);
  return { status: "Accepted", errormsg: "", OrderId: order.id };
}

export function createQuote(request) {
  needPermission(request, "Operator", "MarketMaker");
  const account = accountOn(request, system(request));
  const instrument = instrumentOf(request);
  const bid = { price: positive(request, "Bid"), quantity: positive(request, "BidQty") };
  const ask = { price: positive(request, "Ask"), quantity: positive(request, "AskQty") };
  needRoom(request, account);
  request.gateway.hook("quoting", null, request, account, instrument);
  const quote = request.world.addQuote(account, request.user, instrument, bid, ask);
  return { BidQuoteId: quote.bid.id, BidResult: standard(null), AskQuoteId: quote.ask.id, AskResult: standard(null) };
}

export function getOpenOrders(request) {
  const account = accountOn(request, system(request));
  const orders = request.world.book(account).filter((order) => !order.isQuote);
  return request.gateway.hook("openOrders", orders, request, account).map(showOrder);
}

/** The newest open quote of the account; without an instrument, on any. */
export function getOpenQuotes(request) {
  const account = accountOn(request, system(request));
  const instrument = integer(request, "InstrumentId") || undefined;
  const legs = request.world.book(account)
    .filter((order) => order.isQuote && (instrument === undefined || order.instrument === instrument));
  const newest = (side) => showOrder(legs.findLast((order) => order.side === side));
  return { Bid: newest("Buy"), Ask: newest("Sell") };
}

export function getOrderStatus(request) {
  const oms = system(request);
  const order = request.world.orders.get(required(request, "OrderId"));
  if (!order || order.oms !== oms) throw notFound("Order");
  if (!mayTouch(request, order.account)) throw foreign();
  return showOrder(order);
}

export function getUserAccounts(request) {
  system(request);
  return [...request.user.accounts];
}

export function getProducts(request) {
  const oms = system(request);
  return PRODUCTS.map((one) => ({
    OMSId: oms, ProductId: one.id, Product: one.name, ProductFullName: one.name, DecimalPlaces: 8,
  }));
}

export function getInstruments(request) {
  const oms = system(request);
  return INSTRUMENTS.map((one) => ({
    OMSId: oms, InstrumentId: one.id, Symbol: one.symbol, Product1: one.product1, Product2: one.product2,
    InstrumentType: "Standard", SessionStatus: "Running",
  }));
}
