"""Makes aiohttp's responses of answers."""

from aiohttp import web

from api.http.answer import Answer
from api.http.request_id import HEADER


def respond(answer: Answer, request_id: str) -> web.Response:
    """An answer as aiohttp's response; one that says so is the last of its connection."""
    headers = {**answer.headers, HEADER: request_id}
    if answer.location is not None:
        headers["Location"] = answer.location
    response = web.Response(status=answer.status, body=answer.body, headers=headers)
    if headers.get("Connection") == "close":
        response.force_close()
    return response


async def without_software(_request: web.Request, response: web.StreamResponse) -> None:
    """Keeps an answer from naming what it was made with, and of which release."""
    response.headers.pop("Server", None)
