"""Policies as data: reads a file of them, finds every mistake in it, and watches it for changes. Knows no stock."""

from engine.policy.book import PolicyBook, built_in_book, check_policies, read_policies
from engine.policy.mistake import Mistake
from engine.policy.watch import PolicyWatch

__all__ = ["Mistake", "PolicyBook", "PolicyWatch", "built_in_book", "check_policies", "read_policies"]
