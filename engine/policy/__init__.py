"""Policies as data: reads a file of them, finds every mistake, keeps one book in force on a store. Knows no stock."""

from engine.policy.book import PolicyBook, book_of, built_in_book, check_policies, read_policies
from engine.policy.force import PoliciesInForce, StoredBook
from engine.policy.mistake import Mistake
from engine.policy.watch import PolicyWatch

__all__ = [
    "Mistake",
    "PoliciesInForce",
    "PolicyBook",
    "PolicyWatch",
    "StoredBook",
    "book_of",
    "built_in_book",
    "check_policies",
    "read_policies",
]
