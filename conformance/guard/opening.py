"""Opens the link that a target file describes: its addresses, certificates, proxy and transports.

A plan gives a wire of its own in place of sockets.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from conformance.endpoint.model import Limits as TargetLimits
from conformance.endpoint.model import ServiceTarget, Tls
from conformance.endpoint.secrets import Vault
from conformance.errors import ConfigurationError
from conformance.guard.gate import Gate, Guard
from conformance.guard.link import Link, NumberOf
from conformance.wire.address import Address, AddressError, Proxy, parse_address, parse_proxy
from conformance.wire.http.client import HttpTransport
from conformance.wire.messages import HttpRequest, Limits, Transport, WsRequest
from conformance.wire.ws.client import OnConnect, WsTransport


@dataclass(frozen=True, slots=True)
class _Ruling:
    """A decision of `_Whole`."""

    allowed: bool
    reason: str = ""


class _Whole:
    """The guard before other addresses: a message goes to the address as it was named, and nowhere below it."""

    def __call__(self, sent: HttpRequest | WsRequest) -> _Ruling:
        """Whether the message is to the address itself."""
        if isinstance(sent, HttpRequest) and sent.path == "":
            return _Ruling(True)
        return _Ruling(False, "only the address that the target file names may be sent to")

    def grant(self, bindings: Mapping[str, int | str]) -> None:
        """Ids are of no account here."""

    @property
    def bounded(self) -> bool:
        """One address is all that there is."""
        return True

    def known_as(self, number: int) -> str:  # noqa: ARG002  the protocol's signature
        """Ids are of no account here."""
        return ""


class Wire(Protocol):
    """Where transports come from, in place of sockets: a plan has a dry wire."""

    def http(self, to: Address) -> Transport[HttpRequest]:
        """What carries requests to an address."""
        ...

    def ws(self, to: Address, on_connect: OnConnect | None) -> Transport[WsRequest]:
        """What carries frames to an address; `on_connect` signs in before the first."""
        ...


def open_link(
    service_id: str, service: ServiceTarget, limits: TargetLimits, gate: Gate, vault: Vault, number_of: NumberOf,
    wire: Wire | None = None, guard: Guard | None = None,
) -> Link:  # fmt: skip
    """The link that a target file describes; `number_of` reads a frame's sequence number.

    A `wire` of its own takes the place of sockets; certificates are not looked at then. Raises `ConfigurationError` for
    an address or a certificate.
    """
    where = f"services.{service_id}"
    address = _address(service.http, ("http", "https"), f"{where}.http")
    ws_address = _address(service.websocket, ("ws", "wss"), f"{where}.websocket")
    others = frozenset(one for role in service.every_role() for one in role.login_keys.addresses())
    needs_tls = any(one is not None and one.secure for one in (address, ws_address, *map(parse_address, others)))
    # the system's authorities take 20 ms to load; settings that nobody needs are still tried, so that a wrong one shows
    secure = tls_context(service.tls, where, vault) if wire is None and (needs_tls or service.tls != Tls()) else None
    proxy = None
    if service.proxy is not None:
        secret = service.proxy.authorization
        try:
            proxy = parse_proxy(service.proxy.url)
        except AddressError as error:
            raise ConfigurationError(str(error), where=f"{where}.proxy.url") from error
        if secret is not None:
            proxy = Proxy(proxy.host, proxy.port, vault.get(secret, f"{where}.proxy.authorization"))
    headers = tuple((name, vault.text(value, f"{where}.headers.{name}")) for name, value in service.headers.items())

    def dial_http(to: Address) -> Transport[HttpRequest]:
        if wire is not None:
            return wire.http(to)
        return HttpTransport(to, tls=secure if to.secure else None, proxy=proxy, max_connections=limits.concurrency + 4)

    def dial_ws(to: Address, on_connect: OnConnect | None) -> Transport[WsRequest]:
        if wire is not None:
            return wire.ws(to, on_connect)
        return WsTransport(to, headers=headers, tls=secure if to.secure else None, proxy=proxy, on_connect=on_connect)

    return Link(
        service=service,
        limits=Limits(
            connect_timeout_s=limits.connect_timeout_s,
            total_timeout_s=limits.total_timeout_s,
            max_body_bytes=limits.max_body_bytes,
        ),
        gate=gate,
        guard=guard or gate.guard,
        headers=headers,
        http=None if address is None else dial_http(address),
        address=address,
        ws_address=ws_address,
        tls=secure if needs_tls else None,
        proxy=proxy,
        quiet_s=limits.quiet_s,
        connect_retries=limits.connect_retries,
        throttle_waits=limits.throttle_waits,
        throttle_wait_s=limits.throttle_wait_s,
        dial_http=dial_http,
        dial_ws=dial_ws,
        number_of=number_of,
        elsewhere=Gate(_Whole(), None, gate.paces),
        addresses=others,
    )


def _address(text: str | None, schemes: tuple[str, ...], where: str) -> Address | None:
    if text is None:
        return None
    try:
        address = parse_address(text)
    except AddressError as error:
        raise ConfigurationError(str(error), where=where) from error
    if address.scheme not in schemes:
        raise ConfigurationError(
            f"{address.scheme}:// does not fit here", where=where, hint=f"Use {schemes[0]}:// or {schemes[1]}://."
        )
    return address


def tls_context(tls: Tls, where: str, vault: Vault) -> ssl.SSLContext:
    """The TLS settings of a service. Raises `ConfigurationError` for a certificate that cannot be used."""
    asked: list[str] = []

    def password() -> str:  # without this function an encrypted key would be asked for at the terminal
        asked.append("")
        secret = tls.client_key_password
        return "" if secret is None else vault.get(secret, f"{where}.tls.client_key_password")

    try:
        context = ssl.create_default_context(cafile=str(tls.ca_bundle) if tls.ca_bundle else None)
        if tls.client_certificate is not None:
            key = str(tls.client_key) if tls.client_key else None
            context.load_cert_chain(str(tls.client_certificate), key, password)
    except (OSError, ssl.SSLError) as error:
        if asked:
            raise _locked(tls, where) from error
        raise ConfigurationError(f"a certificate cannot be used: {error}", where=f"{where}.tls") from error
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _locked(tls: Tls, where: str) -> ConfigurationError:
    """An encrypted key that the pass phrase does not open."""
    key = f"the key {tls.client_key or tls.client_certificate} is encrypted"
    if tls.client_key_password is None:
        hint = f'Give client_key_password = {{ env = "NAME" }} in [{where}.tls].'
        return ConfigurationError(f"{key}, and there is no pass phrase for it", where=f"{where}.tls", hint=hint)
    return ConfigurationError(f"{key}, and the pass phrase does not open it", where=f"{where}.tls.client_key_password")
