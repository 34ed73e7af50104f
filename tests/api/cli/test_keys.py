"""`stockade keys`, as processes: what is shown once, what ever after, and what is wrong with a call."""

import re
from pathlib import Path

import pytest

from tests.api.conftest import Finished, make_store, run


def keys(data_dir: Path, *arguments: object, **environment: str) -> Finished:
    """`stockade keys ARGUMENTS` on a store of its own, which it starts."""
    return run("keys", *arguments, "--data-dir", data_dir, **environment)


def test_a_key_is_made_listed_rotated_and_revoked(tmp_path: Path) -> None:
    """Without a service: an operator makes the first key before the first start."""
    made = keys(tmp_path, "create", "shop", "--scope", "orders", "--scope", "read", "--channel", "web")
    assert made.code == 0, made.err
    text = made.out.strip()
    assert re.fullmatch(r"stk_[0-9a-f]{12}_[0-9a-f]{64}", text)
    key_id = text.split("_")[1]
    assert key_id in made.err
    (listed,) = keys(tmp_path, "list", "--json").json
    assert (listed["id"], listed["name"], listed["state"]) == (key_id, "shop", "live")
    assert (listed["scopes"], listed["channel"], len(listed["secrets"])) == (["orders", "read"], "web", 1)
    rotated = keys(tmp_path, "rotate", key_id, "--overlap", "1h", "--json").json
    assert rotated["key"] != text
    assert [secret["generation"] for secret in rotated["secrets"]] == [2, 1]
    again = keys(tmp_path, "rotate", key_id)
    assert (again.code, again.out) == (2, "")
    assert "--former" in again.err
    assert keys(tmp_path, "revoke", key_id, "--former").code == 0
    assert [each["generation"] for each in keys(tmp_path, "list", "--json").json[0]["secrets"]] == [2]
    assert keys(tmp_path, "revoke", key_id, "--json").json["state"] == "revoked"
    shown = keys(tmp_path, "list")
    assert "revoked" in shown.out
    assert "last used" in keys(tmp_path, "list", COLUMNS="200").out
    assert not re.search("[0-9a-f]{64}", shown.out + keys(tmp_path, "list", "--json").out)


def test_a_key_has_the_limit_that_it_was_given(tmp_path: Path) -> None:
    """From the start or later; without one it is as the service is set."""
    made = keys(tmp_path, "create", "shop", "--scope", "orders", "--rate", "100", "--burst", "250", "--json")
    assert made.json["limit"] == {"rate_per_s": 100, "burst": 250}
    key_id = made.json["id"]
    assert "100/s, 250 at once" in " ".join(keys(tmp_path, "list", COLUMNS="200").out.split())
    assert keys(tmp_path, "limit", key_id, "--rate", "0.5").out.strip().endswith("0.5/s, 1 at once.")
    assert keys(tmp_path, "limit", key_id, "--rate", "0", "--json").json["limit"] == {"rate_per_s": 0, "burst": 0}
    assert keys(tmp_path, "limit", key_id, "--json").json["limit"] is None
    for wrong in (("--rate", "-1"), ("--burst", "5"), ("--rate", "2000000"), ("--rate", "1", "--burst", "-1")):
        assert keys(tmp_path, "limit", key_id, *wrong).code == 2


def test_a_signing_secret_is_shown_once_beside_the_key(tmp_path: Path) -> None:
    """With the file from which the services derive it, too."""
    without = keys(tmp_path, "create", "x", "--scope", "read", "--signed")
    assert (without.code, without.out) == (2, "")
    assert "openssl rand" in without.err
    root = tmp_path / "root"
    root.write_bytes(bytes(40))
    made = keys(tmp_path, "create", "x", "--scope", "read", "--signed", STOCKADE_SIGNING_KEY_FILE=str(root))
    assert made.code == 0, made.err
    assert re.fullmatch(r"stk_\w+\nsts_[0-9a-f]{64}\n", made.out)
    root.chmod(0o644)
    doctor = run("doctor", "--data-dir", tmp_path)
    assert doctor.code == 1
    assert "must be signed" in " ".join(doctor.out.split())
    doctor = run("doctor", "--data-dir", tmp_path, STOCKADE_SIGNING_KEY_FILE=str(root))
    assert "chmod 600" in " ".join(doctor.out.split())
    root.chmod(0o600)
    assert run("doctor", "--data-dir", tmp_path, STOCKADE_SIGNING_KEY_FILE=str(root)).code == 0


WRONG = {
    "create": "NAME",
    "create x": "--scope",
    "create x --scope everything": "--scope",
    "create x --scope orders --scope stock --channel web": "stock",
    "create x --scope read --expires-in soon": "--expires-in",
    "create x --scope read --expires-in 0d": "--expires-in: must be more than 0",
    "create x --scope read --rate -1": "--rate: must be 0",
    "create x --scope read --rate 1 --burst -1": "--burst: must be 0",
    "limit nobody --rate -1": "--rate: must be 0",
    "rotate": "ID",
    "rotate nobody": "stockade keys list",
    "rotate nobody --overlap -1h": "--overlap",
    "revoke nobody": "stockade keys list",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_what_is_wrong_is_told_and_nothing_is_done(tmp_path: Path, arguments: str) -> None:
    """Exit 2, and the word to look at."""
    if arguments.endswith("nobody"):
        make_store(tmp_path)
    finished = keys(tmp_path, *arguments.split())
    assert (finished.code, finished.out) == (2, "")
    assert WRONG[arguments] in finished.err + finished.out
    assert "Traceback" not in finished.err


def test_doctor_says_whether_keys_are_needed(tmp_path: Path) -> None:
    """Before the service refuses to start on an address of the network."""
    make_store(tmp_path)
    found = run("doctor", "--data-dir", tmp_path, "--json")
    assert found.code == 0, found.out
    assert (found.json["found"]["keys"], "no API key" in found.json["found"]["served"]) == (0, True)
    found = run("doctor", "--data-dir", tmp_path, "--json", STOCKADE_HOST="0.0.0.0")
    assert found.code == 1
    assert "stockade keys create" in found.json["advice"][0]
    assert run("doctor", "--data-dir", tmp_path, STOCKADE_ACCESS="required").code == 1
    assert keys(tmp_path, "create", "x", "--scope", "read").code == 0
    found = run("doctor", "--data-dir", tmp_path, "--json", STOCKADE_HOST="0.0.0.0")
    assert (found.code, found.json["found"]["keys"]) == (0, 1)
