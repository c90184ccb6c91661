"""Violations of POST api/orders/cancellations: the number of results, their instructions, and their content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reference_impl.parts import Parts
from reference_impl.tpp.changes import on_result, on_results, tpp_fault
from reference_impl.tpp.values import Instruction, Result
from reference_impl.variants import Variant

_PAGE = 256
Results = Sequence[Result]
ResultChange = Callable[[Parts, Instruction, Result], Result]


def _named(result: Result, other: Result) -> Result:
    return replace(result, order_id=other.order_id, uid=other.uid)


def _errors(errors: tuple[str, ...] | None, *, success: bool) -> ResultChange:
    def change(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
        return replace(result, errors=errors) if result.success is success else result

    return change


def _identities_shifted(results: Results) -> Results:
    return [_named(result, results[place - 1]) for place, result in enumerate(results)]


def _outcomes_reversed(results: Results) -> Results:
    return [_named(outcome, result) for result, outcome in zip(results, reversed(results), strict=True)]


def _nobody(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
    return replace(result, order_id=None, uid=None)


def _nobody_on_failure(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
    return result if result.success else replace(result, order_id=None, uid=None)


def _uid_lost_on_failure(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
    return result if result.success else replace(result, uid=None)


def _next_number(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
    return result if result.order_id is None else replace(result, order_id=result.order_id + 1)


def _creator_as_identity(_parts: Parts, instruction: Instruction, result: Result) -> Result:
    return replace(result, order_id=instruction.creator_id) if result.order_id is None else result


def _sorted_identities(results: Results) -> Results:
    names = sorted(results, key=lambda result: (result.order_id or 0, result.uid or ""))
    return [_named(result, name) for result, name in zip(results, names, strict=True)]


def _distinct(results: Results) -> Results:
    return list({(result.order_id, result.uid): result for result in results}.values())


def _flags_of_first(results: Results) -> Results:
    first = results[:1]
    return [replace(result, success=first[0].success, errors=first[0].errors) for result in results]


def _errors_gathered(results: Results) -> Results:
    """One list of errors for the whole call, to which each failure adds its own."""
    gathered: list[str] = []
    return [replace(one, errors=_and_its_own(gathered, one.errors)) if one.errors else one for one in results]


def _and_its_own(gathered: list[str], errors: Sequence[str]) -> tuple[str, ...]:
    gathered.extend(errors)
    return tuple(gathered)


def _swapped(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
    return replace(result, success=not result.success, errors=("Order was cancelled.",) if result.success else None)


def _flag_against_errors(_parts: Parts, _instruction: Instruction, result: Result) -> Result:
    return result if result.success else replace(result, success=True)


FAULTS: tuple[Variant, ...] = (
    tpp_fault(
        "tpp-drops-last-result",
        "Leaves the last result of a list of several out",
        on_results(lambda r: r[:-1] if len(r) > 1 else r),
        "RESP-ONE-EACH",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-drops-first-result",
        "Leaves the first result of a list of several out",
        on_results(lambda r: r[1:] if len(r) > 1 else r),
        "RESP-ONE-EACH",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-drops-failed-results",
        "Lists successes only",
        on_results(lambda results: [r for r in results if r.success]),
        "RESP-ONE-EACH",
        "RESP-NOT-ACTIVE",
    ),
    tpp_fault(
        "tpp-drops-successful-results",
        "Lists failures only",
        on_results(lambda results: [r for r in results if not r.success]),
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-drops-international-results",
        "Lists domestic orders only",
        on_results(lambda results: [r for r in results if r.uid is None]),
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-doubles-results",
        "Lists every result twice",
        on_results(lambda results: [r for r in results for _ in range(2)]),
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-adds-total",
        "Adds a result that sums the others up",
        on_results(lambda r: [*r, Result(None, None, all(x.success for x in r), None)]),
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-merges-equal-results",
        "Gives one result for two instructions of one order",
        on_results(_distinct),
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-errors-gathered",
        "Repeats the errors of earlier failures of the list in a later one",
        on_results(_errors_gathered),
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-page-of-results",
        "Lists the first 256 results only",
        on_results(lambda results: results[:_PAGE]),
        "RESP-ONE-EACH",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-answers-empty-list",
        "Answers every list with an empty one",
        on_results(lambda results: results[:0]),
        "RESP-ONE-EACH",
    ),
    tpp_fault(
        "tpp-identity-of-first",
        "Gives each result the id of the first",
        on_results(lambda results: [_named(r, results[0]) for r in results]),
        "RESP-IDENTITY",
    ),
    tpp_fault(
        "tpp-identity-shifted",
        "Gives each result the id of the instruction before it",
        on_results(_identities_shifted),
        "RESP-IDENTITY",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-identity-sorted",
        "Sorts the ids and not the outcomes",
        on_results(_sorted_identities),
        "RESP-IDENTITY",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-outcomes-reversed",
        "Lists the outcomes from last to first and the ids from first to last",
        on_results(_outcomes_reversed),
        "RESP-IDENTITY",
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-identity-missing",
        "Leaves the identity of a result null",
        on_result(_nobody),
        "RESP-IDENTITY",
        "RESP-ORDERID",
        "RESP-UID",
    ),
    tpp_fault(
        "tpp-identity-missing-on-failure",
        "Leaves the identity of a failed result null",
        on_result(_nobody_on_failure),
        "RESP-IDENTITY",
        "RESP-ORDERID",
    ),
    tpp_fault(
        "tpp-uid-missing-on-failure",
        "Leaves the UID of a failed result null",
        on_result(_uid_lost_on_failure),
        "RESP-IDENTITY",
        "RESP-UID",
    ),
    tpp_fault(
        "tpp-identity-next-number",
        "Reports the order with the next number",
        on_result(_next_number),
        "RESP-IDENTITY",
        "RESP-ORDERID",
    ),
    tpp_fault(
        "tpp-identity-is-creator",
        "Reports the person as the order of an international instruction",
        on_result(_creator_as_identity),
        "RESP-IDENTITY",
        "RESP-ORDERID",
    ),
    tpp_fault(
        "tpp-outcome-of-first",
        "Says of every instruction what became of the first",
        on_results(_flags_of_first),
        "MULTIPLE",
    ),
    tpp_fault(
        "tpp-outcome-inverted",
        "Says failed for done and done for failed",
        on_result(_swapped),
        "RESP-SUCCESS",
        "FAILED-NO-EFFECT",
    ),
    tpp_fault(
        "tpp-success-beside-errors",
        "Says success and lists the errors all the same",
        on_result(_flag_against_errors),
        "RESP-ERRORS-ON-FAILURE",
        "RESP-SUCCESS",
    ),
    tpp_fault(
        "tpp-errors-null-on-failure",
        "Gives no errors for a failure",
        on_result(_errors(None, success=False)),
        "RESP-ERRORS-ON-FAILURE",
    ),
    tpp_fault(
        "tpp-errors-empty-on-failure",
        "Gives an empty list of errors for a failure",
        on_result(_errors((), success=False)),
        "RESP-ERRORS-ON-FAILURE",
    ),
    tpp_fault(
        "tpp-errors-blank-on-failure",
        "Gives an error without text for a failure",
        on_result(_errors(("",), success=False)),
        "RESP-ERRORS-ON-FAILURE",
    ),
    tpp_fault(
        "tpp-errors-space-on-failure",
        "Gives an error of white space for a failure",
        on_result(_errors((" ",), success=False)),
        "RESP-ERRORS-ON-FAILURE",
    ),
    tpp_fault(
        "tpp-errors-on-success",
        "Lists a friendly word among the errors of a success",
        on_result(_errors(("Order cancelled.",), success=True)),
        "RESP-ERRORS-ON-FAILURE",
    ),
)
