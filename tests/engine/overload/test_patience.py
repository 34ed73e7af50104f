"""How many orders may wait, by what the service does; with times made up here."""

from engine.intake.patience import CALM_AFTER_S, RETRY_S_MAX, STANDING_AFTER_S, Patience, Terms

TERMS = Terms(burst_s=1.0, standing_s=0.02, order_s=10.0)
BATCH = 500


def patience(orders_max: int = 10_000) -> Patience:
    """A service of which nothing is known."""
    return Patience(TERMS, orders_max=orders_max, batch_orders_max=BATCH)


def work(one: Patience, *, rate: float, from_s: float, for_s: float, left: int = 1_000, batch: int = BATCH) -> float:
    """Batches one after the other at a rate, each of which leaves orders behind; returns when the last was settled."""
    now_s = from_s
    while now_s < from_s + for_s:
        one.took(now_s, left)
        now_s += batch / rate
        one.settled(now_s, orders=batch, of_lots=0, left_some=left > 0)
    return now_s


def test_while_the_rate_is_not_known_only_the_hard_bound_holds() -> None:
    """How long a lone order takes tells nothing of how many the service can do."""
    one = patience()
    one.begin(0)
    for number in range(100):
        one.took(number, 0)
        one.settled(number + 0.5, orders=1, of_lots=0, left_some=False)
    assert (one.limit, one.reason, one.wait_s(5_000)) == (10_000, "queue-full", 0)


def test_a_burst_may_fill_the_queue_up_to_the_wait_allowed() -> None:
    """By the rate that its first batches show."""
    one = patience()
    one.begin(0)
    work(one, rate=5_000, from_s=0, for_s=STANDING_AFTER_S / 2)
    assert (one.limit, one.reason) == (5_000, "queue-wait")
    assert one.wait_s(2_500) == 0.5
    assert patience(100).limit == 100


def test_deadlines_of_callers_do_not_keep_a_queue_standing() -> None:
    """Whoever asks for what cannot be done in time is turned away at any load."""
    one = patience()
    one.begin(0)
    now_s = work(one, rate=20_000, from_s=0, for_s=STANDING_AFTER_S + 0.05)
    assert one.standing
    for _ in range(12):
        one.turn_away("deadline", now_s, 0)
        now_s = work(one, rate=20_000, from_s=now_s, for_s=CALM_AFTER_S / 10, left=0)
    assert not one.standing


def test_a_queue_that_no_batch_empties_stands() -> None:
    """Then only orders are let in that wait for a short time: those who come later are not served any sooner."""
    one = patience()
    one.begin(0)
    work(one, rate=20_000, from_s=0, for_s=STANDING_AFTER_S + 0.05)
    assert (one.standing, one.limit, one.reason) == (True, 400, "queue-standing")


def test_it_stands_until_nobody_was_turned_away_for_a_while() -> None:
    """A batch empties a short queue at any load, so that alone does not end it."""
    one = patience()
    one.begin(0)
    now_s = work(one, rate=20_000, from_s=0, for_s=3)
    one.turn_away(one.reason, now_s, one.limit)
    now_s = work(one, rate=20_000, from_s=now_s, for_s=0.5, left=0, batch=400)
    assert one.standing
    one.turn_away(one.reason, now_s, one.limit)
    now_s = work(one, rate=20_000, from_s=now_s, for_s=CALM_AFTER_S - 0.1, left=0, batch=400)
    assert one.standing
    work(one, rate=20_000, from_s=now_s, for_s=0.2, left=0, batch=400)
    assert (one.standing, one.reason) == (False, "queue-full")


def test_idle_time_makes_no_queue_stand_and_lowers_no_rate() -> None:
    """The first batch of a burst after a quiet hour leaves many behind."""
    one = patience()
    one.begin(0)
    work(one, rate=5_000, from_s=0, for_s=0.05)
    one.begin(3_600)
    work(one, rate=5_000, from_s=3_600, for_s=0.05)
    assert not one.standing
    assert one.limit == 5_000


def test_the_rate_follows_what_the_service_does_within_seconds() -> None:
    """A store that becomes slow makes the same queue a longer wait."""
    one = patience()
    one.begin(0)
    now_s = work(one, rate=20_000, from_s=0, for_s=2)
    work(one, rate=1_000, from_s=now_s, for_s=6)
    assert 0.9 < one.wait_s(1_000) < 1.2


def test_what_the_next_batch_takes_waits_for_no_more_than_that() -> None:
    """One order beside others that are planned again, while the store stands still, is no measure for a handful."""
    one = patience()
    one.begin(0)
    now_s = work(one, rate=5_000, from_s=0, for_s=1)
    one.begin(now_s + 60)
    one.took(now_s + 60, 3)
    one.settled(now_s + 61, orders=1, of_lots=0, left_some=True)
    assert one.wait_s(BATCH // 4) > TERMS.order_s
    assert one.wait_s(BATCH // 4 - 1) == 0


def test_a_standing_queue_may_always_hold_a_part_of_a_batch() -> None:
    """Else batches of a slow store would get smaller and smaller, and the service ever slower."""
    one = patience()
    one.begin(0)
    work(one, rate=500, from_s=0, for_s=5)
    assert (one.standing, one.limit) == (True, BATCH // 4)


def test_where_a_round_trip_is_long_a_standing_queue_may_be_longer() -> None:
    """Two of them: one that the batch takes whatever is in it, and as much again for what is."""
    one = patience()
    one.begin(0)
    now_s = 0.0
    for _ in range(100):
        one.took(now_s, 0)
        now_s += 0.1
        one.settled(now_s, orders=1, of_lots=0, left_some=False)
    now_s = work(one, rate=4_000, from_s=now_s, for_s=5)
    assert one.standing
    assert 750 < one.limit < 850


def test_retry_after_is_the_time_for_what_waits_and_what_was_turned_away_lately() -> None:
    """All of those may come back: no less would do, and no more than a minute is ever said."""
    one = patience()
    one.begin(0)
    now_s = work(one, rate=1_000, from_s=0, for_s=1)
    assert one.turn_away("queue-wait", now_s, 1_000) == 2
    told = [one.turn_away("queue-wait", now_s + number / 5_000, 1_000) for number in range(4_999)]
    assert told[-1] == 6
    assert one.turn_away("queue-wait", now_s + 10, 0) == 1
    assert one.turn_away("queue-full", now_s + 20, 1_000_000) == RETRY_S_MAX
    assert one.turned_away == {"queue-full": 1, "queue-wait": 5_001, "queue-standing": 0, "deadline": 0}
