// The standard response object, the pair of CancelQuote, and the error that carries a documented code.

const TEXTS = new Map([
  [20, "Not Authorized"],
  [100, "Invalid Request"],
  [101, "Operation Failed"],
  [102, "Server Error"],
  [104, "Resource Not Found"],
  [106, "Operation Not Supported"],
]);

/** A request is refused. `noSession` marks the refusal of a caller who has not signed in. */
export class Refusal extends Error {
  constructor(code, detail = null, noSession = false) {
    super(TEXTS.get(code));
    Object.assign(this, { code, detail, noSession });
  }
}

export function standard(refusal) {
  if (!refusal) return { result: true, errormsg: null, errorcode: 0, detail: null };
  return { result: false, errormsg: refusal.message, errorcode: refusal.code, detail: refusal.detail };
}

export function pair(bid, ask) {
  return { BidResult: standard(bid), AskResult: standard(ask) };
}

/** The caller named what belongs to another user. */
export function foreign() {
  return Object.assign(new Refusal(20, null), { foreign: true });
}

export function notFound(thing) {
  return new Refusal(104, `${thing} not found`);
}

/** An order as the reading calls show it. */
export function showOrder(order) {
  if (!order) return null;
  return {
    Side: order.side, OrderId: order.id, Price: order.price, Quantity: order.quantity, DisplayQuantity: order.quantity,
    Instrument: order.instrument, Account: order.account.id, OrderType: "Limit", ClientOrderId: order.clientId,
    OrderState: order.state, ReceiveTime: order.entered, OrigQuantity: order.quantity, QuantityExecuted: 0,
    EnteredBy: order.user.id, IsQuote: order.isQuote, OMSId: order.oms,
  };
}
