"""What a caller is told of an error that nobody foresaw."""

from api.http.guard import problem_of


def test_of_a_bug_the_caller_learns_no_more_than_where_it_is_told() -> None:
    """The log has it under the request id; what went wrong inside is nobody's business outside."""
    problem = problem_of(KeyError("a secret"), path="/v1/orders", request_id="r-1")
    answer = problem.answer("r-1")
    assert (problem.type, answer.status) == ("internal-error", 500)
    assert b"secret" not in answer.body
    assert b'"request_id":"r-1"' in answer.body
