// Reads and writes JSON without rounding long integers, and reads the keys of an object in any letter case.
import { randomBytes } from "node:crypto";

const MARK = `exact-${randomBytes(12).toString("hex")}:`;
const LONG_NUMBER = /\d{16}/;
// Only ever applied to text that JSON.parse has accepted, so every string in it is closed.
const STRING_OR_INTEGER = /"(?:[^"\\]|\\.)*"|-?\d+(?![\d.eE])/g;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, "g");

/** The value of a JSON text. Integers that a double cannot hold arrive at the top level as BigInt. */
export function readJson(text) {
  const value = JSON.parse(text);
  if (!LONG_NUMBER.test(text)) return value;
  return restoreTopLevel(JSON.parse(text.replace(STRING_OR_INTEGER, markLongInteger)));
}

function markLongInteger(token) {
  if (token.startsWith('"') || Number.isSafeInteger(Number(token))) return token;
  return `"${MARK}${token}"`;
}

function restoreTopLevel(value) {
  if (!isObject(value)) return restore(value);
  for (const key of Object.keys(value)) value[key] = restore(value[key]);
  return value;
}

function restore(value) {
  if (typeof value !== "string" || !value.startsWith(MARK)) return value;
  return BigInt(value.slice(MARK.length));
}

/** JSON text; a BigInt is written as a plain number. */
export function writeJson(value, indent) {
  let exact = false;
  const text = JSON.stringify(value, (_key, member) => {
    if (typeof member !== "bigint") return member;
    exact = true;
    return `${MARK}${member}`;
  }, indent);
  return exact ? text.replace(MARKED, "$1") : text;
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A map from lower-case key to {key, value}; of two spellings of one key the later wins. */
export function membersOf(object) {
  const members = new Map();
  for (const key of Object.keys(object)) members.set(key.toLowerCase(), { key, value: object[key] });
  return members;
}
