"""The words that right answers are made of: a credential that is one of them cannot be told from a text of the contract."""

from __future__ import annotations

import re
from functools import lru_cache
from http import HTTPMethod, HTTPStatus

from conformance.model.spec import Operation

_FILES = ("operation.yaml", "requirements.yaml", "*.schema.json", "*.xsd", "samples/*")
_SHARED = ("readings.yaml", "*.json", "*.xsd")
"""What the operations of a service have in common stands beside their folders."""
_LONG = 8
_LETTER = re.compile(r"[^\W\d_]")
_HTTP = """
    accept accept-encoding accept-ranges access-control-allow-credentials access-control-allow-headers
    access-control-allow-methods access-control-allow-origin access-control-expose-headers age allow alt-svc
    application/json application/octet-stream application/problem+json application/xml attachment authorization basic
    bearer brotli bytes cache-control charset=utf-8 chunked close connection content-disposition content-encoding
    content-language content-length content-security-policy content-type cookie cross-origin date deflate etag expires
    frame-ancestors gzip identity immutable inline keep-alive last-modified location max-age must-revalidate negotiate
    no-cache no-referrer no-sniff no-store no-transform nosniff origin pragma private proxy-revalidate public realm
    referrer-policy retry-after same-origin sameorigin server strict-transport-security text/html text/plain timeout
    trailers transfer-encoding upgrade user-agent vary via websocket www-authenticate x-content-type-options
    x-frame-options x-powered-by x-request-id x-requested-with x-xss-protection
    detail error errors exceptionmessage exceptiontype instance message messagedetail modelstate stacktrace status
    title traceid type
"""
"""What gateways and frameworks write into headers and errors of their own."""


def vocabulary_of(operation: Operation) -> str:
    """All that the contract of an operation says, and HTTP itself, in lower case with single spaces."""
    documents = [path for name in _FILES for path in sorted(operation.folder.glob(name))]
    documents += [path for name in _SHARED for path in sorted(operation.folder.parent.glob(name))]
    texts = [path.read_bytes().decode("utf-8", "replace") for path in documents]
    phrases = (text for status in HTTPStatus for text in (status.phrase, status.description))
    return " ".join(" ".join((*texts, *HTTPMethod, *phrases, _HTTP)).lower().split())


@lru_cache(maxsize=1024)
def telling(vocabulary: str, secrets: tuple[str, ...]) -> tuple[str, ...]:
    """The secrets whose presence in an answer tells something: not those that the vocabulary says as well.

    A secret without a letter is no word, whatever numbers a contract names.
    """
    return tuple(secret for secret in secrets if not _said(vocabulary, secret))


def _said(vocabulary: str, secret: str) -> bool:
    word = secret.lower()
    if word not in vocabulary or not _LETTER.search(word):
        return False
    return len(word) >= _LONG or re.search(rf"(?<![0-9a-z]){re.escape(word)}(?![0-9a-z])", vocabulary) is not None
