-- A shop's tables, and its order as one function. Rows of stock stay on their page when they change.
CREATE TABLE stock (
    sku text NOT NULL,
    warehouse text NOT NULL,
    on_hand integer NOT NULL,
    free integer NOT NULL CHECK (free >= 0),
    PRIMARY KEY (sku, warehouse)
) WITH (fillfactor = 30);

CREATE TABLE orders (
    id text PRIMARY KEY,
    customer text,
    warehouse text NOT NULL,
    skus text[] NOT NULL,
    quantities integer[] NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now()
);

-- The first of the warehouses that has all units, or NULL. Arrays of SKUs are in the order of their names.
CREATE FUNCTION reserve(order_id text, buyer text, wanted text[], units integer[], candidates text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    chosen text;
BEGIN
    IF cardinality(candidates) = 1 THEN
        SELECT min(candidates[1]) INTO chosen FROM (
            SELECT s.free, l.quantity FROM unnest(wanted, units) AS l (sku, quantity)
            JOIN stock s ON s.sku = l.sku AND s.warehouse = candidates[1]
            ORDER BY s.sku FOR UPDATE OF s) AS locked
            WHERE locked.free >= locked.quantity
            HAVING count(*) = cardinality(wanted);
    ELSE
        SELECT locked.warehouse INTO chosen FROM (
            SELECT s.warehouse, s.free, l.quantity FROM unnest(wanted, units) AS l (sku, quantity)
            JOIN stock s ON s.sku = l.sku AND s.warehouse = ANY (candidates)
            ORDER BY s.sku, s.warehouse FOR UPDATE OF s) AS locked
            WHERE locked.free >= locked.quantity
            GROUP BY locked.warehouse HAVING count(*) = cardinality(wanted)
            ORDER BY array_position(candidates, locked.warehouse) LIMIT 1;
    END IF;
    IF chosen IS NOT NULL THEN
        UPDATE stock s SET free = s.free - l.quantity FROM unnest(wanted, units) AS l (sku, quantity)
            WHERE s.sku = l.sku AND s.warehouse = chosen;
        INSERT INTO orders (id, customer, warehouse, skus, quantities)
            VALUES (order_id, buyer, chosen, wanted, units);
    END IF;
    RETURN chosen;
END $$;
