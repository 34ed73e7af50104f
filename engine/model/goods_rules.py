"""Rules of bundles and substitutes that a shape cannot say: what they may name. Does no I/O."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence

from engine.errors import FieldError
from engine.model.catalogue import Sku


def goods_errors(skus: Sequence[Sku], known: dict[str, Sku], assortment: Mapping[str, Sku]) -> tuple[FieldError, ...]:
    """What is wrong with the components and substitutes of definitions that are to join those that are known.

    `assortment` holds the bundles and those with substitutes among these. Pointers begin with the place of a definition
    where there are several.
    """
    fresh = {sku.sku: sku for sku in skus}
    after = ChainMap(fresh, known)
    becoming = {sku.sku for sku in skus if sku.components and not _is_bundle(known.get(sku.sku))}
    naming = {**assortment, **fresh}.values() if becoming else ()
    named = {name: other.sku for other in naming for name in _named(other)}
    errors: list[FieldError] = []
    for index, sku in enumerate(skus):
        prefix = f"/{index}" if len(skus) > 1 else ""
        errors += (FieldError(prefix + error.pointer, error.message) for error in _errors(sku, after))
        if sku.sku in becoming and (by := named.get(sku.sku)) is not None and by != sku.sku:
            errors.append(FieldError(f"{prefix}/components", f'"{by}" names it, and a bundle is never named by others'))
    return tuple(errors)


def bundle_rule(sku: Sku) -> str:
    """Why nothing can be done to the stock of a bundle, and what to name instead."""
    parts = ", ".join(f'{part.quantity} of "{part.sku}"' for part in sku.components)
    return f'"{sku.sku}" is a bundle, which has no stock of its own: name what one is made of, {parts}'


def _errors(sku: Sku, after: Mapping[str, Sku]) -> Iterator[FieldError]:
    parts = [part.sku for part in sku.components]
    for field, names in (("components", parts), ("substitutes", list(sku.substitutes))):
        for place, name in enumerate(names):
            pointer = f"/{field}/{place}" + ("/sku" if field == "components" else "")
            if name == sku.sku:
                yield FieldError(pointer, "names the SKU itself")
            elif name in names[:place]:
                yield FieldError(pointer, f'names "{name}" twice')
            elif name not in after:
                yield FieldError(pointer, f'unknown SKU "{name}"')
            elif _is_bundle(after[name]):
                yield FieldError(pointer, f'"{name}" is a bundle: name what it is made of')
    if sku.components:
        if sku.substitutes:
            yield FieldError("/substitutes", "a bundle has none: its components may have some")
        if sku.weight_g:
            yield FieldError("/weight_g", "a bundle weighs what its components weigh")
        if sku.volume_cm3 is not None:
            yield FieldError("/volume_cm3", "a bundle fills what its components fill")


def _named(sku: Sku) -> Iterator[str]:
    yield from sku.substitutes
    yield from (part.sku for part in sku.components)


def _is_bundle(sku: Sku | None) -> bool:
    return sku is not None and bool(sku.components)
