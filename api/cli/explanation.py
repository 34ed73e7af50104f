"""Prints the explanation of a quote for people: the reason, who ships, who else could, and why others cannot.

It fits terminals of 80 columns; `--json` has everything.
"""

from typing import Any

from rich.markup import escape

from api.cli.console import out
from api.cli.explained_shipments import carriage_text, print_shipments
from api.cli.table import print_table

UNABLE_SHOWN = 8
"""Warehouses that cannot ship the whole order and are shown all the same; of those that lack stock, the cheapest."""
ABLE_SHOWN = 20
"""Warehouses that could ship the whole order and are shown besides the winners, the best first."""

BEST = {
    "cheapest": "the cheapest that keeps lines whole",
    "fastest": "the fastest that keeps lines whole",
    "fewest_shipments": "the fewest shipments that keep lines whole",
    "balanced": "the best balanced that keeps lines whole",
}
"""What a plan can be proven to be, by the objective of its policy; `proven_among` says among which."""

Row = dict[str, Any]


def print_explanation(explanation: Row, currency: str) -> None:
    """The explanation of a quote, as tables."""
    print_head(explanation, currency)
    rows: list[Row] = explanation["warehouses"]
    best = sorted((row for row in rows if "cost" in row), key=_alone)
    winners = [row for row in best if row["used"]]
    able = [row for row in best if not row["used"] and "short" not in row]
    lacking = [row for row in best if not row["used"] and "short" in row]
    excluded = [row for row in rows if "excluded" in row]
    print_shipments(explanation)
    shown = winners + able[:ABLE_SHOWN]
    if shown:
        added = _print_able(shown, explanation["score_scale"])
        note = " 'policy' is what the policy adds to it in the choice." if added else ""
        out.print(f"* ships (part of) this order. Amounts in {currency}, as if each shipped all of it.{note}")
    if len(able) > ABLE_SHOWN:
        out.print(f"... and {len(able) - ABLE_SHOWN} dearer ones that could ship all of it; --json lists them.")
    unable = [(row["warehouse"], lack_text(row)) for row in lacking]
    unable += [(row["warehouse"], row["excluded"]) for row in excluded]
    if unable:
        counts = ((len(lacking), "for want of stock"), (len(excluded), "by a rule"))
        out.print("\nCannot ship all of it: " + ", ".join(f"{count} {why}" for count, why in counts if count) + ".")
        print_table(("warehouse", "why"), _both(unable, len(lacking)))
    if len(unable) > UNABLE_SHOWN:
        out.print(f"... and {len(unable) - UNABLE_SHOWN} more; --json lists them.")


def print_head(explanation: Row, currency: str) -> None:
    """The policy, who chose it, how good the plan is known to be, and why it is what it is."""
    chosen_by = explanation["chosen_by"]
    why = {"order": "named by the order", "default": "the default"}.get(chosen_by["by"])
    why = why or f"chosen by rule {chosen_by['rule']}"
    if trial := explanation.get("trial"):
        why += f", {trial['arm']} of {trial['name']}"
    best = BEST.get(explanation["objective"])
    if best and explanation["objective"] == "cheapest" and (besides := explanation["weighs"][1:]):
        best = f"the least by cost and {' and '.join(besides)} that keeps lines whole"
    proven = (
        ""
        if best is None or "chosen" not in explanation
        else f", {'' if explanation['proven'] else 'not '}proven {best}"
    )
    if "bound" in explanation:
        bound = explanation["bound"] / explanation["score_scale"] / 100
        less = f", at most {explanation['gap']:.1%} less" if explanation["gap"] else ""
        proven += f" (no such plan counts less than {bound:,.2f} {currency}{less})"
    elif (least := explanation.get("bound_shipments")) is not None:
        proven += f" (at least {least})"
    version = explanation.get("policy_version")
    policy = f"{explanation['policy']}@{version}" if version else explanation["policy"]
    out.print(f"\nPolicy {policy} ({why}){proven}.", markup=False)
    if explanation["proven"] and best and "chosen" in explanation:
        out.print(f"Proven among {explanation['proven_among']}.", markup=False)
    reason: str = explanation["reason"]
    out.print(escape(reason[:1].upper() + reason[1:]) + ".")


def lack_text(row: Row) -> str:
    """What a warehouse is short of, and which rule leaves some of it there."""
    return "lacks " + ", ".join(_short(short) for short in row["short"])


def _short(short: Row) -> str:
    text = f"{short['sku']} ({short['available']}/{short['requested']})"
    if lacks := short.get("lacks"):
        text += f" as it has no {', '.join(lacks)}"
    for name, said in (
        ("kept_back", "kept back from the channel"),
        ("left_to_others", "not in the channel's pool"),
        ("left_in_pool", "in a pool that is left alone"),
    ):
        if units := short.get(name):
            text += f", {units} {said}"
    return text


def _both(unable: list[tuple[str, str]], lacking: int) -> list[tuple[str, str]]:
    """As many of both kinds as there is room for: half of it each, more where the other kind is few."""
    excluded = len(unable) - lacking
    first = min(lacking, max(UNABLE_SHOWN // 2, UNABLE_SHOWN - excluded))
    return unable[:first] + unable[lacking : lacking + UNABLE_SHOWN - first]


def _print_able(rows: list[Row], scale: int) -> bool:
    """Whether the policy adds anything to any."""
    ways = any(row["cost"]["way"] for row in rows)
    days = any("promised_on" in row for row in rows)
    added = any(_added(row) for row in rows)
    table = []
    for row in rows:
        cost = row["cost"]
        amounts = [cost["handling"], cost["picking"], cost["freight"], *([cost["way"]] if ways else []), cost["total"]]
        cells = ["*" if row["used"] else "", row["warehouse"], f"{row['distance_km']:,.0f}"]
        cells += [row.get("promised_on", "-")] if days else []
        cells += [f"{amount / 100:,.2f}" for amount in amounts]
        cells += [f"{_added(row) / scale / 100:,.2f}"] if added else []
        note = lack_text(row) if "short" in row else carriage_text(row)
        table.append((*cells, note))
    numbers = ("km", "handling", "picking", "freight", *(("way",) if ways else ()), "alone", "policy")
    columns = [
        "",
        "warehouse",
        "km",
        *(["arrives"] if days else []),
        *numbers[1:-1],
        *(["policy"] if added else []),
        "note",
    ]
    print_table(columns, table, numbers=numbers, under=("arrives", "note"))
    return added


def _alone(row: Row) -> int:
    return int(row["score"]["total"])


def _added(row: Row) -> int:
    return int(row["score"]["total"]) - int(row["score"]["cost"])
