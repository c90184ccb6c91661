// Reads the parameters of a request: integers, the OMS, the account, and what the caller may touch.
import { SYSTEMS, SYSTEM_WITHOUT_CANCELLING } from "./world.js";
import { Refusal, foreign, notFound } from "./answers.js";

const INTEGER_TEXT = /^-?\d{1,19}$/;
const LONGEST = 2n ** 63n;

/** An integer parameter, also when it was sent as a string; undefined when absent. Others get code 100. */
export function integer(request, name) {
  return request.gateway.hook("integer", asInteger(request.raw(name), name), request, name);
}

function asInteger(value, name) {
  if (value === undefined) return undefined;
  const exact = exactInteger(value);
  if (exact === null) throw new Refusal(100, `${name} must be an integer`);
  if (exact >= LONGEST || exact < -LONGEST) throw new Refusal(100, `${name} is out of range`);
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

function exactInteger(value) {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (typeof value === "string" && INTEGER_TEXT.test(value)) return BigInt(value);
  return null;
}

export function required(request, name) {
  const value = integer(request, name);
  if (value === undefined) throw new Refusal(100, `${name} is Required`);
  return value;
}

/** A number above zero, such as a price. */
export function positive(request, name) {
  const raw = request.raw(name);
  const value = typeof raw === "string" || typeof raw === "number" ? Number(raw) : NaN;
  if (!Number.isFinite(value) || value <= 0) throw new Refusal(100, `${name} must be a number above zero`);
  return value;
}

export function system(request) {
  const oms = required(request, "OMSId");
  if (!SYSTEMS.includes(oms)) throw notFound("OMS");
  return oms;
}

/** An OMS on which orders and quotes can be cancelled. */
export function cancellingSystem(request) {
  const oms = system(request);
  if (oms === SYSTEM_WITHOUT_CANCELLING) throw new Refusal(106, "This OMS does not cancel");
  return oms;
}

export function needPermission(request, ...accepted) {
  const held = request.gateway.hook("permissions", request.user.permissions, request);
  if (!accepted.some((permission) => held.includes(permission))) throw new Refusal(20, null);
}

export function isOperator(request) {
  return request.gateway.hook("permissions", request.user.permissions, request).includes("Operator");
}

export function mayTouch(request, account) {
  const may = isOperator(request) || request.user.accounts.includes(account.id);
  return request.gateway.hook("reach", may, request, account);
}

/** The named account, or the caller's default one when none is named; it must be the caller's and on the OMS. */
export function accountOn(request, oms) {
  const id = integer(request, "AccountId");
  return openAccount(request, oms, id === undefined || id === 0 ? request.user.defaultAccount : id);
}

export function openAccount(request, oms, id) {
  const account = request.world.accounts.get(id);
  if (!account) throw request.gateway.hook("unknownAccount", notFound("Account"), request);
  if (!mayTouch(request, account)) throw foreign();
  if (!request.gateway.hook("onSystem", account.oms === oms, request, account)) throw notFound("Account on this OMS");
  return account;
}
