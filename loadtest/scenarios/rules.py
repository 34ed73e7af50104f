"""Rules of a scenario that a shape cannot say: which settings mean something together."""

from engine.policy.mistake import Mistakes, Path
from loadtest.scenarios.document import Action, Buyers, Catalogue, Load, ScenarioDocument

_OF_SHAPE = {"to": "ramp", "peak": "spike", "peak_at_s": "spike", "peak_for_s": "spike", "trace": "trace"}
_OF_ACTION = {
    "restock": ("units",),
    "warehouse_down": (),
    "slow_store": ("for_s", "stopped_ms", "every_ms"),
    "kill_worker": (),
    "kill_store": (),
    "fail_over": (),
}


def check_scenario_document(document: ScenarioDocument, mistakes: Mistakes) -> None:
    """All of them."""
    _check_load(document.load, mistakes)
    if document.catalogue is not None:
        _check_catalogue(document.catalogue, mistakes)
    names: dict[str, int] = {}
    for place, buyers in enumerate(document.buyers):
        path: Path = ("buyers", place)
        if names.setdefault(buyers.name, place) != place:
            mistakes.add((*path, "name"), f"other buyers are called {buyers.name!r}")
        _check_buyers(buyers, path, mistakes)
        _check_wanted(buyers.want, document.catalogue, (*path, "want"), mistakes)
    for place, action in enumerate(document.actions):
        _check_action(action, document, ("actions", place), mistakes)
    if document.targets.sold_out and (document.catalogue is None or not document.catalogue.hot_skus):
        mistakes.add(("targets", "sold_out"), "has no meaning without `hot_skus` in a catalogue")


def _check_load(load: Load, mistakes: Mistakes) -> None:
    for name, shape in _OF_SHAPE.items():
        given = getattr(load, name) is not None
        if given and load.shape != shape:
            mistakes.add(("load", name), f"has no meaning for the shape {load.shape}, only for {shape}")
        elif not given and load.shape == shape and not mistakes.has(("load", name)):
            mistakes.add(("load",), f"lacks `{name}`, which the shape {shape} needs")
    if load.speed != 1 and load.shape != "trace":
        mistakes.add(("load", "speed"), f"has no meaning for the shape {load.shape}, only for trace")
    if load.shape == "spike" and (load.peak_at_s or 0) >= load.seconds:
        mistakes.add(("load", "peak_at_s"), f"is not before the end of the run, after {load.seconds:g} s")
    if load.warmup_s >= load.seconds:
        mistakes.add(("load", "warmup_s"), "must be less than `seconds`")


def _check_catalogue(catalogue: Catalogue, mistakes: Mistakes) -> None:
    if catalogue.warehouses_per_sku > catalogue.warehouses and not mistakes.has(("catalogue", "warehouses")):
        mistakes.add(("catalogue", "warehouses_per_sku"), f"is above the {catalogue.warehouses} warehouses")
    if catalogue.hot_skus > catalogue.skus and not mistakes.has(("catalogue", "skus")):
        mistakes.add(("catalogue", "hot_skus"), f"is above the {catalogue.skus} SKUs")
    if catalogue.hot_on_hand is not None and not catalogue.hot_skus and not mistakes.has(("catalogue", "hot_skus")):
        mistakes.add(("catalogue", "hot_on_hand"), "has no meaning without `hot_skus`")


def _check_buyers(buyers: Buyers, path: Path, mistakes: Mistakes) -> None:
    for name in ("lines", "units"):
        least, most = getattr(buyers, name)
        if least > most:
            mistakes.add((*path, name), "must be the least and the most: the first is above the second")
    if buyers.lines[1] > 100:
        mistakes.add((*path, "lines"), "must be 100 at the most")
    if buyers.cancels and buyers.pays != "later":
        mistakes.add((*path, "cancels"), "has no meaning but for buyers that pay later")
    if buyers.bulk_lines is not None and (buyers.pays != "at_once" or buyers.replays):
        mistakes.add((*path, "bulk_lines"), "is for buyers that pay at once and replay nothing")


def _check_wanted(want: str, catalogue: Catalogue | None, path: Path, mistakes: Mistakes) -> None:
    if want == "all" or mistakes.has(("catalogue", "hot_skus")):
        return
    if catalogue is None or not catalogue.hot_skus:
        mistakes.add(path, f"{want!r} needs a catalogue with `hot_skus`")
    elif want == "rest" and catalogue.hot_skus == catalogue.skus:
        mistakes.add(path, "there is no rest: all SKUs are hot")


def _check_action(action: Action, document: ScenarioDocument, path: Path, mistakes: Mistakes) -> None:
    needed = _OF_ACTION[action.do]
    for name in ("units", "for_s", "stopped_ms", "every_ms"):
        given = getattr(action, name) is not None
        if given and name not in needed:
            mistakes.add((*path, name), f"has no meaning for {action.do}")
        elif not given and name in needed and not mistakes.has((*path, name)):
            mistakes.add(path, f"lacks `{name}`, which {action.do} needs")
    if action.do == "restock":
        _check_wanted(action.want, document.catalogue, (*path, "want"), mistakes)
        if document.catalogue is None:
            mistakes.add((*path, "do"), "restock needs a catalogue of the scenario's own")
    if action.do == "warehouse_down" and document.catalogue is None:
        mistakes.add((*path, "do"), "warehouse_down needs a catalogue of the scenario's own")
    if action.at_s >= document.load.seconds and document.load.shape != "trace":
        mistakes.add((*path, "at_s"), f"is not before the end of the run, after {document.load.seconds:g} s")
    if action.stopped_ms is not None and action.every_ms is not None and action.stopped_ms >= action.every_ms:
        mistakes.add((*path, "stopped_ms"), "must be less than `every_ms`")
    if action.do == "kill_worker" and document.service.workers < 2:
        mistakes.add((*path, "do"), "kill_worker needs `workers` of 2 or more in [service]")
