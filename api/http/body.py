"""Reads and decodes request bodies: size first, then JSON, then shape. Each has an error of its own."""

import asyncio
from typing import TypeVar

import msgspec
from aiohttp import web

from api.http.keys import DRAIN, ENGINE
from api.http.problems import BROKEN_OFF, STOPPING, TOO_SLOW, Problem
from engine.errors import FieldError, InvalidInput
from engine.model.wire_error import field_error

T = TypeVar("T")


class BodyProblem(Exception):
    """A body that got no further."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.type)
        self.problem = problem


async def read_body(request: web.Request, bytes_max: int) -> bytes:
    """The body, `bytes_max` at the most. Raises BodyProblem."""
    # Ask the header first: a body that says it is too long is not even read.
    length = request.content_length
    if length is None or length <= bytes_max:
        drain = request.app[DRAIN]
        timeout = asyncio.timeout(request.app[ENGINE].settings.request_read_s)
        try:
            async with timeout:
                drain.bodies.add(timeout)
                body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            body = None
        except TimeoutError:
            if drain.over:
                raise BodyProblem(STOPPING) from None
            raise BodyProblem(TOO_SLOW) from None
        except (web.RequestPayloadError, ConnectionError):
            raise BodyProblem(BROKEN_OFF) from None
        finally:
            drain.bodies.discard(timeout)
        if body is not None and len(body) <= bytes_max:
            return body
    raise too_large(bytes_max)


def too_large(bytes_max: int) -> BodyProblem:
    """Of a body that is larger than what its resource takes."""
    return BodyProblem(Problem("too-large", f"This body may have {bytes_max} bytes at the most."))


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as a typed value. Raises BodyProblem for what is not JSON, InvalidInput for what does not fit."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidInput((field_error(error, decoder.type),)) from None
    except UnicodeDecodeError:
        raise BodyProblem(Problem("broken-json", "The body is no UTF-8 text.")) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BodyProblem(Problem("broken-json", f"{error}.")) from None


# Values stay as they came: only the definition's own decoder can say where one does not fit.
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode_named(decoder: msgspec.json.Decoder[T], body: bytes, *, field: str, name: str) -> T:
    """A definition whose name stands in the path; the body may repeat it, and must not contradict it."""
    fields = decode(_fields, body)
    fields.setdefault(field, msgspec.Raw(msgspec.json.encode(name)))
    named = decode(decoder, msgspec.json.encode(fields))
    if getattr(named, field) != name:
        raise InvalidInput((FieldError(f"/{field}", f'differs from the "{name}" of the path'),))
    return named
