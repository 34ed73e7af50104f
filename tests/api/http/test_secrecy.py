"""What a key's holder sends is written nowhere: not into the store, not into its file, a log or an answer."""

import re
from pathlib import Path

import pytest
import redis
import structlog

from api.logs import log_to_standard_error
from engine.store import running_at
from tests.api.conftest import Door, run
from tests.api.guarded import bearer, operator_of, seconds_until, signed
from tests.conftest import Service


def test_no_secret_is_in_store_file_log_or_answer(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Backups are copied, logs are shipped: what is in neither leaks by neither."""
    root = tmp_path / "root"
    root.write_bytes(b"the root of all signing secrets, for a test")
    service = Service(tmp_path / "store", STOCKADE_SIGNING_KEY_FILE=str(root))
    operator = operator_of(service.data_dir, signing_key_file=root)
    door = Door(service.start())
    try:
        key = operator.create("orders", "admin", "read", signed=True)
        plain = operator.create("read")
        seconds_until(lambda: door.call("GET", "/v1/warehouses").status == 401)
        new = operator.rotate(key, overlap_s=60)
        answers = [
            door.call("PUT", "/v1/warehouses/W", b"{", signed(key, "PUT", "/v1/warehouses/W", b"{")),
            door.call("PUT", "/v1/warehouses/W", b"{}", signed(key, "PUT", "/v1/warehouses/W", b"{")),
            door.call("GET", "/v1/stock", headers=bearer(key)),
            door.call("GET", "/v1/warehouses", headers=bearer(plain)),
            door.call("GET", "/v1/warehouses", headers={"Authorization": f"Basic {plain.text}"}),
            door.call("GET", "/v1/warehouses", headers={"X-Request-Id": "one", **bearer(f"{plain.text[:-2]}zz")}),
        ]
        operator.revoke(plain)
        url = running_at(service.data_dir)
        assert url is not None
        with redis.Redis.from_url(url) as client:
            kept = b"".join(client.dump(name) or b"" for name in client.scan_iter())
            assert new.key.id.encode() in kept
    finally:
        service.stop()
    files = b"".join(path.read_bytes() for path in service.data_dir.rglob("*") if path.is_file())
    said = "".join(capfd.readouterr()).encode()
    told = b"".join(answer.body + str(answer.headers).encode() for answer in answers)
    secrets = [each.text.rpartition("_")[2] for each in (key, new, plain)]
    secrets += [str(each.signing_secret).removeprefix("sts_") for each in (key, new)]
    assert new.key.id.encode() in files
    for secret in secrets:
        assert re.fullmatch("[0-9a-f]{64}", secret)
        for place in (kept, files, said, told):
            assert secret.encode() not in place
            assert secret[:16].encode() not in place
            assert bytes.fromhex(secret)[:8] not in place
    for place in (kept, files):
        assert root.read_bytes()[:8] not in place
    for each in (key, new, plain):
        assert each.text not in repr(each)
    assert str(key.signing_secret) not in repr(key)


def test_a_traceback_in_the_log_shows_no_variables(capsys: pytest.CaptureFixture[str]) -> None:
    """They hold keys and customers. Where in the code it happened is enough."""

    def stumble(key: str) -> None:
        raise ValueError(len(key))

    try:
        log_to_standard_error()
        try:
            stumble("stk_" + "5ec2e7" * 10)
        except ValueError as error:
            structlog.get_logger().error("a request failed", exc_info=error)
    finally:
        structlog.reset_defaults()
    said = capsys.readouterr().err
    assert "in stumble" in said
    assert "5ec2e7" not in said.replace('"5ec2e7" * 10', "")


def test_a_file_that_is_no_root_stops_the_start_and_nothing_else(tmp_path: Path) -> None:
    """Found when the service starts, not by its first signed request; an audit needs it not."""
    environment = {"STOCKADE_SIGNING_KEY_FILE": str(tmp_path / "none")}
    for command, code in (("serve --port 0", 2), ("doctor", 2), ("audit", 0)):
        finished = run(*command.split(), "--data-dir", tmp_path / "store", **environment)
        assert finished.code == code, finished.err
        assert ("STOCKADE_SIGNING_KEY_FILE" in finished.err) is (code == 2)
