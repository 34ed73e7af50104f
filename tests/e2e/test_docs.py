"""What docs/ prints works as printed: files are saved, commands and programs run in their order, and print that."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.model import Carrier, Component, CostMatrix, Line, Order, ShipTo, Sku, Tariff, TariffZone, Warehouse, Zone
from engine.model.explanation import (
    Choice,
    ChosenBy,
    ChosenShipment,
    CostParts,
    Explanation,
    LackingLine,
    PlannedLine,
    ScoreParts,
    WarehouseRow,
)
from engine.model.tariff import WeightStep
from engine.model.tariff_rules import check_tariff
from engine.policy.document import Document, Only, PolicyDocument, RuleDocument, TrialDocument, Weights
from engine.reallocation.model import ReallocationRequest
from engine.sample import CARRIERS_TOML
from loadtest.scenarios.document import Action, Buyers, Catalogue, Load, ScenarioDocument, Service, Targets
from tests.e2e.printed import ROOT, Desk, blocks, sample_service

PAGES = sorted((ROOT / "docs").glob("*.md"))
ANYTHING = "..."
"""A line of it in what a page prints stands for whatever comes there."""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_works_as_printed(page: Path, tmp_path: Path) -> None:
    """A reader goes through it from the top."""
    with sample_service(tmp_path / "store") as sample:
        desk = Desk(tmp_path, sample.data_dir, sample.url)
        said = ""
        for block in blocks(page):
            if block.file is not None:
                (desk.folder / block.file).write_text(block.text, "utf-8")
            elif block.language == "sh":
                said = desk.shell(block.text)
                assert '"retryable"' not in said, "an answer that no reader wants"
            elif block.language == "python":
                said = desk.python(block.text)
            else:
                assert block.language == "text", f"nobody saves or runs a block of {block.language}"
                assert re.fullmatch(pattern(block.text), plain(said), re.DOTALL), said


def plain(text: str) -> str:
    """Without blanks, line ends and rules, in which answers of curl and tables differ from what is printed."""
    return "".join(text.split()).replace("━", "").replace("╇", "")


def pattern(text: str) -> str:
    """What fits a block of output."""
    return ".*".join(re.escape(plain(part)) for part in re.split(rf"^{re.escape(ANYTHING)}$", text, flags=re.MULTILINE))


EXPLAINED = (
    Explanation,
    ChosenBy,
    Choice,
    ChosenShipment,
    WarehouseRow,
    CostParts,
    ScoreParts,
    PlannedLine,
    LackingLine,
)

TABLES: dict[str, tuple[str, type[msgspec.Struct]]] = {
    type_.__name__: (page, type_)
    for page, types in {
        "tariffs": (TariffZone, Carrier, Zone, WeightStep),
        "network": (Warehouse, Sku, Component),
        "orders": (Order, Line, ShipTo),
        "explanations": EXPLAINED,
        "reallocation": (ReallocationRequest,),
        "policies": (Document, PolicyDocument, Weights, Only, RuleDocument, TrialDocument),
        "loadtest": (ScenarioDocument, Catalogue, Load, Buyers, Action, Service, Targets),
    }.items()
    for type_ in types
}
TABLES["CostMatrix, DistanceMatrix"] = ("tariffs", CostMatrix)


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_has_every_field_and_its_default(heading: str) -> None:
    """Whoever adds a field is told where to say so."""
    page, type_ = TABLES[heading]
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    (section,) = re.findall(rf"^### {heading}\n(.*?)(?=^##|\Z)", text, re.DOTALL | re.MULTILINE)
    # Others may follow the table of the fields.
    table = section[section.index("|---") :].split("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|", table, re.MULTILINE)
    assert dict(rows) == {field.encode_name: default(field) for field in msgspec.structs.fields(type_)}
    assert len(rows) == len(dict(rows))


def default(field: Any) -> str:
    """As a table says it."""
    if field.required:
        return "needed"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if value is None or value is msgspec.UNSET or value in ((), {}) or isinstance(value, msgspec.Struct):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value}`" if isinstance(value, str) else str(value)


def test_the_carriers_of_the_page_are_the_file() -> None:
    """Word for word, and right."""
    (printed,) = (block.text for block in blocks(ROOT / "docs" / "tariffs.md") if block.file == CARRIERS_TOML.name)
    assert printed == CARRIERS_TOML.read_text("utf-8")
    check_tariff(msgspec.convert(tomllib.loads(printed), Tariff))


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    """To files that are there, and to headings that they have."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        file = page.parent / name if name else page
        assert file.exists(), target
        if heading:
            assert heading in headings(file), target


def headings(page: Path) -> set[str]:
    """As links name them."""
    found = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}
