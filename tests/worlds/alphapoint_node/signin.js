// Signing in and out: Basic, signed headers, user name and password, and session tokens.
import { createHmac, timingSafeEqual } from "node:crypto";
import { standard } from "./answers.js";

function sameText(given, wanted) {
  if (typeof given !== "string") return false;
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function userByPassword(world, name, password) {
  const user = world.users.find((one) => one.name === name);
  return user && sameText(password, user.password) ? user : undefined;
}

/** The user of an `Authorization: Basic` header. */
export function userByBasic(world, header) {
  const match = /^Basic\s+([A-Za-z0-9+/=]+)\s*$/i.exec(header ?? "");
  if (!match) return undefined;
  const text = Buffer.from(match[1], "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : userByPassword(world, text.slice(0, colon), text.slice(colon + 1));
}

/** The user who signed with an API key: hex HMAC-SHA256 of nonce, user id and key. */
export function userBySignature(gateway, { apiKey, signature, userId, nonce }) {
  if ([apiKey, signature, userId, nonce].some((part) => !["string", "number"].includes(typeof part))) return undefined;
  const user = gateway.world.users.find((one) => sameText(apiKey, one.apiKey) && String(one.id) === String(userId));
  if (!user) return undefined;
  const wanted = createHmac("sha256", user.apiSecret).update(`${nonce}${userId}${apiKey}`).digest("hex");
  const right = sameText(String(signature).toLowerCase(), wanted);
  return gateway.hook("signature", right) ? user : undefined;
}

export function signedParts(headers) {
  return { apiKey: headers.apikey, signature: headers.signature, userId: headers.userid, nonce: headers.nonce };
}

/** The session of an HTTP request: that of its token, or a passing one for signed headers. */
export function sessionOfHeaders(gateway, headers) {
  const token = gateway.hook("token", headers.aptoken, headers);
  if (token !== undefined) return gateway.hook("session", gateway.world.useSession(token), "http", token);
  const user = userBySignature(gateway, signedParts(headers));
  return user ? { user } : undefined;
}

export function authenticate(request) {
  const user = userOfRequest(request);
  if (!user) return refusedLogin();
  const session = request.world.openSession(user);
  request.signedIn = session;
  if (request.connection) request.connection.session = session;
  return acceptedLogin(session);
}

function userOfRequest(request) {
  const { gateway, headers, world } = request;
  return userByBasic(world, headers.authorization) ?? userBySignature(gateway, signedParts(headers))
    ?? userBySignature(gateway, signedMembers(request))
    ?? userByPassword(world, request.raw("UserName"), request.raw("Password"));
}

function signedMembers(request) {
  return {
    apiKey: request.raw("APIKey"), signature: request.raw("Signature"),
    userId: request.raw("UserId"), nonce: request.raw("Nonce"),
  };
}

function refusedLogin() {
  return {
    Authenticated: false, SessionToken: null, User: null, Locked: false, Requires2FA: false, EnforceEnable2FA: false,
    TwoFAType: null, TwoFAToken: null, errormsg: "Invalid username or password",
  };
}

function acceptedLogin({ token, user }) {
  return {
    Authenticated: true, SessionToken: token,
    User: {
      UserId: user.id, UserName: user.name, Email: `${user.name}@example.com`, EmailVerified: true,
      AccountId: user.defaultAccount, OMSId: user.oms, Use2FA: false,
    },
    Locked: false, Requires2FA: false, EnforceEnable2FA: false, TwoFAType: null, TwoFAToken: null, errormsg: null,
  };
}

export function logOut(request) {
  const close = () => request.world.closeSession(request.session);
  if (request.session?.token) request.gateway.hook("logOut", close, request)();
  if (request.connection) request.connection.session = undefined;
  return standard(null);
}
