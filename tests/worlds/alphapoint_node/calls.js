// The table of calls: what runs them, whether they need a session, and whether they only read.
import { pair } from "./answers.js";
import { cancelAllOrders, cancelOrder, cancelQuote } from "./cancel.js";
import { authenticate, logOut } from "./signin.js";
import * as trading from "./trading.js";

const signIn = { run: authenticate, isPrivate: false, reads: true };
const reading = (run, isPrivate = true) => ({ run, isPrivate, reads: true });
const acting = (run, shape) => ({ run, isPrivate: true, reads: false, shape });

export const CALLS = new Map([
  ["Authenticate", signIn],
  ["AuthenticateUser", signIn],
  ["WebAuthenticateUser", signIn],
  ["LogOut", acting(logOut)],
  ["Ping", reading(() => ({ msg: "PONG" }), false)],
  ["GetProducts", reading(trading.getProducts, false)],
  ["GetInstruments", reading(trading.getInstruments, false)],
  ["GetUserAccounts", reading(trading.getUserAccounts)],
  ["GetOpenOrders", reading(trading.getOpenOrders)],
  ["GetOpenQuotes", reading(trading.getOpenQuotes)],
  ["GetOrderStatus", reading(trading.getOrderStatus)],
  ["SendOrder", acting(trading.sendOrder)],
  ["CreateQuote", acting(trading.createQuote)],
  ["CancelAllOrders", acting(cancelAllOrders)],
  ["CancelOrder", acting(cancelOrder)],
  ["CancelQuote", acting(cancelQuote, (refusal) => pair(refusal, refusal))],
]);
