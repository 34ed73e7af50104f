"""Measures what the product costs, beside the limit it runs against. Every figure names machine and method."""
