"""Rules of a file of policies that a shape cannot say: what names what, and which settings mean something together."""

from collections.abc import Collection, Iterable, Mapping

from engine.model import Warehouse
from engine.policy.document import PolicyDocument, RuleDocument
from engine.policy.mistake import Mistakes, Path
from engine.policy.zones import zone_named

BY_RULE = ("nearest", "priority", "pinned")
"""Objectives that go through the warehouses one after the other, and so minimise nothing."""

_WHEN = ("hours", "weekdays")
_PENALTIES = ("split_penalty", "lateness_cost_per_day", "load_cost")


def check_policy(policy: PolicyDocument, path: Path, mistakes: Mistakes) -> None:
    """What one policy's settings mean together."""
    objective = policy.objective
    if objective == "balanced":
        weights = policy.weights
        if weights is None and not mistakes.has((*path, "weights")):
            mistakes.add(path, "a balanced policy needs `weights`")
        if (
            weights is not None
            and not mistakes.has((*path, "weights"))
            and not any((weights.cost, weights.per_km, weights.per_day, weights.per_shipment, weights.load))
        ):
            mistakes.add((*path, "weights"), "must have one above 0")
    elif policy.weights is not None:
        mistakes.add((*path, "weights"), f"have no meaning for {objective}, only for balanced")
    if objective == "pinned" and not policy.warehouses and not mistakes.has((*path, "warehouses")):
        mistakes.add(path, "a pinned policy needs `warehouses`")
    if policy.warehouses and objective not in ("pinned", "priority"):
        mistakes.add((*path, "warehouses"), f"have no meaning for {objective}, only for pinned and priority")
    for name in _PENALTIES:
        if getattr(policy, name) and objective in BY_RULE:
            mistakes.add((*path, name), f"has no effect: {objective} weighs no costs")
    if policy.split_penalty and objective == "fewest_shipments":
        mistakes.add((*path, "split_penalty"), "has no effect: the fewest shipments come first anyway")
    lateness = (*path, "lateness_cost_per_day")
    if policy.deliver_within_days is not None and not policy.lateness_cost_per_day and not mistakes.has(lateness):
        mistakes.add((*path, "deliver_within_days"), "has no effect without `lateness_cost_per_day`")
    _check_twice(policy.warehouses, (*path, "warehouses"), mistakes)
    _check_twice(policy.only.exclude, (*path, "only", "exclude"), mistakes)
    _check_twice(policy.only.kinds, (*path, "only", "kinds"), mistakes)
    for place, name in enumerate(policy.only.exclude):
        if name in policy.warehouses:
            mistakes.add((*path, "only", "exclude", place), f"{name!r} is among `warehouses`, too")


def check_built_in(name: str, policy: PolicyDocument, mistakes: Mistakes) -> None:
    """One that is called as a policy is that is there without a file: orders that name it mean what it is known for."""
    path: Path = ("policies", name)
    if policy.objective != name:
        reason = (
            f"{name!r} is a policy that is there without a file, and is not {policy.objective}: call this one otherwise"
        )
        mistakes.add((*path, "objective"), reason)
    elif policy != PolicyDocument(objective=policy.objective):
        mistakes.warn(path, "takes the place of the policy of this name that is there without a file")


def check_warehouses(policy: PolicyDocument, path: Path, network: Collection[Warehouse], mistakes: Mistakes) -> None:
    """Whether the network has the warehouses that a policy names, and any that its filters leave."""
    known, only = {row.id for row in network}, policy.only
    for where, names in ((("warehouses",), policy.warehouses), (("only", "exclude"), only.exclude)):
        # A list that is out of place goes as a whole.
        for place, name in enumerate(() if mistakes.has_itself((*path, *where)) else names):
            if name not in known:
                mistakes.add((*path, *where, place), f"the network has no warehouse {name!r}")
    if not network or mistakes.has(path):
        return
    for row in network:
        listed = policy.objective != "pinned" or row.id in policy.warehouses
        fits = row.kind in (only.kinds or (row.kind,)) and {*only.capabilities} <= {*row.capabilities}
        if listed and fits and row.id not in only.exclude:
            return
    mistakes.add((*path, "only"), "leaves no warehouse of the network")


def check_use(name: str | None, policies: Collection[str], path: Path, mistakes: Mistakes) -> None:
    """Whether a policy that is named is there."""
    if name is not None and name not in policies:
        mistakes.add(path, f"there is no policy {name!r}; there are {', '.join(policies)}")


def check_rules(rules: Mapping[int, RuleDocument], policies: Collection[str], mistakes: Mistakes) -> None:
    """All rules, by their place."""
    names: dict[str, int] = {}
    trials: dict[str, int] = {}
    for_all: str | None = None
    # What they ask is not known.
    broken = {place for place in rules if mistakes.has(("rules", place))}
    for place, rule in rules.items():
        path: Path = ("rules", place)
        check_use(rule.use, policies, (*path, "use"), mistakes)
        if names.setdefault(rule.name, place) != place:
            mistakes.add((*path, "name"), f"another rule is called {rule.name!r}")
        if for_all is not None:
            mistakes.add(path, f"is never reached: {for_all!r} before it takes every order")
        elif rule.is_for_all and place not in broken:
            for_all = rule.name
        _check_conditions(rule, path, mistakes)
        if rule.trial is not None:
            check_use(rule.trial.use, policies, (*path, "trial", "use"), mistakes)
            if trials.setdefault(rule.trial.name, place) != place:
                mistakes.add((*path, "trial", "name"), f"another trial is called {rule.trial.name!r}")
            if rule.trial.use == rule.use:
                mistakes.add((*path, "trial", "use"), "is the policy that the rule uses anyway")


def _check_conditions(rule: RuleDocument, path: Path, mistakes: Mistakes) -> None:
    if rule.value_min is not None and rule.value_max is not None and rule.value_max < rule.value_min:
        mistakes.add((*path, "value_max"), "is less than `value_min`")
    if rule.from_ is not None and rule.until is not None and rule.until <= rule.from_:
        mistakes.add((*path, "until"), "is not after `from`")
    if rule.hours is not None:
        if rule.hours[0] == rule.hours[1]:
            mistakes.add((*path, "hours"), "begin and end at the same time; for all day leave them out")
        if rule.hours[0] == "24:00":
            mistakes.add((*path, "hours"), "cannot begin at 24:00; say 00:00")
    if rule.timezone is not None:
        if zone_named(rule.timezone) is None:
            mistakes.add((*path, "timezone"), f"there is no time zone {rule.timezone!r}; say one like Asia/Shanghai")
        if rule.hours is None and not rule.weekdays and not any(mistakes.has((*path, one)) for one in _WHEN):
            mistakes.add((*path, "timezone"), "has no effect without `hours` or `weekdays`")
    lists = ("channels", "regions", "countries", "sku_classes", "service_levels", "customer_classes", "weekdays")
    for name in lists:
        _check_twice(getattr(rule, name), (*path, name), mistakes)


def _check_twice(names: Iterable[str], path: Path, mistakes: Mistakes) -> None:
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if seen.setdefault(name, place) != place:
            mistakes.add((*path, place), f"{name!r} is named twice")
