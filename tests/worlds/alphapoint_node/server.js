// Starts the gateway: node server.js [--port N] [--mode NAME]... [--list-modes] [--print-env] [--print-table] [--session-seconds N]
import { parseArgs } from "node:util";
import { World, secretName } from "./world.js";
import { Gateway } from "./gateway.js";
import { makeHttpServer } from "./http.js";
import { WS_PATH, attachWebSocket } from "./ws.js";
import { MODES, startModes } from "./modes.js";

const OPTIONS = {
  port: { type: "string", default: "0" },
  host: { type: "string", default: "127.0.0.1" },
  mode: { type: "string", multiple: true, default: [] },
  "session-seconds": { type: "string", default: "3600" },
  "list-modes": { type: "boolean" },
  "print-env": { type: "boolean" },
  "print-table": { type: "boolean" },
};

function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values["list-modes"]) return listModes();
  if (values["print-env"]) return printEnvironment();
  if (values["print-table"]) return printTable();
  return listen(values);
}

function listModes() {
  for (const mode of MODES) console.log(`${mode.kind} ${mode.name}: ${mode.text}`);
}

/** The tables of modes that README.md shows. */
function printTable() {
  console.log("| permitted mode | difference |\n|---|---|");
  for (const mode of MODES) if (mode.kind === "permitted") console.log(`| \`${mode.name}\` | ${mode.text} |`);
  console.log("\n| fault mode | operation | depth | what it does | rule broken | how to see it |\n|---|---|---|---|---|---|");
  for (const mode of MODES) if (mode.kind === "fault") console.log(faultRow(mode));
}

function faultRow({ name, operation, depth, text, rule, see }) {
  return `| \`${name}\` | ${operation} | ${depth} | ${text} | ${rule} | ${see} |`;
}

/** Shell lines that set every secret which the target file names. */
function printEnvironment() {
  for (const user of new World().users) {
    console.log(`export ${secretName(user.name)}='${user.password}'`);
    console.log(`export ${secretName(user.name, "KEY")}='${user.apiKey}'`);
    console.log(`export ${secretName(user.name, "SECRET")}='${user.apiSecret}'`);
  }
}

function listen(values) {
  const world = new World({ sessionMs: Number(values["session-seconds"]) * 1000 });
  const gateway = new Gateway(world, startModes(values.mode, world));
  const server = makeHttpServer(gateway);
  const sockets = attachWebSocket(gateway, server);
  server.on("error", (error) => fail(error.message));
  server.listen(Number(values.port), values.host, () => announce(server.address(), values.host));
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stop(server, sockets));
}

function announce({ port }, host) {
  console.log(`listening on http://${host}:${port}`);
  console.log(`ws://${host}:${port}${WS_PATH}`);
}

function stop(server, sockets) {
  for (const socket of sockets.clients) socket.terminate();
  server.close(() => process.exit(0));
  server.closeAllConnections();
}

function fail(message) {
  console.error(message);
  process.exit(2);
}

try {
  main();
} catch (error) {
  fail(error.message);
}
