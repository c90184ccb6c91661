"""The resources `api/orders/cancellations` and `api/orders/cancellation` over HTTP."""

from __future__ import annotations

from reference_impl.parts import Parts
from reference_impl.tpp.values import Media, UnreadableList
from reference_impl.wire import HttpRequest, HttpResponse

PATH, PATH_OF_ONE = "/api/orders/cancellations", "/api/orders/cancellation"


def handle(parts: Parts, request: HttpRequest) -> HttpResponse:
    """Answers one request on a resource: the list of results or the one result, the error string, or a framework error."""
    tpp, alone = parts.tpp, request.path == PATH_OF_ONE
    media = tpp.negotiate(request)
    if request.method != "POST":
        response = tpp.answer_framework(
            parts, media, 405, f"The requested resource does not support http method '{request.method}'."
        )
        return HttpResponse(response.status, response.body, response.content_type, (("allow", "POST"),))
    try:
        instructions = []
        if request.body:
            body_format = tpp.request_format(request)
            if body_format is None:
                return tpp.answer_framework(
                    parts, media, 415, "The request entity's media type is not supported for this resource."
                )
            text = tpp.decode(request, body_format)
            instructions = tpp.readers[body_format](tpp.as_list[body_format](text) if alone else text)
        if alone and not instructions:
            raise UnreadableList("There is no cancellation instruction.")
        tpp.admit(parts, instructions)
    except UnreadableList as error:
        return tpp.answer_error(parts, media, tpp.refused_status, str(error))
    results = tpp.arrange([tpp.carry_out(parts, instruction) for instruction in instructions])
    text = tpp.writers[media.format].results(results)
    body = tpp.encode(tpp.of_one[media.format](text) if alone else text, media.charset)
    return HttpResponse(tpp.processed_status, body, media.content_type)


def not_found(parts: Parts, request: HttpRequest) -> HttpResponse:
    """The framework's answer to a path that nothing serves."""
    media = parts.tpp.negotiate(request)
    return parts.tpp.answer_framework(parts, media, 404, "No HTTP resource was found that matches the request URI.")


def answer_error(parts: Parts, media: Media, status: int, message: str) -> HttpResponse:
    """An error of the operation itself: the string of the document."""
    text = parts.tpp.writers[media.format].error(message)
    return HttpResponse(status, parts.tpp.encode(text, media.charset), media.content_type)


def answer_framework(parts: Parts, media: Media, status: int, message: str) -> HttpResponse:
    """An error that the framework gives before the operation is reached."""
    text = parts.tpp.writers[media.format].framework(message)
    return HttpResponse(status, parts.tpp.encode(text, media.charset), media.content_type)
