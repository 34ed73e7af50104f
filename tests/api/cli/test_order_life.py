"""`stockade orders` with a change: what it prints, and how it ends."""

from tests.api.conftest import Shop, run
from tests.conftest import Service


def test_an_order_is_changed_from_the_command_line(shop: Shop, shared_service: Service) -> None:
    """Each step once; what its state forbids is a finding, what makes no sense is wrong input."""
    warehouse = shop.warehouse()
    sku = shop.sku("[A]=1", on_hand={warehouse: 10})
    order_id = shop.reserve((sku, 4), payment="pending")["order_id"]

    def orders(*arguments: object) -> tuple[int, str, str]:
        return run("orders", *arguments, "--data-dir", shared_service.data_dir)

    assert orders("extend", order_id, 900, "--json")[0] == 0
    amended = run(
        *("orders", "amend", order_id, "--line", f"{sku}=6", "--id", "t", "--json"),
        "--data-dir",
        shared_service.data_dir,
    )
    assert (amended.code, amended.json["version"]) == (0, 3), amended.err
    code, out, _ = orders("confirm", order_id, "--version", 3)
    assert (code, "confirmed, version 4" in out) == (0, True)
    split = run(
        *("orders", "split", order_id, f"{order_id}/b", "--line", f"{sku}=1@{warehouse}", "--json"),
        *("--data-dir", shared_service.data_dir),
    )
    assert (split.code, [found["order_id"] for found in split.json]) == (0, [order_id, f"{order_id}/b"]), split.err
    code, out, _ = orders("ship", order_id, "--line", f"{sku}=2")
    assert (code, f"5 x {sku} (shipped: 2 x {sku})" in out) == (0, True), out
    code, out, err = orders("cancel", order_id)
    assert (code, out) == (1, "")
    assert "The order is partially_shipped (version 6), which forbids it." in err
    assert orders("cancel", order_id, "--version", 1)[0] == 1
    assert orders("ship", order_id)[0] == 0
    assert orders("cancel", f"{order_id}/b")[0] == 0
    code, _, err = orders("confirm", "[/]nobody")
    assert (code, err.strip()) == (1, 'No order has the id "[/]nobody".')
    for wrong in (
        ("ship", order_id, "--line", "x"),
        ("split", order_id, "y", "--line", f"{sku}=1"),
        ("amend", order_id),
    ):
        assert orders(*wrong)[0] == 2, wrong
    assert orders(order_id, "--json")[0] == 0
    cell = shop.cell(sku, warehouse)
    assert (cell["on_hand"], cell["reserved"]) == (5, 0)
