// The state of the gateway: users, accounts, sessions, orders and quotes. It knows nothing of calls or transports.
import { randomUUID } from "node:crypto";

export const SYSTEMS = [11, 12, 19];
export const SYSTEM_WITHOUT_CANCELLING = 19;
export const INSTRUMENTS = [
  { id: 501, symbol: "BTCUSD", product1: 1, product2: 2 },
  { id: 502, symbol: "ETHUSD", product1: 3, product2: 2 },
];
export const PRODUCTS = [{ id: 1, name: "BTC" }, { id: 2, name: "USD" }, { id: 3, name: "ETH" }];

const DESKS = [1, 2, 3, 4];
const MOST_OPEN_PER_ACCOUNT = 5000;
const MOST_CLOSED_KEPT = 50000;
const MOST_SESSIONS = 20000;

/** What is wrong with some accounts, by operation: a code, and whether only the first attempt fails. */
const SICK_ACCOUNTS = new Map([
  [3901, { code: 101, calls: ["CancelAllOrders", "CancelQuote"] }],
  [3902, { code: 102, calls: ["CancelAllOrders", "CancelQuote"] }],
  [3904, { code: 101, calls: ["CancelOrder"] }],
  [3905, { code: 102, calls: ["CancelOrder"] }],
]);

function makeUsers() {
  const users = [
    user(70, "ops", ["Operator"], [3000]),
    user(71, "nobody", [], [3601]),
    user(72, "elsewhere", ["Trading", "MarketMaker"], [3801], 12),
    user(73, "hospital", ["Trading", "MarketMaker"], [3901, 3902, 3904, 3905]),
    user(74, "museum", ["Trading", "MarketMaker"], [3903], 19),
    user(75, "partner", ["Trading"], [3701, 3112]),
  ];
  for (const desk of DESKS) users.push(...deskUsers(desk));
  return users;
}

function deskUsers(desk) {
  const tens = desk * 10;
  return [
    user(100 + desk, `trader-${desk}`, ["Trading"], [3101 + tens, 3102 + tens]),
    user(200 + desk, `maker-${desk}`, ["MarketMaker"], [3201 + tens, 3202 + tens]),
    user(500 + desk, `bystander-${desk}`, ["Trading", "MarketMaker"], [3501 + tens]),
  ];
}

function user(id, name, permissions, accounts, oms = 11) {
  return { id, name, permissions, accounts, oms, defaultAccount: accounts[0] };
}

/** The environment variable that holds a user's secret. */
export function secretName(name, kind = "PASSWORD") {
  return `WORLD_${name.toUpperCase().replaceAll("-", "_")}_${kind}`;
}

function secretOf(name, kind) {
  return process.env[secretName(name, kind)] || `zq4-${name}-${kind.toLowerCase()}-81xw`;
}

export class World {
  constructor({ clock = Date.now, firstOrderId = 600001, sessionMs = 3600000 } = {}) {
    Object.assign(this, { clock, sessionMs, nextOrderId: firstOrderId });
    this.users = makeUsers();
    for (const one of this.users) this.#giveSecrets(one);
    this.accounts = new Map();
    for (const one of this.users) for (const id of one.accounts) this.#openAccount(id, one.oms);
    this.orders = new Map();
    this.closed = [];
    this.sessions = new Map();
    this.attempts = new Set();
  }

  #giveSecrets(one) {
    one.password = secretOf(one.name, "PASSWORD");
    one.apiKey = secretOf(one.name, "KEY");
    one.apiSecret = secretOf(one.name, "SECRET");
  }

  #openAccount(id, oms) {
    if (!this.accounts.has(id)) this.accounts.set(id, { id, oms, open: new Map() });
  }

  // ---- Sessions ----

  openSession(user) {
    if (this.sessions.size >= MOST_SESSIONS) this.#dropOldestSession();
    const session = { token: randomUUID(), user, opened: this.clock(), used: this.clock() };
    this.sessions.set(session.token, session);
    return session;
  }

  #dropOldestSession() {
    this.sessions.delete(this.sessions.keys().next().value);
  }

  /** The living session of a token, whose hour starts anew; undefined when there is none. */
  useSession(token) {
    const session = this.sessions.get(token);
    if (!session) return undefined;
    if (this.clock() - session.used > this.sessionMs) {
      this.sessions.delete(token);
      return undefined;
    }
    session.used = this.clock();
    return session;
  }

  closeSession(session) {
    this.sessions.delete(session.token);
  }

  // ---- Orders and quotes ----

  isFull(account) {
    return account.open.size >= MOST_OPEN_PER_ACCOUNT;
  }

  addOrder(account, fields) {
    const order = {
      id: this.nextOrderId, account, oms: account.oms, clientId: 0, isQuote: false, pair: null,
      state: "Working", leaving: false, entered: this.clock(), ...fields,
    };
    this.nextOrderId += 1;
    this.orders.set(order.id, order);
    account.open.set(order.id, order);
    return order;
  }

  addQuote(account, user, instrument, bid, ask) {
    const common = { isQuote: true, user, instrument };
    const first = this.addOrder(account, { ...common, side: "Buy", ...bid });
    const second = this.addOrder(account, { ...common, side: "Sell", ...ask });
    first.pair = second;
    second.pair = first;
    return { bid: first, ask: second };
  }

  /** Orders that can still be cancelled; one whose cancellation was accepted is not among them. */
  openOrders(account) {
    return [...account.open.values()].filter((order) => !order.isQuote && !order.leaving);
  }

  openQuotes(account) {
    return [...account.open.values()].filter((order) => order.isQuote && !order.leaving);
  }

  /** All that the book still shows, those on their way out included. */
  book(account) {
    return [...account.open.values()];
  }

  isOpen(order) {
    return order !== undefined && !order.leaving && order.account.open.has(order.id);
  }

  close(order) {
    order.state = "Canceled";
    order.leaving = true;
    if (!order.account.open.delete(order.id)) return;
    this.closed.push(order.id);
    if (this.closed.length > MOST_CLOSED_KEPT) this.#forgetHalf();
  }

  reopen(order) {
    Object.assign(order, { state: "Working", leaving: false });
    order.account.open.set(order.id, order);
  }

  #forgetHalf() {
    for (const id of this.closed.splice(0, MOST_CLOSED_KEPT / 2)) {
      this.orders.delete(id);
      for (const code of [101, 102]) this.attempts.delete(`${code}/${id}`);
    }
  }

  // ---- Accounts on which cancelling fails ----

  /** The code with which a cancellation on this account fails now, or 0. */
  sickness(call, account, orderId) {
    const sick = SICK_ACCOUNTS.get(account.id);
    if (!sick || !sick.calls.includes(call)) return 0;
    if (orderId === undefined) return sick.code;
    const attempt = `${sick.code}/${orderId}`;
    if (this.attempts.has(attempt)) return 0;
    this.attempts.add(attempt);
    return sick.code;
  }
}
