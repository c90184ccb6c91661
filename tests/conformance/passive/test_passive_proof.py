"""What a listener sees: each fault and each permitted difference of the reference, with the traffic of a scripted legal client.

`faults_seen.toml` holds which faults are seen, and of those that did something and are not seen, why. A sample is tried here;
`tox -e traffic` tries all.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.load import load_contract
from conformance.model.verdict import Finding
from conformance.passive.har import Lost, entry_tapped
from conformance.passive.judging import Judging, Options
from reference_impl.equivalents import EQUIVALENTS
from reference_impl.faults import FAULTS
from reference_impl.serve import ServeOptions
from reference_impl.variants import Variant

from .passive_support import TIMEOUT_S, Client, served
from .scripted import SCRIPTS, SETTLE_S

CONTRACT = load_contract(None)
TABLE = tomllib.loads((Path(__file__).parent / "faults_seen.toml").read_text(encoding="utf-8"))
SEEN = frozenset(TABLE["seen"])
UNSEEN = {name: group for group, part in TABLE["unseen"].items() for name in part["faults"]}
STEP = 1 if os.environ.get("TRAFFIC") == "all" else 41
AT_ONCE = 12
GROUP = 24


@dataclass(frozen=True)
class Tried:
    """One change of the reference under the scripted client's traffic."""

    variant: Variant
    executed: bool
    findings: tuple[tuple[str, Finding], ...]


def tried(variant: Variant) -> Tried:
    chosen = {"fault": {"faults": (variant.id,)}, "equivalent": {"equivalents": (variant.id,)}}[variant.kind]
    with served(ServeOptions(**chosen)) as host:  # type: ignore[arg-type]
        client = Client(host)
        for script in [SCRIPTS[variant.operation]] if variant.operation in SCRIPTS else SCRIPTS.values():
            script(client)
        connection = http.client.HTTPConnection(host, timeout=TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request("GET", "/_world/executed")
            counts = json.loads(connection.getresponse().read())
    return Tried(variant, bool(counts.get(variant.id)), tuple(findings_in(client.entries)))


def findings_in(entries: Sequence[Any]) -> Iterator[tuple[str, Finding]]:
    judging = Judging(CONTRACT, Options(settle_s=SETTLE_S, alone=True))
    for number, entry in enumerate(entries, 1):
        for tapped in entry_tapped(f"x#{number}", json.loads(json.dumps(entry))):
            assert not isinstance(tapped, Lost)
            judging.take(tapped)
    return ((one.id, finding) for one in judging.finish() for finding in one.findings)


def sample(known: Sequence[Variant]) -> list[list[Variant]]:
    chosen = list(known)[::STEP]
    return [chosen[place : place + GROUP] for place in range(0, len(chosen), GROUP)]


def all_tried(group: Sequence[Variant]) -> list[Tried]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(tried, group))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", sample(list(EQUIVALENTS.values())), ids=lambda group: group[0].id)
def test_no_permitted_difference_is_blamed(group: list[Variant]) -> None:
    assert {one.variant.id: one.findings for one in all_tried(group) if one.findings} == {}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("group", sample(list(FAULTS.values())), ids=lambda group: group[0].id)
def test_what_is_seen_of_the_faults_is_what_the_table_says(group: list[Variant]) -> None:
    for one in all_tried(group):
        seen = bool(one.findings)
        assert seen is (one.variant.id in SEEN), (one.variant.id, one.findings[:1])
        assert one.executed or not seen
        assert (one.executed and not seen) is (one.variant.id in UNSEEN), one.variant.id
        assert not [identifier for identifier, _ in one.findings if identifier.endswith("/request")]


def test_the_page_has_the_numbers_of_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "traffic.md").read_text(encoding="utf-8")
    assert f"{len(SEEN) + len(UNSEEN)} faults did something in this traffic, and {len(SEEN)} of them were seen" in page


def test_the_table_names_faults_alone_each_once_and_each_unseen_one_with_its_reason() -> None:
    assert set(FAULTS) >= SEEN | set(UNSEEN)
    assert not SEEN & set(UNSEEN)
    assert len(UNSEEN) == sum(len(part["faults"]) for part in TABLE["unseen"].values())
    assert all(part["reason"] for part in TABLE["unseen"].values())
