// Driver of `conformance client` for AlphaPoint's npm package `alphapoint-apex-api`: the three calls over WebSocket.
// Needs the package; the address is given to its constructor. What it prints goes to standard error.

const { createInterface } = require('node:readline');

console.log = console.error;
const { APEX } = require('alphapoint-apex-api');

const CALLS = {
  'alphapoint.cancel_all_orders': 'CancelAllOrders',
  'alphapoint.cancel_order': 'CancelOrder',
  'alphapoint.cancel_quote': 'CancelQuote',
};
const UNKNOWN = { outcome: 'unknown' };
const folded = (value) => {
  const object = typeof value === 'string' ? JSON.parse(value) : value;
  return Object.fromEntries(Object.entries(object).map(([name, content]) => [name.toLowerCase(), content]));
};
const outcome = (value) => {
  const { errorcode: code } = folded(value);
  if (typeof code !== 'number') throw new TypeError('no errorcode');
  return code === 0 ? { outcome: 'cancelled' } : { outcome: 'refused', code };
};

let start;
let apex;

// The package has no time-out and no sign of a lost socket but `onclose`: its user must bring both.
function within(promise) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('timed out')), start.timeout_s * 1000);
    lost = () => reject(new Error('lost'));
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
let lost = () => {};

function open() {
  return new Promise((resolve, reject) => {
    const events = { onopen: () => resolve(made), onclose: () => { if (made === apex) apex = undefined; lost(); reject(new Error('closed')); } };
    const made = new APEX(start.websocket_url, events);
  });
}

async function signedIn() {
  if (apex === undefined) {
    const made = await within(open());
    apex = made;
    await within(made.RPCPromise('WebAuthenticateUser', { UserName: start.user, Password: start.password }));
  }
  return apex;
}

async function cancel(asked) {
  const parts = asked.operation === 'alphapoint.cancel_quote' ? 2 : 1;
  try {
    const answer = folded(await within((await signedIn())[CALLS[asked.operation]](asked.members)));
    if (parts === 1 || 'errorcode' in answer) return Array(parts).fill(outcome(answer));
    return [outcome(answer.bidresult), outcome(answer.askresult)];
  } catch (error) {
    try {
      if (error && error.m === 5) return Array(parts).fill(outcome(error.o));
    } catch {
      // an error that is no standard response
    }
    return Array(parts).fill(UNKNOWN);
  }
}

const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');

async function main() {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  start = JSON.parse((await lines.next()).value);
  await signedIn();
  say({ ready: true, calls: Object.keys(CALLS).map((operation) => ({ operation, transport: 'ws' })) });
  for await (const line of lines) {
    const asked = JSON.parse(line);
    say({ id: asked.id, believed: await cancel(asked) });
  }
  process.exit(0);
}

main();
