"""Dockerfile and compose file agree with each other, with the settings, and with what there is in the source."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import yaml

from api.http.server import end_wait_s
from engine import Settings, load_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def steps() -> list[tuple[str, str]]:
    """The Dockerfile: instructions in capitals, with their arguments."""
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    pairs = (line.partition(" ") for line in text.splitlines() if line.strip())
    return [(name, " ".join(rest.split())) for name, _, rest in pairs]


def last(name: str) -> str:
    """The argument of an instruction that stands once in the last stage."""
    found = steps()
    stage = max(place for place, (step, _) in enumerate(found) if step == "FROM")
    (argument,) = [argument for step, argument in found[stage:] if step == name]
    return argument


def image_settings() -> dict[str, str]:
    """Settings in the image's environment."""
    return dict(pair.split("=", 1) for pair in shlex.split(last("ENV")))


def compose() -> dict[str, Any]:
    """The compose file."""
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def service(name: str) -> dict[str, Any]:
    """One of its services."""
    return compose()["services"][name]


def seconds(text: str) -> float:
    """A duration of the compose file."""
    return float(text.removesuffix("s"))


def test_what_the_image_is_built_from_is_there_and_enough_for_the_wheel() -> None:
    """Docker is not at hand where tests run, so what it would stumble on is looked at here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    copied = {
        source
        for step, argument in steps()
        if step == "COPY" and "--from" not in argument
        for source in argument.split()[:-1]
    }
    for source in copied:
        assert (ROOT / source).exists(), source
    maturin = project["tool"]["maturin"]
    needed = {"pyproject.toml", "Cargo.toml", "Cargo.lock", project["project"]["readme"], "LICENSE"}
    needed |= {maturin["manifest-path"].split("/")[0], *maturin["python-packages"]}
    assert needed <= copied
    for pattern in project["project"]["license-files"]:
        assert pattern.split("/")[0] in copied
    allowed = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line[:1] == "!"}
    assert copied <= allowed


def test_the_image_runs_what_the_wheel_installs_as_nobody_special() -> None:
    """Not root; by its own name; with extras that there are."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (command,) = yaml.safe_load(last("ENTRYPOINT"))
    assert command in project["scripts"]
    assert yaml.safe_load(last("CMD")) == ["serve"]
    user = last("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    (install,) = [argument for step, argument in steps() if step == "RUN" and "pip install" in argument]
    (extras,) = re.findall(r"\[([a-z,]+)\]", install)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert last("STOPSIGNAL") == "SIGTERM"


def test_settings_of_image_and_compose_file_are_settings() -> None:
    """A name that is none would keep the service from starting."""
    from_image = load_settings({name: text for name, text in image_settings().items() if name.startswith("STOCKADE_")})
    assert str(from_image.port) == last("EXPOSE")
    environment = image_settings() | service("stockade")["environment"]
    settings = load_settings(environment)
    assert isinstance(settings, Settings)
    assert settings.host == "0.0.0.0"
    assert settings.workers == 1
    assert seconds(service("stockade")["stop_grace_period"]) >= end_wait_s(settings)


def test_compose_file_and_image_agree() -> None:
    """User, port, health."""
    ours = service("stockade")
    assert ours["user"] == last("USER")
    assert (DEPLOY / ours["build"]["context"] / ours["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    port = last("EXPOSE")
    assert [mapping.rsplit(":", 1)[1] for mapping in ours["ports"]] == [port]
    check = ours["healthcheck"]["test"]
    assert check[0] == "CMD"
    assert yaml.safe_load(last("HEALTHCHECK").partition(" CMD ")[2]) == check[1:]
    assert f":{port}/readyz" in check[3]
    targets = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    assert targets[0]["static_configs"][0]["targets"] == [f"stockade:{port}"]
    writable = [*ours["tmpfs"], *(volume.split(":", 1)[1] for volume in ours["volumes"])]
    for path in (image_settings()["STOCKADE_DATA_DIR"], ours["environment"]["STOCKADE_RUN_DIR"]):
        assert any(path.startswith(place.split(":")[0]) for place in writable), path


def test_what_compose_mounts_is_there_and_ports_are_the_machines_own() -> None:
    """Published elsewhere, a store without keys would be anybody's."""
    for name, one in compose()["services"].items():
        for mapping in one.get("ports", ()):
            assert mapping.startswith("127.0.0.1:"), name
        for volume in one.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in compose()["volumes"], volume
        for other in one.get("depends_on", {}):
            assert other in compose()["services"]
        assert one["image"] == "stockade" or re.search(r":v?\d+\.\d+", one["image"]), name


def test_the_compose_file_leaves_no_door_open() -> None:
    """It makes a key before it serves, so nobody is let in without one; and has Prometheus read with that."""
    ours, keys = service("stockade"), service("keys")
    settings = load_settings(image_settings() | ours["environment"])
    assert settings.access == "auto"
    assert ours["depends_on"]["keys"] == {"condition": "service_completed_successfully"}
    assert keys["environment"]["REDIS_URL"] == ours["environment"]["REDIS_URL"]
    assert (keys["user"], keys["entrypoint"]) == (ours["user"], ["sh", "-c"])
    (line,) = keys["command"]
    (file,) = set(re.findall(r"\S+\.key", line))
    assert line.partition("|| ")[2] == f"stockade keys create prometheus --scope read > {file}"
    (job,) = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    assert job["authorization"]["credentials_file"] == f"{keys['working_dir']}/{file}"
    (mounted,) = [volume for volume in service("prometheus")["volumes"] if volume.startswith("stockade:")]
    assert mounted.split(":") == ["stockade", keys["working_dir"], "ro"]
    assert f"stockade:{keys['working_dir']}" in keys["volumes"]


def test_the_store_of_the_compose_file_keeps_what_it_acknowledges() -> None:
    """As `stockade doctor` would have it."""
    command = service("valkey")["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert (options["--appendonly"], options["--appendfsync"]) == ("yes", "always")
    assert options["--maxmemory-policy"] == "noeviction"
    assert service("stockade")["environment"]["REDIS_URL"].startswith("redis://valkey:")
