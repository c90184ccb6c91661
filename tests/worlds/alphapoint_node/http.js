// The HTTP gateway: POST /AP/<Call> with a JSON body, GET for calls that only read.
import { createServer } from "node:http";
import { membersOf, isObject, readJson, writeJson } from "./json.js";
import { CALLS } from "./calls.js";
import { Request } from "./gateway.js";
import { sessionOfHeaders } from "./signin.js";

const PATH = /^\/ap\/([A-Za-z0-9]{1,64})\/?$/i;
const LONGEST_BODY = 1 << 20;
const NOT_FOUND = { status: 404, headers: { "Content-Type": "text/plain" }, text: "NOT FOUND" };
const TOO_LARGE = { status: 413, headers: { "Content-Type": "text/plain", Connection: "close" }, text: "TOO LARGE" };

export function makeHttpServer(gateway) {
  const server = createServer({ maxHeaderSize: 32768 }, (message, reply) => {
    serve(gateway, message, reply).catch((error) => giveUp(error, reply));
  });
  server.headersTimeout = 15000;
  server.requestTimeout = 30000;
  server.keepAliveTimeout = 60000;
  server.on("clientError", (_error, socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    else socket.destroy();
  });
  return server;
}

function giveUp(error, reply) {
  if (error.code !== "ECONNRESET" && error.message !== "aborted") console.error(error);
  reply.destroy();
}

async function serve(gateway, message, reply) {
  const body = await readBody(message);
  if (body === null) return send(gateway, reply, TOO_LARGE, message);
  const answer = gateway.hook("turnedAway", null, message) ?? (await answerTo(gateway, message, body));
  return send(gateway, reply, answer, message);
}

/** The whole body, or null when it is too long. */
async function readBody(message) {
  const parts = [];
  let length = 0;
  for await (const part of message) {
    length += part.length;
    if (length > LONGEST_BODY) return null;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function answerTo(gateway, message, body) {
  const target = splitTarget(message.url);
  const name = target && PATH.exec(target.path)?.[1];
  const call = CALLS.get(name);
  if (!call) return gateway.hook("unknownCall", NOT_FOUND, name);
  const away = methodRefused(gateway, message.method, call);
  if (away) return away;
  const headers = gateway.hook("headers", message.headers, message.rawHeaders);
  const session = sessionOfHeaders(gateway, headers);
  const members = readMembers(target.query, body);
  const request = new Request({ gateway, name, transport: "http", members, session, headers });
  request.method = message.method;
  return render(gateway, request, await gateway.answer(request));
}

function methodRefused(gateway, method, call) {
  const right = method === "POST" || (method === "GET" && call.reads);
  return gateway.hook("method", right, method) ? null : gateway.hook("wrongMethod", NOT_FOUND);
}

function splitTarget(url) {
  const [path, query = ""] = url.split("#")[0].split(/\?(.*)/s);
  return { path, query };
}

/** Parameters of query and body together, the body's first; null when the body is not a JSON object. */
function readMembers(query, body) {
  const members = membersOf(Object.fromEntries(new URLSearchParams(query)));
  if (body.length === 0) return members;
  try {
    const value = readJson(new TextDecoder("utf-8", { fatal: true }).decode(body));
    return isObject(value) ? new Map([...members, ...membersOf(value)]) : null;
  } catch {
    return null;
  }
}

function render(gateway, request, { absent, body, refusal }) {
  if (absent) return NOT_FOUND;
  if (refusal?.noSession && !gateway.hook("sessionErrorAsObject", false)) return NOT_FOUND;
  return {
    status: gateway.hook("status", 200, request, refusal),
    headers: { "Content-Type": "application/json; charset=utf-8" },
    text: gateway.hook("text", writeJson(body), request, refusal),
    request, refusal,
  };
}

function send(gateway, reply, answer, message) {
  const { status, headers, text, chunks } = gateway.hook("wire", answer, message);
  if (reply.destroyed) return;
  reply.writeHead(status, chunks ? headers : { "Content-Length": Buffer.byteLength(text), ...headers });
  if (message.method === "HEAD") return void reply.end();
  for (const chunk of chunks ?? []) reply.write(chunk);
  reply.end(chunks ? undefined : text);
}
