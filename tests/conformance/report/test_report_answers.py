"""What a client would notice: differences between right answers of two runs, and nothing that changes with each answer."""

from __future__ import annotations

from report_support import failed, result

from conformance.model.verdict import CaseResult, Evidence, Recorded
from conformance.report.answers import Difference, differences

HEAD = "HTTP/1.1 200 OK\r\ndate: Sat, 28 Nov 2026 14:03:42 GMT\r\ncontent-type: application/json\r\ncontent-length: 9"
XML = "HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n\r\n"


def answered(name: str, received: str, *, cut: bool = False, **more: object) -> CaseResult:
    """A passing case with this answer to its judged message."""
    kept = Recorded("judged", "client", "http", 1.0, 0.1, "", Evidence("", received, cut))
    around = Recorded("observation", "client", "http", 2.0, 0.1, "", Evidence("", "HTTP/1.1 500 Oh", False))
    return result(name, "G-OK", exchanges=(kept, around), **more)


def json_of(body: str, head: str = HEAD) -> str:
    return f"{head}\r\n\r\n{body}"


def between(one: str, other: str, **more: object) -> list[tuple[str, str, str]]:
    """About, before and after of what differs between two answers to one case."""
    found = differences([answered("a", one, **more)], [answered("a", other, **more)])
    return [(difference.about, difference.before, difference.after) for difference in found]


def test_what_changes_with_each_answer_is_no_difference() -> None:
    later = HEAD.replace("14:03:42", "15:00:00").replace("length: 9", "length: 12")
    one = '{"id":7301,"uid":"474e6e88-af2f-416c-b7f4-1be3f10d2165","text":"order 7 failed"}'
    other = '{"id":8,"uid":"00000000-af2f-416c-b7f4-1be3f10d2165","text":"order 12 failed"}'
    assert between(json_of(one), json_of(other, later)) == []


def test_status_headers_members_and_their_order_texts_and_kinds_are_told() -> None:
    head = HEAD.replace("200 OK", "400 Bad").replace("application/json", "text/json") + "\r\nServer: nginx"
    one = '{"result":true,"errormsg":null,"legs":[{"a":1}]}'
    other = '{"errormsg":"Not Authorized","result":true,"legs":[{"a":"1"}]}'
    assert between(json_of(one), json_of(other, head)) == [
        ("header content-type", "application/json", "text/json"),
        ("header server", "none", "nginx"),
        ("members of the answer", "result, errormsg, legs", "errormsg, result, legs"),
        ("status", "200", "400"),
        ("value of /errormsg", "null", '"Not Authorized"'),
        ("value of /legs/*/a", "a number", '"#"'),
    ]


def test_a_member_that_is_left_out_is_told_once() -> None:
    assert between(json_of('{"a":1,"b":"x"}'), json_of('{"a":1}')) == [("members of the answer", "a, b", "a")]


def test_xml_is_told_by_its_elements_prefixes_and_texts() -> None:
    one = f'{XML}<l xmlns="u:x"><r><Id>1</Id><E>No</E></r></l>'
    other = f'{XML}<p:l xmlns:p="u:x"><p:r><p:E>None</p:E><p:Id>2</p:Id></p:r></p:l>'
    assert between(one, other) == [
        ("members of /l/r", "Id, E", "E, Id"),
        *((f"prefix of {place}", "none", "p") for place in ("/l", "/l/r", "/l/r/E", "/l/r/Id")),
        ("value of /l/r/E", '"No"', '"None"'),
    ]


def test_a_frame_is_told_like_a_body_beside_its_own_members() -> None:
    one = '\\x81~{"m":1,"i":2,"n":"Do","o":"{\\"result\\":true}"}'
    other = '\\x81~{"m":1,"n":"Do","i":9,"o":"{\\"result\\":false}"}'
    assert between(one, other, transport="ws") == [
        ("members of the frame", "m, i, n, o", "m, n, i, o"),
        ("value of /result", "true", "false"),
    ]
    assert between(one, "\\x88", transport="ws")[0][0] == "frame"


def test_what_nobody_can_read_is_told_by_its_beginning() -> None:
    assert between(json_of("NOT FOUND"), json_of("Not found")) == [("body", "NOT FOUND", "Not found")]


def test_a_header_with_a_value_of_its_own_in_each_answer_is_told_only_where_it_is_missing() -> None:
    def run(start: int) -> list[CaseResult]:
        return [answered(f"{n}", json_of("{}", f"{HEAD}\r\nX-Trace: t{chr(97 + n + start)}")) for n in range(10)]

    assert differences(run(0), run(9)) == ()
    (gone,) = differences(run(0), [answered("3", json_of("{}"))])
    assert (gone.about, gone.before, gone.after) == ("header x-trace", "given", "none")


def test_only_named_cases_that_are_right_in_both_and_kept_whole_are_compared() -> None:
    other = json_of("[]")
    mine = [answered("a", json_of("{}")), answered("bb", json_of("{}")), answered("c", json_of("{}"), cut=True)]
    theirs = [answered("a", other), answered("bb", other), answered("c", other), failed("d", "G-OK")]
    assert differences(mine, theirs) == (Difference("members of the answer", "", "none", 2, "g/family/a@http"),)
    generated = [answered("a", json_of("{}"), tier="generated")]
    assert differences(generated, [answered("a", other, tier="generated")]) == ()
