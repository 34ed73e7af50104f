"""A user's own distances and freight costs over HTTP."""

import msgspec
from aiohttp import web

from api.http.answer import Answer, json_answer
from api.http.answers import MatrixTaken
from api.http.body import decode, read_body
from api.http.keys import ENGINE
from api.http.problems import Problem
from engine.model import CostMatrix, DistanceMatrix, MatrixOf, limits

_distances = msgspec.json.Decoder(DistanceMatrix)
_costs = msgspec.json.Decoder(CostMatrix)


async def put_distances(request: web.Request) -> Answer:
    """PUT /v1/distances: replace the own distances, which come before the great circle."""
    matrix = decode(_distances, await read_body(request, limits.BODY_BYTES_MAX))
    await request.app[ENGINE].set_distances(matrix)
    return _summary(matrix)


async def put_costs(request: web.Request) -> Answer:
    """PUT /v1/costs: replace the own freight costs, which come before the tariff."""
    matrix = decode(_costs, await read_body(request, limits.BODY_BYTES_MAX))
    await request.app[ENGINE].set_costs(matrix)
    return _summary(matrix)


async def delete_distances(request: web.Request) -> Answer:
    """DELETE /v1/distances: the great circle holds everywhere."""
    await request.app[ENGINE].set_distances(None)
    return Answer(204, headers={})


async def delete_costs(request: web.Request) -> Answer:
    """DELETE /v1/costs: the tariff holds everywhere."""
    await request.app[ENGINE].set_costs(None)
    return Answer(204, headers={})


async def get_distances(request: web.Request) -> Answer | Problem:
    """GET /v1/distances."""
    return _whole(request, "distance", "There are no own distances; PUT /v1/distances sets them.")


async def get_costs(request: web.Request) -> Answer | Problem:
    """GET /v1/costs."""
    return _whole(request, "cost", "There are no own costs; PUT /v1/costs sets them.")


def _whole(request: web.Request, of: MatrixOf, none: str) -> Answer | Problem:
    matrix = request.app[ENGINE].planner.matrices.get(of)
    return Problem("not-found", none) if matrix is None else json_answer(matrix)


def _summary(matrix: DistanceMatrix | CostMatrix) -> Answer:
    return json_answer(MatrixTaken(matrix.by, len(matrix.warehouses), len(matrix.rows)))
