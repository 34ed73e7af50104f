"""Names that mean something to a terminal or to us are printed as they are."""

from tests.api.conftest import Shop, run_all
from tests.conftest import Service


def test_brackets_in_names_are_text_and_not_markup(shop: Shop, shared_service: Service) -> None:
    """A name such as "[/red]" would else vanish from a table, or end the command with a traceback."""
    sku, order_id = "[/red]A[bold]", "[/]1"
    warehouse = shop.warehouse()
    shop.door.put("/v1/skus/%5B%2Fred%5DA%5Bbold%5D", {})
    shop.door.put("/v1/stock", [{"sku": sku, "warehouse": warehouse, "on_hand": 1}])
    shop.reserve((sku, 1), order_id=order_id)
    commands = (
        ("stock", "--sku", sku),
        ("orders", order_id),
        ("orders", "--limit", "1"),
        ("orders", "[/]nobody"),
        ("stock", "--sku", "[/]nothing"),
    )
    stock, one, listed, missing, unknown = run_all(
        (*command, "--data-dir", shared_service.data_dir) for command in commands
    )
    assert (stock.code, one.code, listed.code, missing.code, unknown.code) == (0, 0, 0, 1, 2)
    assert sku in stock.out
    assert f"1 x {sku}" in one.out
    assert order_id in listed.out
    assert 'No order has the id "[/]nobody"' in missing.err
    assert 'unknown SKU "[/]nothing"' in unknown.err
