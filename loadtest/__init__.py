"""Drives a service over HTTP as its customers would, and tells what happened. Knows nothing of its insides."""
